"""
Access tokens at our own resource endpoint: RFC 6750 and RFC9449-7.

A token in an address ends in logs and histories, so it is refused even when it is valid
(RFC9700-4.3.2); one in a form body is read where an issuer allows it (OIDCC-5.3.1). A token
that is bound to a key is worth nothing without a proof, and nothing under another scheme.
"""

import re
from dataclasses import dataclass

from insula.oidc import dpop_proofs
from insula.oidc.artefacts import ActiveToken
from insula.oidc.errors import (
    InvalidBearerRequest,
    InvalidDpopProof,
    InvalidProof,
    InvalidRequest,
    InvalidToken,
    MissingToken,
    NonceNeeded,
    RequestTooLarge,
    UseDpopNonce,
)
from insula.oidc.http import Pairs, Request, read_pairs
from insula.oidc.issuer import Issuer
from insula.oidc.models import Client
from insula.oidc.sightings import note_token
from insula.oidc.tokens import find_access_token

_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*\Z")  # RFC6750-2.1
_NOT_VALID = "The access token is expired, revoked or not valid here"


@dataclass(frozen=True, slots=True)
class _Presented:
    """An access token as it was brought; *is_proven*: under the scheme that wants a proof."""

    token: str
    is_proven: bool


async def authorize(issuer: Issuer, request: Request) -> tuple[ActiveToken, Client]:
    """Return the living access token that this request carries, and whose it is."""
    return await _admit(issuer, request, await _read_token(issuer, request), issuer.url)


async def authorize_at(
    issuer: Issuer, request: Request, audience: str
) -> tuple[ActiveToken, Client]:
    """
    Do the same for an API at the issuer's host, which is known by *audience*.

    The header alone may hold the token there, since the body speaks of something else.
    """
    try:
        in_query = _tokens_of(request.query())
    except InvalidRequest as malformed:
        raise InvalidBearerRequest(malformed.description) from None
    if in_query:
        raise InvalidBearerRequest("The access token must be sent in the Authorization header")
    presented = _read_presented(issuer, request, [])
    return await _admit(issuer, request, presented, audience)


async def _admit(
    issuer: Issuer, request: Request, presented: _Presented, audience: str
) -> tuple[ActiveToken, Client]:
    try:
        proof = _read_proof(issuer, request, presented)
        found = await find_access_token(issuer, presented.token)
        if found is None or audience not in found.audience:  # RFC9068-4, RS-5
            raise InvalidToken(_NOT_VALID)
        client = request.client = await issuer.clients.find(found.client_id)
        if client is None:
            raise InvalidToken(_NOT_VALID)
        if found.dpop_jkt != (proof and proof.jkt):
            raise InvalidToken("The access token is bound to another key, or to none")
        if proof is not None:
            dpop_proofs.check_nonce(issuer, proof)  # said only now, when its page may read it
            await dpop_proofs.use_up(issuer, proof)
    except InvalidDpopProof as refusal:
        raise InvalidProof(refusal.description, detail=refusal.detail) from None
    except UseDpopNonce as refusal:
        raise NonceNeeded(refusal.description, nonce=refusal.nonce) from None
    note_token(issuer.sightings, client, presented.token)
    return found, client


def read_plain_token(request: Request) -> str | None:
    """
    Read a bearer token that only the header may hold, where the body speaks of something else.

    None when nothing was brought, or another scheme.
    """
    if _tokens_of(request.query()):
        raise InvalidBearerRequest("The access token must be sent in the Authorization header")
    headers = request.headers(b"authorization")
    if len(headers) > 1:
        raise InvalidBearerRequest("There is more than one Authorization header")
    scheme, token = _read_header(headers)
    if scheme != "bearer":
        return None
    if not _TOKEN68.match(token):
        raise InvalidBearerRequest("The access token holds characters that none has")
    return token


def uses_dpop(request: Request) -> bool:
    """Whether the refusal must name the scheme of proven tokens."""
    return (request.header(b"authorization") or "")[:5].lower() == "dpop "


def _read_proof(
    issuer: Issuer, request: Request, presented: _Presented
) -> dpop_proofs.Proof | None:
    if not presented.is_proven:
        return None
    proof = dpop_proofs.read_proof(issuer, request, presented.token)
    if proof is None:
        raise InvalidToken("The access token came without a DPoP proof")
    return proof


async def _read_token(issuer: Issuer, request: Request) -> _Presented:
    try:
        in_query, in_body = await _read_elsewhere(request)
    except RequestTooLarge:
        raise
    except InvalidRequest as malformed:
        raise InvalidBearerRequest(malformed.description) from None
    if in_query or (in_body and not issuer.features.userinfo_body_token):
        raise InvalidBearerRequest("The access token must be sent in the Authorization header")
    return _read_presented(issuer, request, in_body)


def _read_presented(issuer: Issuer, request: Request, in_body: list[str]) -> _Presented:
    headers = request.headers(b"authorization")
    if len(headers) > 1:
        raise InvalidBearerRequest("There is more than one Authorization header")
    if len(headers) + len(in_body) > 1:
        raise InvalidBearerRequest("The access token was sent in more than one way")
    scheme, token = ("bearer", in_body[0]) if in_body else _read_header(headers)
    if scheme != "bearer" and not (scheme == "dpop" and issuer.features.dpop):
        raise MissingToken
    if not _TOKEN68.match(token):
        raise InvalidBearerRequest("The access token holds characters that none has")
    return _Presented(token, is_proven=scheme == "dpop")


def _read_header(headers: list[str]) -> tuple[str, str]:
    scheme, _, token = (headers[0] if headers else "").partition(" ")
    return scheme.lower(), token.strip()


async def _read_elsewhere(request: Request) -> tuple[list[str], list[str]]:
    """Read the access tokens of the query, and those of a form."""
    in_body: Pairs = []
    if request.method == "POST" and (body := await request.body()):
        if not request.is_form:
            raise InvalidRequest("The body must be application/x-www-form-urlencoded")
        in_body = read_pairs(body)
    return _tokens_of(request.query()), _tokens_of(in_body)


def _tokens_of(pairs: Pairs) -> list[str]:
    return [value for name, value in pairs if name == "access_token"]
