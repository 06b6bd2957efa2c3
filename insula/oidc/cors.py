"""
Which pages of other origins may read our answers: those that the calling client registered.

Compared as whole strings, answered without credentials, never for the authorization
endpoint (RFC9700-2.6).
"""

from collections.abc import Iterable

from insula.oidc.http import Request, Response
from insula.oidc.issuer import Issuer

_VARY = (b"vary", b"Origin")
_MAX_AGE = b"600"


def allow_caller(request: Request, response: Response) -> Response:
    """Let the origin read the answer if the client that called has registered it."""
    response.headers.append(_VARY)
    origin = request.header(b"origin")
    if origin and request.client and origin in request.client.allowed_origins:
        response.headers += [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", b"DPoP-Nonce, WWW-Authenticate"),
        ]
    return response


def is_preflight(request: Request) -> bool:
    return (
        request.method == "OPTIONS"
        and request.header(b"origin") is not None
        and request.header(b"access-control-request-method") is not None
    )


async def answer_preflight(issuer: Issuer, request: Request, methods: Iterable[str]) -> Response:
    """Answer the question that a browser asks before the request, when nobody is known yet."""
    origin = request.header(b"origin") or ""
    response = Response(204, (_VARY, (b"cache-control", b"no-store")))
    if await issuer.clients.allows_origin(origin):
        response.headers += [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-methods", ", ".join(sorted(methods)).encode("ascii")),
            (b"access-control-allow-headers", b"authorization, content-type, dpop"),
            (b"access-control-max-age", _MAX_AGE),
        ]
    return response
