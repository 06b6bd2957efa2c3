"""Names, certificates and answers of other machines, each asked for within a few seconds."""

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

PATIENCE: Final = 8.0
STEP: Final = 5.0
_MOST: Final = 64 * 1024

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Door:
    """Where to connect, and with what trust; without TLS for a development installation."""

    address: str
    port: int
    tls: ssl.SSLContext | None


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  (whatever was sent)
        """The body as JSON; None for anything else."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def within(work: Callable[[], _T], seconds: float = PATIENCE) -> _T:
    """
    Do *work* in a thread that is left behind when it takes too long. Raises `TimeoutError`.

    The resolver has no time limit of ours, and a peer can send one byte for every wait.
    """
    result: list[_T] = []
    problem: list[Exception] = []

    def run() -> None:
        try:
            result.append(work())
        except Exception as error:  # noqa: BLE001  (raised again where it is waited for)
            problem.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if problem:
        raise problem[0]
    if not result:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return result[0]


def resolve(host: str) -> frozenset[str]:
    """The addresses of *host*; none if it has no name. Raises `TimeoutError`."""

    def ask() -> frozenset[str]:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except socket.gaierror:
            return frozenset()
        return frozenset(str(address[0]) for *_, address in found)

    return within(ask)


def expiry(door: Door, host: str) -> float:
    """When the certificate that *door* shows for *host* ends. Raises `OSError`."""

    def ask() -> float:
        with _connect(door, host) as connection:
            if not isinstance(connection, ssl.SSLSocket):
                raise TypeError("a door without TLS has no certificate")
            certificate = connection.getpeercert() or {}
            return float(ssl.cert_time_to_seconds(str(certificate["notAfter"])))

    return within(ask)


def get(door: Door, host: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
    """GET from *host* through *door*. Raises `OSError`."""

    def ask() -> Reply:
        with _connect(door, host) as connection:
            http_connection = http.client.HTTPConnection(host, timeout=STEP)
            http_connection.sock = connection
            try:
                http_connection.request("GET", path, headers={"Host": host, **(headers or {})})
                answer = http_connection.getresponse()
                return Reply(answer.status, answer.read(_MOST))
            except http.client.HTTPException as error:
                raise ConnectionError(f"no HTTP: {type(error).__name__}") from error

    return within(ask)


def _connect(door: Door, host: str) -> socket.socket:
    plain = socket.create_connection((door.address, door.port), timeout=STEP)
    if door.tls is None:
        return plain
    try:
        return door.tls.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise
