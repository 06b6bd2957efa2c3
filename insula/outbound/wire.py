"""
One question on one connection, which nothing is shared with: the only user of httpcore2.

A connection is never kept for the next question: that could be another tenant's, and the name may
mean another address by then. Redirects, cookies, proxies and decompression are what this library
does not do.
"""

import ssl
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import httpcore2

from insula.outbound.errors import BadAnswer, TooLarge, TooSlow, Unreachable
from insula.outbound.settings import OutboundRules
from insula.outbound.urls import Target

_CLOSED_UNANSWERED: Final = "The host does not answer."

#: As httpcore2 spells it.
_SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


@dataclass(frozen=True, slots=True)
class Head:
    """An answer before its body. Names of *headers* are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known == name]


@dataclass(frozen=True, slots=True)
class Question:
    """
    What is sent to *target*, at one of *addresses*, and how much of the answer is read.

    *judge* looks at the head and raises what makes the body unwanted. *limit* is in bytes; of a
    body with the limit 0 nothing is read.
    """

    method: str
    target: Target
    addresses: Sequence[IPv4Address | IPv6Address]
    headers: Sequence[tuple[str, str]]
    body: bytes
    judge: Callable[[Head], None]
    limit: int


def trusting(rules: OutboundRules) -> ssl.SSLContext:
    """
    TLS as the door speaks it: 1.2 or newer, certificate and name verified.

    Raises OSError where `ca_file` cannot be read or holds no certificate.
    """
    context = httpcore2.default_ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if rules.ca_file is not None:
        context.load_verify_locations(rules.ca_file)
    return context


async def ask(
    question: Question,
    rules: OutboundRules,
    tls: ssl.SSLContext,
    network: httpcore2.AsyncNetworkBackend,
) -> tuple[Head, bytes]:
    """Ask and read the answer. Raises `OutboundError`; the caller bounds the whole time."""
    target = question.target
    pinned = _Pinned(network, question.addresses)
    connection = httpcore2.AsyncHTTPConnection(
        httpcore2.Origin(target.scheme.encode(), target.host.encode(), target.port),
        ssl_context=tls,
        network_backend=pinned,
    )
    request = httpcore2.Request(
        question.method,
        httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path),
        headers=list(question.headers),
        content=question.body,
        extensions={"timeout": {"connect": rules.connect_seconds}},
    )
    try:
        return await _converse(connection, request, question)
    except httpcore2.TimeoutException as error:
        raise TooSlow("The host does not answer in time.", detail="connect: too slow") from error
    except httpcore2.RemoteProtocolError as error:
        if error.__cause__ is None:  # closed before it said anything
            raise Unreachable(_CLOSED_UNANSWERED, detail="closed unanswered") from error
        raise BadAnswer("The answer is not well-formed HTTP.", detail=f"http: {error}") from error
    except (httpcore2.NetworkError, OSError) as error:
        cause = error.__cause__ or error
        kind = "tls" if isinstance(cause, ssl.SSLError) else "network"
        raise Unreachable(_CLOSED_UNANSWERED, detail=f"{kind}: {cause}") from error
    finally:
        await pinned.close()


async def _converse(
    connection: httpcore2.AsyncHTTPConnection, request: httpcore2.Request, question: Question
) -> tuple[Head, bytes]:
    response = await connection.handle_async_request(request)
    head = Head(
        response.status,
        tuple((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in response.headers),
    )
    question.judge(head)
    return head, await _body(response, head, question.limit) if question.limit else b""


async def _body(response: httpcore2.Response, head: Head, limit: int) -> bytes:
    if any(int(length) > limit for length in head.values("content-length")):
        raise _too_large(limit)
    parts = []
    left = limit
    async with aclosing(response.aiter_stream()) as stream:
        async for part in stream:
            left -= len(part)
            if left < 0:
                raise _too_large(limit)
            parts.append(part)
    return b"".join(parts)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The answer is larger than {limit} bytes.", detail=f"over {limit} bytes")


class _Pinned(httpcore2.AsyncNetworkBackend):
    """Connects to addresses that were checked, whatever name the connection is for."""

    def __init__(
        self,
        network: httpcore2.AsyncNetworkBackend,
        addresses: Sequence[IPv4Address | IPv6Address],
    ) -> None:
        self._network = network
        self._addresses = addresses
        self._stream: httpcore2.AsyncNetworkStream | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  (the library's signature)
        local_address: str | None = None,
        socket_options: Iterable[_SocketOption] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failure: Exception = httpcore2.ConnectError(f"no address of {host}")
        for address in self._addresses:
            try:
                self._stream = await self._network.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return self._stream
        raise failure

    async def close(self) -> None:
        """Hang up, also where a handshake was cut short; that is no answer's business any more."""
        if self._stream is not None:
            await self._stream.aclose()
