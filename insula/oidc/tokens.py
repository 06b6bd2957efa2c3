"""
What our tokens say.

An access token names the issue that it came from in its `jti`, so that whoever asks about
it later finds the living record behind the signature. An id_token speaks to one client
about one sign-in. Neither is ever accepted in place of the other: `typ` tells them apart.
"""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from insula.kernel import clock
from insula.kernel.ids import PREFIXES, Kind, new_secret
from insula.oidc.errors import TemporarilyUnavailable
from insula.oidc.features import claims, scopes
from insula.oidc.issuer import Issuer
from insula.oidc.jose import ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE
from insula.oidc.models import (
    ActiveToken,
    Client,
    NewAccess,
    Scopes,
    Session,
    StoredCode,
    StoredRefresh,
)
from insula.oidc.signing import SigningKey, compact_json, left_half_hash


def _signing_key(issuer: Issuer, alg: str) -> SigningKey:
    """The issuer's active key of an algorithm that a client is registered with."""
    key = issuer.keys.signing.get(alg)
    if key is None:
        raise TemporarilyUnavailable(
            "There is no key for the algorithm of this client", detail=f"no active {alg} key"
        )
    return key


async def mint_access_token(
    issuer: Issuer, client: Client, issue_id: UUID, granted: Scopes, session: Session | None
) -> tuple[str, NewAccess]:
    """Make an access token, for a person's session or for the client itself."""
    is_opaque = client.access_token_format == "opaque"
    lives = issuer.lifetimes
    expires_in = lives.access_token_opaque if is_opaque else lives.access_token_jwt
    if session is None:
        expires_in = lives.client_credentials
    if is_opaque:
        token = new_secret(Kind.ACCESS_TOKEN)
        return token, NewAccess(issue_id, granted, expires_in, opaque=token)
    now = int(clock.now())
    says: dict[str, Any] = {
        "iss": issuer.url,
        "exp": now + expires_in,
        "aud": issuer.url,
        "sub": client.client_id if session is None else str(session.user_id),
        "client_id": client.client_id,
        "iat": now,
        "jti": f"{issue_id.hex}.{secrets.token_urlsafe(16)}",
    }
    if granted:
        says["scope"] = scope_string(issuer, granted)
    if session is not None:
        says["auth_time"] = session.auth_time
        says |= _how(session)
    key = _signing_key(issuer, client.access_token_alg)
    return await key.issue(ACCESS_TOKEN_TYPE, says), NewAccess(issue_id, granted, expires_in)


async def mint_id_token(
    issuer: Issuer,
    client: Client,
    stored: StoredCode | StoredRefresh,
    granted: Scopes,
    access_token: str,
) -> str:
    """Say to the client who signed in and how (OIDCC-2)."""
    key = _signing_key(issuer, client.id_token_signed_response_alg)
    session, person = stored.session, stored.person
    now = int(clock.now())
    says = claims.by_name(person.claims, stored.claims, "id_token")
    if client.claims_in_id_token:
        says |= claims.of_scopes(person.claims, granted, issuer.scopes)
    says |= {
        "iss": issuer.url,
        "sub": str(session.user_id),
        "aud": client.client_id,
        "exp": now + issuer.lifetimes.id_token,
        "iat": now,
        "at_hash": left_half_hash(key.alg, access_token),
        **_how(session),
    }
    if stored.auth_time_wanted:
        says["auth_time"] = session.auth_time
    if isinstance(stored, StoredCode) and stored.nonce is not None:
        says["nonce"] = stored.nonce
    return await key.issue(ID_TOKEN_TYPE, says)


def is_jwt(token: str) -> bool:
    return token.count(".") == 2  # noqa: PLR2004  (a JWS has three parts)


def is_refresh_token(token: str) -> bool:
    """Tell where to look. What a token is, is decided by the digest it is kept under."""
    return token.startswith(PREFIXES[Kind.REFRESH_TOKEN])


async def find_token(issuer: Issuer, token: str) -> ActiveToken | None:
    """Find an access or refresh token of this issuer that is alive now. One trip at most."""
    if is_refresh_token(token):
        return await issuer.tokens.find_refresh_token(token)
    return await find_access_token(issuer, token)


async def find_access_token(issuer: Issuer, token: str) -> ActiveToken | None:
    """Find an access token of this issuer that is valid and alive now. One trip at most."""
    if not is_jwt(token):
        return await issuer.tokens.find_access_token(token)
    says = issuer.verifier.access_token(token)
    issue_id = None if says is None else issue_of(says["jti"])
    if says is None or issue_id is None:
        return None
    issue = await issuer.tokens.find_issue(issue_id, says["jti"])
    if issue is None or issue.client_id != says["client_id"]:
        return None
    return ActiveToken(
        kind="access_token",
        issue_id=issue_id,
        client_id=issue.client_id,
        scopes=frozenset(says.get("scope", "").split()),  # a refresh may have narrowed it
        person=issue.person,
        expires_at=int(says["exp"]),
        issued_at=int(says["iat"]),
        auth_time=issue.auth_time,
        acr=issue.acr,
        amr=issue.amr,
        claims=issue.claims,
        jti=says["jti"],
    )


def issue_of(jti: str) -> UUID | None:
    """Read the issue out of a `jti`: its first part, in hexadecimal."""
    try:
        return UUID(hex=jti.partition(".")[0])
    except ValueError:
        return None


def answer(
    issuer: Issuer,
    access_token: str,
    access: NewAccess,
    *,
    refresh_token: str | None = None,
    id_token: str | None = None,
) -> bytes:
    """Write the token answer (RFC6749-5.1)."""
    says: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": access.expires_in,
    }
    if access.scopes:
        says["scope"] = scope_string(issuer, access.scopes)
    if refresh_token is not None:
        says["refresh_token"] = refresh_token
    if id_token is not None:
        says["id_token"] = id_token
    return compact_json(says).encode()


def scope_string(issuer: Issuer, granted: Scopes) -> str:
    return " ".join(scopes.in_order(granted, issuer.scopes))


def _how(session: Session) -> Mapping[str, Any]:
    """Tell how the person signed in."""
    how: dict[str, Any] = {}
    if session.acr:
        how["acr"] = session.acr
    if session.amr:
        how["amr"] = session.amr
    return how
