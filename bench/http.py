"""The smallest HTTP/1.1 client that keeps a connection: requests are bytes, answers are cut out."""

import asyncio
import json
import re
from urllib.parse import urlencode

_COOKIE = re.compile(rb"\r\nset-cookie: *([^;\r]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """One kept connection; one request at a time."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waiting: asyncio.Future[tuple[int, bytes, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP transport is one

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._waiting is None:
            return
        head = bytes(self._buffer[:end])
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        if len(self._buffer) < end + 4 + length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        waiting, self._waiting = self._waiting, None
        waiting.set_result((int(head[9:12]), head, body))

    async def send(self, request: bytes) -> tuple[int, bytes, bytes]:
        """Status, head and body of the answer."""
        self._waiting = asyncio.get_running_loop().create_future()
        assert self._transport is not None  # noqa: S101  (connected before the first request)
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def connect(port: int) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(
        Connection, "127.0.0.1", port
    )
    return connection


def get(host: str, path: str, **headers: str) -> bytes:
    """A GET request; underscores in header names become hyphens."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nhost: {host}\r\n{lines}\r\n".encode()


def post(host: str, path: str, fields: dict[str, str], **headers: str) -> bytes:
    """A form POST."""
    body = urlencode(fields)
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\n"
        f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n"
        f"{lines}\r\n{body}"
    ).encode()


def post_json(host: str, path: str, value: object, **headers: str) -> bytes:
    """A POST of JSON."""
    body = json.dumps(value).encode()
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {host}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n{lines}\r\n"
    )
    return head.encode() + body


def header(head: bytes, name: str) -> str:
    """The first header of that name in an answer's head; empty if absent."""
    found = re.search(rb"\r\n" + name.encode() + rb": *([^\r]*)", head, re.IGNORECASE)
    return found[1].decode() if found else ""


def cookies(head: bytes) -> str:
    """All cookies that an answer sets, as a browser sends them back."""
    return "; ".join(each.decode() for each in _COOKIE.findall(head))
