"""
What our tokens say.

An access token names the issue that it came from in its `jti`, so that whoever asks about
it later finds the living record behind the signature. An id_token speaks to one client
about one sign-in. Neither is ever accepted in place of the other: `typ` tells them apart.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from insula.kernel import clock
from insula.kernel.ids import PREFIXES, Kind, new_secret
from insula.oidc.artefacts import ActiveToken, NewAccess, StoredCode, StoredRefresh
from insula.oidc.errors import TemporarilyUnavailable
from insula.oidc.features import claims, scopes
from insula.oidc.features.resources import Target
from insula.oidc.issuer import Issuer
from insula.oidc.jose import ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE, audience_of
from insula.oidc.models import Client, Person, Scopes, Session
from insula.oidc.signing import SigningKey, compact_json, left_half_hash


def _signing_key(issuer: Issuer, alg: str) -> SigningKey:
    """The issuer's active key of an algorithm that a client is registered with."""
    key = issuer.keys.signing.get(alg)
    if key is None:
        raise TemporarilyUnavailable(
            "There is no key for the algorithm of this client", detail=f"no active {alg} key"
        )
    return key


@dataclass(frozen=True, slots=True)
class Statement:
    """What an id_token speaks of: a sign-in, its person, and what was asked to be told."""

    session: Session
    person: Person
    claims: str
    auth_time_wanted: bool
    nonce: str | None = None

    @classmethod
    def of(cls, stored: StoredCode | StoredRefresh) -> "Statement":
        nonce = stored.nonce if isinstance(stored, StoredCode) else None
        return cls(stored.session, stored.person, stored.claims, stored.auth_time_wanted, nonce)


async def mint_access_token(  # noqa: PLR0913  (what a token is about, and for whom)
    issuer: Issuer,
    client: Client,
    issue_id: UUID,
    target: Target,
    session: Session | None,
    *,
    jkt: str | None = None,
    longest: int | None = None,
    act: Mapping[str, Any] | None = None,
    subject: str | None = None,
) -> tuple[str, NewAccess]:
    """
    Make an access token for *target*, for a person's session or for the client itself.

    *jkt* is the thumbprint of the key it is bound to (DPOP-6.1), *longest* a limit to its life in
    seconds, *act* who acts for the person (RFC8693-4.1), *subject* another client that the token
    is about.
    """
    resource = target.resource
    is_opaque = (
        client.access_token_format if resource is None else resource.token_format
    ) == "opaque"
    expires_in = _life(issuer, target, session, is_opaque=is_opaque)
    if longest is not None:
        expires_in = min(expires_in, longest)
    audience = _audience(issuer, target)
    access = NewAccess(issue_id, target.scopes, expires_in, audience=audience, dpop_jkt=jkt)
    if is_opaque:
        token = new_secret(Kind.ACCESS_TOKEN)
        return token, replace(access, opaque=token)
    now = int(clock.now())
    says: dict[str, Any] = {
        "iss": issuer.url,
        "exp": now + expires_in,
        "aud": audience[0] if len(audience) == 1 else audience,
        "sub": _subject(issuer, client, session, subject),
        "client_id": client.client_id,
        "iat": now,
        "jti": f"{issue_id.hex}.{secrets.token_urlsafe(16)}",
    }
    if target.scopes:
        says["scope"] = scope_string(issuer, target.scopes)
    if session is not None:
        says["auth_time"] = session.auth_time
        says |= _how(session)
    if jkt is not None:
        says["cnf"] = {"jkt": jkt}
    if act is not None:
        says["act"] = act
    key = _signing_key(
        issuer, client.access_token_alg if resource is None else resource.signing_alg
    )
    return await key.issue(ACCESS_TOKEN_TYPE, says), access


def _subject(issuer: Issuer, client: Client, session: Session | None, other: str | None) -> str:
    if session is None:
        return other or client.client_id
    return issuer.subject(client, session.user_id)


def _audience(issuer: Issuer, target: Target) -> tuple[str, ...]:
    if target.resource is None:
        return (issuer.url,)
    if target.resource.with_userinfo:  # RS-5
        return (target.resource.identifier, issuer.url)
    return (target.resource.identifier,)


def _life(issuer: Issuer, target: Target, session: Session | None, *, is_opaque: bool) -> int:
    """How long an access token lives, in seconds; some scopes bear less than others."""
    usual = _usual_life(issuer, target, session, is_opaque=is_opaque)
    longest = {} if target.resource is None else target.resource.longest_lives
    return min(usual, *(longest.get(scope, usual) for scope in target.scopes), usual)


def _usual_life(issuer: Issuer, target: Target, session: Session | None, *, is_opaque: bool) -> int:
    """How long an access token lives, in seconds: as its API says, or the issuer."""
    lives = issuer.lifetimes
    if target.resource is not None and target.resource.access_token_lifetime is not None:
        return target.resource.access_token_lifetime
    if session is None:
        return lives.client_credentials
    return lives.access_token_opaque if is_opaque else lives.access_token_jwt


async def mint_id_token(
    issuer: Issuer,
    client: Client,
    about: Statement,
    granted: Scopes,
    access_token: str | None,
) -> str:
    """
    Say to the client who signed in and how (OIDCC-2).

    Without an access token it holds what the scopes stand for, since nothing else can tell
    (OIDCC-5.4).
    """
    key = _signing_key(issuer, client.id_token_signed_response_alg)
    session, person = about.session, about.person
    now = int(clock.now())
    says = claims.by_name(person.claims, about.claims, "id_token", client, issuer.scopes)
    if client.claims_in_id_token or access_token is None:
        says |= claims.of_scopes(person.claims, granted, issuer.scopes)
    says |= {
        "iss": issuer.url,
        "sub": issuer.subject(client, session.user_id),
        "aud": client.client_id,
        "exp": now + issuer.lifetimes.id_token,
        "iat": now,
        **_how(session),
    }
    if access_token is not None:
        says["at_hash"] = left_half_hash(key.alg, access_token)
    if about.auth_time_wanted:
        says["auth_time"] = session.auth_time
    if about.nonce is not None:
        says["nonce"] = about.nonce
    if client.wants_sid and session.sid:
        says["sid"] = session.sid
    return await key.issue(ID_TOKEN_TYPE, says)


async def sign_for(issuer: Issuer, client: Client, alg: str, says: Mapping[str, Any]) -> str:
    """Sign an answer to one client (OIDCC-5.3.2)."""
    whole = {**says, "iss": issuer.url, "aud": client.client_id}
    return await _signing_key(issuer, alg).issue(ID_TOKEN_TYPE, whole)


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
        # a refresh may have narrowed it, and a scope may have become another one since
        scopes=issue.scopes.intersection(says.get("scope", "").split()),
        person=issue.person,
        expires_at=int(says["exp"]),
        issued_at=int(says["iat"]),
        auth_time=issue.auth_time,
        acr=issue.acr,
        amr=issue.amr,
        claims=issue.claims,
        jti=says["jti"],
        audience=audience_of(says),
        dpop_jkt=_thumbprint(says),
        act=issue.act,
        may_act=_mapping(says.get("may_act")),
        about=issue.about,
    )


def _mapping(value: object) -> Mapping[str, Any] | None:
    return value if isinstance(value, dict) else None


def _thumbprint(says: Mapping[str, Any]) -> str | None:
    cnf = says.get("cnf")
    jkt = cnf.get("jkt") if isinstance(cnf, dict) else None
    return jkt if isinstance(jkt, str) else None


def issue_of(jti: str) -> UUID | None:
    """Read the issue out of a `jti`: its first part, in hexadecimal."""
    try:
        return UUID(hex=jti.partition(".")[0])
    except ValueError:
        return None


def answer(  # noqa: PLR0913  (what an answer may hold, all by name but the first four)
    issuer: Issuer,
    access_token: str,
    access: NewAccess,
    asked: Scopes,
    *,
    refresh_token: str | None = None,
    id_token: str | None = None,
    issued_token_type: str | None = None,
) -> bytes:
    """
    Write the token answer (RFC6749-5.1).

    It names the scopes also when none are left of those that were *asked* for (AZ-7).
    """
    says: dict[str, Any] = {
        "access_token": access_token,
        "token_type": "Bearer" if access.dpop_jkt is None else "DPoP",
        "expires_in": access.expires_in,
    }
    if access.scopes or asked:
        says["scope"] = scope_string(issuer, access.scopes)
    if refresh_token is not None:
        says["refresh_token"] = refresh_token
    if id_token is not None:
        says["id_token"] = id_token
    if issued_token_type is not None:
        says["issued_token_type"] = issued_token_type
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
