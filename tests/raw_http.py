"""HTTP as bytes on a socket, for requests that no decent client would send."""

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class RawAnswer:
    """An answer as it came; header names in lower case, in their order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def header(self, name):
        found = self.all(name)
        assert len(found) <= 1, f"{name} came {len(found)} times"
        return found[0] if found else None

    @property
    def text(self):
        return self.body.decode()


def send(server, *pieces, close=True):
    """Send bytes and read what comes until the server is done or closes; None for no answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        for piece in pieces:
            try:
                wire.sendall(piece)
            except (BrokenPipeError, ConnectionResetError):
                break
        if close:
            return _read(wire)
    return None


def _read(wire):
    received = b""
    while b"\r\n\r\n" not in received:
        try:
            more = wire.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            break
        received += more
    if not received:
        return None
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = tuple(
        (name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)
    )
    length = next((int(v) for n, v in headers if n == "content-length"), None)
    while length is None or len(body) < length:
        try:
            more = wire.recv(65536)
        except (ConnectionResetError, TimeoutError):
            break
        if not more:
            break
        body += more
    return RawAnswer(int(first.split(" ")[1]), headers, body)


def request(path="/", host=None, *, method="GET", version="1.1", headers=(), body=b""):
    """The bytes of a request; *host* is bytes, or None for no Host header."""
    lines = [f"{method} {path} HTTP/{version}".encode()]
    if host is not None:
        lines.append(b"Host: " + host)
    lines += [
        (name if isinstance(name, bytes) else name.encode())
        + b": "
        + (value if isinstance(value, bytes) else value.encode())
        for name, value in headers
    ]
    if version == "1.1":
        lines.append(b"Connection: close")
    return b"\r\n".join([*lines, b"", body])


def ask(server, path="/", host=None, **parts):
    return send(server, request(path, host, **parts))
