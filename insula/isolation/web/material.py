"""What is issued to a canary for one run of the probe: living tokens, a code, a sign-in."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from insula.isolation.web import store
from insula.isolation.web.store import CLIENT_ID, LIFE, Kept
from insula.kernel import clock
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Unavailable
from insula.kernel.ids import Kind, digest, new_secret
from insula.keys import service as keys
from insula.keys.settings import KeyRotation
from insula.oidc.jose import ACCESS_TOKEN_TYPE
from insula.oidc.signing import SigningKey
from insula.resource_servers.builtin import audience
from insula.resource_servers.models import SYSTEM_SCOPES
from insula.sign_in.attempts.service import client_subject
from insula.sign_in.models import PASSWORD_ACR
from insula.tenancy.db import Tenant

BACK: Final = "https://canary.invalid/back"
#: From here come the requests that bring a wrong secret: a place for examples, so it is nobody's.
STRANGER: Final = "192.0.2.1"

_SCOPES: Final = ("openid", "offline_access")
_PROGRAM: Final = (f"{SYSTEM_SCOPES}clients:read", f"{SYSTEM_SCOPES}users:read")
_APPLICATION: Final[Mapping[str, Any]] = {
    "redirect_uris": [BACK],
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
    "scopes": [*_SCOPES, *_PROGRAM],
    "consent": "skip",
}


@dataclass(frozen=True, slots=True)
class Twins:
    """Ids of issues that both canaries have in one run."""

    person: UUID = field(default_factory=uuid4)
    program: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class Material:
    """
    A canary with what it was issued.

    *of_person* and *of_program* are tokens for its management API, *for_other* one that it signed
    for the other's, *opaque* one for userinfo. *user* and *other_client* name things of it.
    """

    canary: Tenant
    host: str
    secret: str = field(repr=False)
    session: str = field(repr=False)
    code: str = field(repr=False)
    opaque: str = field(repr=False)
    refresh: str = field(repr=False)
    of_person: str = field(repr=False)
    of_program: str = field(repr=False)
    for_other: str = field(repr=False)
    user: UUID
    other_client: UUID


async def furnish(canary: Tenant, envelope: Envelope) -> tuple[SigningKey, str]:
    """See to it that a canary has keys and an application; the one, and the other's secret."""
    async with canary.transaction() as db:
        await store.discard_false_keys(db)
    try:
        ring = await keys.load(canary, envelope)
        signing = ring.ring.signing.get("ES256")
    except Unavailable:
        signing = None
    if signing is None:
        await keys.begin(canary, envelope, KeyRotation())
        ring = await keys.load(canary, envelope)
        signing = ring.ring.signing["ES256"]
    # derived and not kept: so it is the same for whoever probes next
    secret = urlsafe_b64encode(ring.cipher.derive("secret of the canary")).decode().rstrip("=")
    async with canary.transaction() as db:
        await store.plant_client(db, _APPLICATION, digest(Kind.CLIENT_SECRET, canary.id, secret))
        kind, subject = client_subject(canary.id, CLIENT_ID, STRANGER)
        await store.expect_failures(db, kind, subject)
    return signing, secret


async def issue(
    canary: Tenant, other: Tenant, host: str, envelope: Envelope, twins: Twins
) -> Material:
    """Issue a canary what one run needs. Raises `Unavailable`."""
    signing, secret = await furnish(canary, envelope)
    session, code = new_secret(Kind.SESSION), new_secret(Kind.CODE)
    refresh, opaque = new_secret(Kind.REFRESH_TOKEN), new_secret(Kind.ACCESS_TOKEN)
    kept = Kept(
        person=twins.person,
        program=twins.program,
        session=uuid4(),
        session_hash=digest(Kind.SESSION, canary.id, session),
        code_hash=digest(Kind.CODE, canary.id, code),
        access_hash=digest(Kind.ACCESS_TOKEN, canary.id, opaque),
        refresh_hash=digest(Kind.REFRESH_TOKEN, canary.id, refresh),
        redirect_uri=BACK,
        audience=canary.issuer,
        scopes=_SCOPES,
        program_scopes=_PROGRAM,
        acr=PASSWORD_ACR,
    )
    found = await store.issue(canary, kept)
    if found is None:
        raise Unavailable("a canary has nobody", detail=canary.slug)
    user, other_client = found

    def token(issue_id: UUID, sub: str, scopes: tuple[str, ...], api: Tenant) -> str:
        now = int(clock.now())
        return signing.jwt(
            ACCESS_TOKEN_TYPE,
            {
                "iss": canary.issuer,
                "exp": now + int(LIFE.total_seconds()),
                "aud": audience(api.issuer),
                "sub": sub,
                "client_id": CLIENT_ID,
                "iat": now,
                "jti": f"{issue_id.hex}.{secrets.token_urlsafe(16)}",
                "scope": " ".join(scopes),
            },
        )

    return Material(
        canary=canary,
        host=host,
        secret=secret,
        session=session,
        code=code,
        opaque=opaque,
        refresh=refresh,
        of_person=token(twins.person, str(user), _SCOPES, canary),
        of_program=token(twins.program, CLIENT_ID, _PROGRAM, canary),
        for_other=token(twins.person, str(user), _SCOPES, other),
        user=user,
        other_client=other_client,
    )
