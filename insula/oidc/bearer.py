"""
Access tokens at our own resource endpoint: RFC 6750, in the Authorization header only.

A token in an address ends in logs and histories, so it is refused even when it is valid
(RFC9700-4.3.2); one in a form body is not read.
"""

import re

from insula.oidc.errors import (
    InvalidBearerRequest,
    InvalidRequest,
    InvalidToken,
    MissingToken,
    RequestTooLarge,
)
from insula.oidc.http import Request, read_pairs
from insula.oidc.issuer import Issuer
from insula.oidc.models import ActiveToken
from insula.oidc.tokens import find_access_token

_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*\Z")  # RFC6750-2.1


async def authorize(issuer: Issuer, request: Request) -> ActiveToken:
    """Return the living access token that this request carries."""
    found = await find_access_token(issuer, await _read_token(request))
    if found is None or issuer.url not in found.audience:  # RFC9068-4, RS-5
        raise InvalidToken("The access token is expired, revoked or not valid here")
    return found


async def _read_token(request: Request) -> str:
    try:
        is_elsewhere = await _is_elsewhere(request)
    except RequestTooLarge:
        raise
    except InvalidRequest as malformed:
        raise InvalidBearerRequest(malformed.description) from None
    if is_elsewhere:
        raise InvalidBearerRequest("The access token must be sent in the Authorization header")
    headers = request.headers(b"authorization")
    if len(headers) > 1:
        raise InvalidBearerRequest("There is more than one Authorization header")
    scheme, _, token = (headers[0] if headers else "").partition(" ")
    if scheme.lower() != "bearer":
        raise MissingToken
    token = token.strip()
    if not _TOKEN68.match(token):
        raise InvalidBearerRequest("The access token holds characters that none has")
    return token


async def _is_elsewhere(request: Request) -> bool:
    pairs = request.query()
    if request.method == "POST" and (body := await request.body()):
        if not request.is_form:
            raise InvalidRequest("The body must be application/x-www-form-urlencoded")
        pairs += read_pairs(body)
    return any(name == "access_token" for name, _ in pairs)
