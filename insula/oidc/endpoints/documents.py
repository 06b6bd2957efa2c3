"""
A public document: encoded once, answered from memory.

Resource servers and clients fetch these all day, so nothing is built per request: two
sends, with headers made beforehand.
"""

import hashlib
from collections.abc import Sequence

from insula.oidc.http import Header, Receive, Scope, Send, method_not_allowed


class Document:
    """An ASGI application that answers GET and HEAD with the same bytes every time."""

    __slots__ = ("_body", "_etag", "_fresh", "_unchanged")

    def __init__(self, body: bytes, content_type: bytes, cache_control: bytes) -> None:
        etag = b'"' + hashlib.sha256(body).hexdigest()[:32].encode("ascii") + b'"'
        shared: list[Header] = [
            (b"cache-control", cache_control),
            (b"etag", etag),
            (b"vary", b"Accept-Encoding"),
            (b"access-control-allow-origin", b"*"),
            (b"x-content-type-options", b"nosniff"),
        ]
        self._body = body
        self._etag = etag
        self._unchanged: Sequence[Header] = shared
        self._fresh: Sequence[Header] = [
            (b"content-type", content_type),
            *shared,
            (b"content-length", b"%d" % len(body)),
        ]

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method not in {"GET", "HEAD"}:
            await method_not_allowed(("GET", "HEAD")).send(send)
            return
        for name, value in scope["headers"]:
            if name == b"if-none-match" and (self._etag in value or value.strip() == b"*"):
                await self._send(send, 304, self._unchanged, b"")
                return
        await self._send(send, 200, self._fresh, self._body if method == "GET" else b"")

    @staticmethod
    async def _send(send: Send, status: int, headers: Sequence[Header], body: bytes) -> None:
        # a copy, for whoever adds headers on the way out
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})
