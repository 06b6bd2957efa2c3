"""
The little of HTTP that the protocol needs: a request read lazily, a response sent once.

Plain ASGI and nothing between, because every layer is paid for on the hot path. All
limits of what a request may hold (protocol.md 0, rule 7) are here.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlencode

from insula.oidc.errors import InvalidRequest, RequestTooLarge
from insula.oidc.jose import MAX_TOKEN
from insula.oidc.models import Caller, Client

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]
Pairs = list[tuple[str, str]]

MAX_BODY = 64 * 1024
MAX_FIELDS = 100
MAX_PARAMETER = 8 * 1024
MAX_USER_AGENT = 512
#: What an address may hold after "?" when we send a browser there: proxies stop at 8 KB.
MAX_QUERY = 7 * 1024

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

NO_STORE: tuple[Header, ...] = (
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
)
_PAGE: tuple[Header, ...] = (
    (b"content-type", b"text/html; charset=utf-8"),
    *NO_STORE,
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Parameters that hold a compact JOSE, or may: twice as long as others (security row 104).
_JOSE = frozenset(
    {
        "access_token",
        "actor_token",
        "client_assertion",
        "id_token_hint",
        "request",
        "subject_token",
        "token",
    }
)


class _Limit(NamedTuple):
    """How many bytes a value may have, and what is said of more."""

    most: int
    refusal: str


_PLAIN = _Limit(MAX_PARAMETER, "A parameter is longer than 8 KB")
_SIGNED = _Limit(MAX_TOKEN, "A parameter is longer than 16 KB")
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Request:
    """
    One request at one endpoint; nothing is read before it is asked for.

    *client* is who calls, once that is proven: it decides which origins may read the answer.
    """

    __slots__ = ("_receive", "_scope", "client", "method")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope = scope
        self._receive = receive
        self.method: str = scope["method"]
        self.client: Client | None = None

    @property
    def path(self) -> str:
        path: str = self._scope["path"]
        return path

    @property
    def request_id(self) -> str:
        request_id: str = self._scope.get("insula.request_id", "")
        return request_id

    @property
    def address(self) -> str:
        """Where the request comes from, as the edge has found out; empty when it has not."""
        ip: str = self._scope.get("insula.client_ip", "")
        return ip

    @property
    def caller(self) -> Caller:
        """Who is on the line, for the record."""
        agent = self.header(b"user-agent") or ""
        return Caller(self.address, agent[:MAX_USER_AGENT], self.request_id)

    def headers(self, name: bytes) -> list[str]:
        return [value.decode("latin-1") for key, value in self._scope["headers"] if key == name]

    def header(self, name: bytes) -> str | None:
        for key, value in self._scope["headers"]:
            if key == name:
                text: str = value.decode("latin-1")
                return text
        return None

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies, name to value; which of two with one name is ours cannot be known."""
        cookies: dict[str, str] = {}
        doubled: set[str] = set()
        for header in self.headers(b"cookie"):
            for crumb in header.split(";"):
                name, equals, value = crumb.strip().partition("=")
                if name in cookies:
                    doubled.add(name)
                elif equals:
                    cookies[name] = value
        # worth nothing, but seen: whoever owns the name can clear it (security row 83)
        cookies.update(dict.fromkeys(doubled, ""))
        return cookies

    def query(self) -> Pairs:
        return read_pairs(self._scope["query_string"])

    async def body(self) -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise InvalidRequest("The request body ended too early")
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            if size > MAX_BODY:
                raise RequestTooLarge("The request body is larger than 64 KB")
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)

    @property
    def _media_type(self) -> str:
        content_type = self.header(b"content-type") or ""
        return content_type.partition(";")[0].strip().lower()

    @property
    def is_form(self) -> bool:
        return self._media_type == FORM

    @property
    def is_json(self) -> bool:
        return self._media_type == JSON

    async def form(self) -> Pairs:
        if not self.is_form:
            raise InvalidRequest("The body must be application/x-www-form-urlencoded")
        return read_pairs(await self.body())


def read_pairs(encoded: bytes) -> Pairs:
    """Read form-encoded pairs strictly: what is not well formed is refused, never repaired."""
    if not encoded:
        return []
    if encoded.count(b"&") >= MAX_FIELDS:
        raise InvalidRequest("There are more than 100 parameters")
    if _BROKEN_PERCENT.search(encoded):
        raise InvalidRequest("A percent-encoding is incomplete")
    pairs: Pairs = []
    for field in encoded.split(b"&"):
        if field:
            encoded_name, _, value = field.partition(b"=")
            name = _decode(encoded_name)
            pairs.append((name, _decode(value, _SIGNED if name in _JOSE else _PLAIN)))
    return pairs


def _decode(part: bytes, limit: _Limit = _PLAIN) -> str:
    raw = part.replace(b"+", b" ")
    if b"%" in raw:
        raw = unquote_to_bytes(raw)
    if len(raw) > limit.most:
        raise InvalidRequest(limit.refusal)
    if b"\0" in raw:
        raise InvalidRequest("A parameter holds the character U+0000")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("A parameter is not UTF-8") from None


class Response:
    """A whole answer; *headers* may be added to until it is sent."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Iterable[Header], body: bytes = b"") -> None:
        self.status = status
        self.headers = list(headers)
        self.body = body

    async def send(self, send: Send) -> None:
        if self.status not in {204, 304}:
            self.headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


_JSON: tuple[Header, ...] = ((b"content-type", b"application/json"), *NO_STORE)


def json_answer(body: bytes, status: int = 200) -> Response:
    return Response(status, _JSON, body)


def empty_answer(status: int = 200) -> Response:
    return Response(status, NO_STORE)


def page(body: bytes, status: int = 200, policy: str = _PAGE_POLICY) -> Response:
    return Response(status, (*_PAGE, (b"content-security-policy", policy.encode("latin-1"))), body)


def see_other(location: str) -> Response:
    """303: whatever the method was, the browser goes on with GET and no body (RFC9700-4.12)."""
    target = location if location.isascii() else quote(location, safe="%:/?#[]@!$&'()*+,;=~")
    return Response(
        303,
        ((b"location", target.encode("ascii")), *NO_STORE, (b"referrer-policy", b"no-referrer")),
    )


def set_cookies(response: Response, cookies: Iterable[str]) -> Response:
    response.headers.extend((b"set-cookie", cookie.encode("latin-1")) for cookie in cookies)
    return response


def method_not_allowed(allowed: Iterable[str]) -> Response:
    """405, which must name what would be right (RFC9110-15.5.6)."""
    return Response(405, (*NO_STORE, (b"allow", ", ".join(sorted(allowed)).encode("ascii"))))


def with_fragment(address: str, fields: Mapping[str, str]) -> str:
    """Put *fields* behind "#", where no server sees them (OAuth2-RT-5)."""
    return f"{address}#{urlencode(fields, quote_via=quote, safe='')}"


def with_query(address: str, fields: Mapping[str, str] | Pairs) -> str:
    """Add *fields* to an address that may hold a query of its own (RFC6749-3.1.2)."""
    joint = "&" if "?" in address else "?"
    if address.endswith(("?", "&")):
        joint = ""
    return address + joint + urlencode(fields, quote_via=quote, safe="")
