"""
Clients that prove themselves with a key of their own: OIDCC-9 `private_key_jwt`, RFC7523-3.

An assertion is for one moment and one provider: it says who made it and whom it is for, lives
an hour at most, and is accepted once. What can be told without knowing the client is
told first; what depends on the client looks alike for one that does not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from insula.kernel import clock
from insula.oidc import issuer as paths
from insula.oidc.errors import InvalidClient, Unreachable
from insula.oidc.issuer import Issuer
from insula.oidc.jose import (
    CLIENT_ALGORITHMS,
    LEEWAY,
    Received,
    audience_of,
    is_current,
    public_members,
    receive,
)
from insula.oidc.models import Client
from insula.oidc.request import Parameters

#: What a client is told whatever its secret or key has got to do with it.
REFUSED: Final = "Client authentication failed"

_JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_OWN_TYPE = "client-authentication+jwt"
#: How far ahead `exp` may lie, in seconds: what widespread libraries ask for by themselves
#: (CA-3, docs/decisions/0011).
_LONGEST = 3600


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a client asserts about itself; nothing is proven before `find_fault` finds none."""

    client_id: str
    received: Received


def read_assertion(issuer: Issuer, path: str, params: Parameters) -> Assertion:
    """
    Read the assertion in *params* as far as that takes no client; *path* is where it was sent.

    Raises `InvalidClient` for what no client could have proven itself with.
    """
    if params.get("client_assertion_type") != _JWT_BEARER:
        raise InvalidClient("client_assertion_type is not the one of a JWT")
    received = receive(params["client_assertion"])
    if received is None:
        raise InvalidClient("client_assertion is not a signed JWT")
    if received.alg not in CLIENT_ALGORITHMS or not _may_be_an_assertion(received.typ):
        raise InvalidClient("client_assertion has an algorithm or type that is refused")
    claims = received.claims
    client_id = claims.get("sub")
    if not isinstance(client_id, str) or not client_id or claims.get("iss") != client_id:
        raise InvalidClient("iss and sub of client_assertion must both be the client_id")
    if params.get("client_id", client_id) != client_id:
        raise InvalidClient("client_id is not the client that authenticated")
    _check_purpose(issuer, path, claims)
    return Assertion(client_id, received)


def _may_be_an_assertion(typ: str) -> bool:
    """Whether it claims no other purpose: "x+jwt" is how a kind of JWT calls itself (RFC8725)."""
    return typ == _OWN_TYPE or not (typ.endswith("+jwt") or typ == "?")


def _check_purpose(issuer: Issuer, path: str, claims: Mapping[str, Any]) -> None:
    """Check whom it is for and when: here, within the hour; and that it can be told from others."""
    here = {issuer.url, issuer.url + paths.TOKEN, issuer.url + path}
    if here.isdisjoint(audience_of(claims)):
        raise InvalidClient("aud of client_assertion is not this provider")
    if not is_current(claims, longest=_LONGEST):
        raise InvalidClient("client_assertion is expired, not valid yet or valid for too long")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti:
        raise InvalidClient("jti of client_assertion is missing")


async def find_fault(issuer: Issuer, client: Client | None, assertion: Assertion) -> str:
    """
    What speaks against this assertion, for our log; empty when it proves the *client*.

    None stands for a client that there is not, or that proves itself in another way; finding
    that out takes a signature too. Raises `InvalidClient` when the client's keys cannot be had.
    """
    received = assertion.received
    if client is None:
        _verify_in_vain(issuer, received)
        return "no such client, or one of another method"
    registered = client.token_endpoint_auth_signing_alg
    algs = CLIENT_ALGORITHMS if registered is None else (registered,)
    try:
        keys = await issuer.clients.keys(client, received.kid)
    except Unreachable as error:
        raise InvalidClient(REFUSED, detail=f"no keys: {error}") from None
    if not received.is_signed_by(keys, algs):
        return "not signed by a key of the client, or with another algorithm"
    # Spent only now, or anyone could use up what a client is about to send.
    life = int(received.claims["exp"] - clock.now()) + 2 * LEEWAY
    jti = received.claims["jti"]
    if not await issuer.requests.is_first("client_assertion", client.client_id, jti, life):
        return "seen before"
    return ""


def _verify_in_vain(issuer: Issuer, received: Received) -> None:
    """Take the time that a client's key would take, with keys of our own."""
    keys = (public_members(key.jwk, received.alg) for key in issuer.keys.published)
    kid = received.header.get("kid")
    received.is_signed_by([{**key, "kid": kid} for key in keys if key], CLIENT_ALGORITHMS)
