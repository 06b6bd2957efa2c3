"""
The edge: what surrounds every request, in pure ASGI.

Request id, the caller's address, size and time limits, security headers, the access line
and the request's metrics. It reads no tenant and decides nothing about one.
"""

import asyncio
import hmac
import os
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

from insula.kernel.db import trips
from insula.kernel.metrics import DATABASE_TRIPS, REQUEST_SECONDS, REQUESTS, UNTRUSTED_HEADERS
from insula.platform.refusals import refuse
from insula.tenancy.hosts import BadHost, Networks, client_ip

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_access = structlog.get_logger("access")
_log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}\Z")
_MOST_HEADERS = 16 * 1024
_MOST_BODY = 64 * 1024
_MOST_API_BODY = 1024 * 1024
MOST_UPLOAD = 1024 * 1024 + 64 * 1024  # a file, and the form around it
_PATIENCE = 30.0  # seconds for a request with a body, all in all
_WITHOUT_BODY = frozenset({"GET", "HEAD"})

#: Headers that the edge reads; each may be sent once.
_OURS = frozenset(
    {b"content-length", b"x-forwarded-for", b"x-request-id", b"x-insula-proxy-secret"}
)

#: For every answer that does not say otherwise. The tenant's pages load nothing from elsewhere and
#: run no inline script; form-action is left open, since a sign-in ends in a redirect to the client.
_CSP = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
    b"base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_HTML = (
    (b"content-security-policy", _CSP),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_PAGE = (*_ALWAYS, *_HTML)
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Whom the edge believes: proxies by address and, where set, by a shared secret (row 118).

    What is not *counted* is no request of anybody's: neither metrics nor the access log have it.
    """

    trusted_proxies: Networks
    proxy_secret: bytes | None = None
    https: bool = True
    counted: bool = True


class _TooLarge(Exception):
    """The body passed its limit while it was read."""


class Edge:
    """Wraps the application."""

    def __init__(self, app: App, rules: Rules) -> None:
        #: What is wrapped.
        self.inner = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        started = time.perf_counter()
        counter = [0]
        mark = trips.set(counter)
        answer = _Answer(send, https=self._rules.https)
        try:
            problem = self._read(scope)
            answer.request_id = scope["insula.request_id"]
            if problem is not None:
                await refuse(scope, answer, *problem)
            elif scope["method"] in _WITHOUT_BODY:
                # what it waits for is the database, which has limits of its own
                await self.inner(scope, receive, answer)
            else:
                async with asyncio.timeout(_PATIENCE):
                    await self.inner(scope, _limited(receive, _most_body(scope)), answer)
        except _TooLarge:
            await self._late(scope, answer, 413, "too_large", "The request is too large.")
        except TimeoutError:
            await self._late(scope, answer, 503, "busy", "This takes too long; try again.")
        except Exception:  # noqa: BLE001  (the last resort: logged, told as a reference)
            _log.exception(
                "request.broken", request_id=scope.get("insula.request_id"), path=scope["path"]
            )
            await self._late(
                scope, answer, 500, "server_error", "Something went wrong on our side."
            )
        finally:
            trips.reset(mark)
            if self._rules.counted:
                _note(scope, answer.status, time.perf_counter() - started, counter[0])

    def _read(self, scope: Scope) -> tuple[int, str, str] | None:
        """
        Read what concerns the edge, in one pass over the headers, into the scope.

        What is wrong with the request as such: status, code, sentence.
        """
        peer = scope["client"][0] if scope["client"] else ""
        found: dict[bytes, bytes] = {}
        size, doubled = 0, False
        for name, value in scope["headers"]:
            size += len(name) + len(value) + 4
            if name in _OURS:
                doubled = doubled or name in found
                found[name] = value
        by_edge = self._is_edge(found.get(b"x-insula-proxy-secret"))
        trusted = by_edge and peer in self._rules.trusted_proxies
        scope["insula.edge_trusted"] = by_edge
        scope["insula.client_ip"] = peer
        given = found.get(b"x-request-id") if trusted else None
        scope["insula.request_id"] = (
            given.decode() if given and _REQUEST_ID.match(given) else _new_request_id()
        )
        if size > _MOST_HEADERS:
            return 431, "too_large", "The request's headers are too large."
        if doubled:
            return 400, "bad_request", "The request is not well formed."
        forwarded = found.get(b"x-forwarded-for")
        if forwarded is not None:
            if not trusted:
                UNTRUSTED_HEADERS.labels("forwarded").inc()
            else:
                try:
                    scope["insula.client_ip"] = client_ip(
                        peer, forwarded, self._rules.trusted_proxies
                    )
                except BadHost:
                    return 400, "bad_request", "The request is not well formed."
        length = found.get(b"content-length")
        if length is not None and (not length.isdigit() or int(length) > _most_body(scope)):
            return 413, "too_large", "The request is too large."
        return None

    def _is_edge(self, presented: bytes | None) -> bool:
        """Whether the request came by our own edge, where the two know each other by a secret."""
        secret = self._rules.proxy_secret
        if secret is None:
            return True
        return presented is not None and hmac.compare_digest(presented, secret)

    async def _late(
        self, scope: Scope, answer: "_Answer", status: int, code: str, text: str
    ) -> None:
        """An answer after a failure, if none has begun."""
        if answer.status == 0:
            await refuse(scope, answer, status, code, text)


def _most_body(scope: Scope) -> int:
    """How large a body may be: a program's may be larger than a person's (security row 104)."""
    if scope["path"].endswith("/branding/assets"):
        return MOST_UPLOAD
    return _MOST_API_BODY if scope["path"].startswith("/api/") else _MOST_BODY


def _limited(receive: Receive, most: int) -> Receive:
    """
    *receive* that refuses a body beyond the limit, whatever its length was said to be.

    The piece that goes beyond is passed on, since whoever reads a form knows the same limit and
    says so in the caller's format; nobody reads further.
    """
    total = 0

    async def limited() -> Message:
        nonlocal total
        if total > most:
            raise _TooLarge
        message = await receive()
        if message["type"] == "http.request":
            total += len(message.get("body", b""))
        return message

    return limited


class _Answer:
    """*send* that adds the security headers and remembers the status."""

    __slots__ = ("_https", "_send", "request_id", "status")

    def __init__(self, send: Send, *, https: bool) -> None:
        self._send = send
        self._https = https
        self.request_id = ""
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message["headers"])
            present = dict(headers)
            html = present.get(b"content-type", b"").startswith(b"text/html")
            headers += [pair for pair in (_PAGE if html else _ALWAYS) if pair[0] not in present]
            if self._https:
                headers.append(_HSTS)
            headers.append((b"x-request-id", self.request_id.encode()))
            message["headers"] = headers
        await self._send(message)


def _new_request_id() -> str:
    """A random UUID, without the object that `uuid4` would make of it."""
    h = os.urandom(16).hex()
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}"


def _surface(path: str) -> str:
    """What kind of thing was asked for: a few known words (features.md CR-12)."""
    if path.startswith("/oauth2/"):
        word = path.split("/", 3)[2]
        return word if word in _ENDPOINTS else "oauth2"
    if path.startswith("/.well-known/"):
        return "discovery"
    if path.startswith("/sign-in"):
        return "sign-in"
    if path.startswith(("/static/", "/branding/", "/img/")):
        return "static"
    if path.startswith("/api/"):
        return "api"
    return "other"


_ENDPOINTS = frozenset({"authorize", "token", "userinfo", "introspect", "revoke", "jwks", "logout"})
_counters: dict[tuple[str, str], Any] = {}
_timers: dict[str, Any] = {}


def _note(scope: Scope, status: int, seconds: float, database: int) -> None:
    surface, family = _surface(scope["path"]), f"{status // 100}xx"
    counter = _counters.get((surface, family))
    if counter is None:
        counter = _counters[surface, family] = REQUESTS.labels(surface, family)
        _timers.setdefault(surface, REQUEST_SECONDS.labels(surface))
    counter.inc()
    _timers[surface].observe(seconds)
    if database:
        DATABASE_TRIPS.inc(database)
    tenant = scope.get("insula.tenant")
    _access.info(
        "request",
        method=scope["method"],
        path=scope["path"][:200],
        status=status,
        ms=round(seconds * 1000, 2),
        db=database,
        tenant=tenant.slug if tenant is not None else None,
        ip=scope["insula.client_ip"],
        request_id=scope["insula.request_id"],
    )
