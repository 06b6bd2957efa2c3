"""Finding the device behind a code, and deciding on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from insula.devices import store
from insula.devices.codes import UserCodes, read
from insula.devices.errors import NoSuchCode, TooManyCodes
from insula.kernel.ids import Kind, digest
from insula.sign_in import consents
from insula.sign_in.attempts.service import prefix
from insula.sign_in.models import SignedIn
from insula.sign_in.service import Here
from insula.tenancy.db import Row, Tenant

#: Wrong codes of one person, of one address and of a whole tenant before the form stops (DV-4).
_MOST = {"device_who": 10, "device_ip": 10, "device": 1000}
_WINDOW = timedelta(minutes=10)
_OPTIONAL = frozenset({"offline_access"})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that waits, and what it asks for."""

    client: UUID
    client_id: str
    application: str
    application_uri: str
    policy_uri: str
    tos_uri: str
    verified: bool
    first_party: bool
    scopes: tuple[str, ...]
    optional_scopes: tuple[str, ...]
    texts: Mapping[str, tuple[str, str]]
    #: Names of the APIs that it wants to talk to.
    audiences: tuple[str, ...]
    ip: str
    user_agent: str
    at: datetime


async def is_on(tenant: Tenant) -> bool:
    """Whether devices are let in at all, as the tenant and the platform have decided."""
    return await store.is_on(tenant)


async def find(
    tenant: Tenant, here: Here, person: SignedIn, codes: UserCodes, typed: str
) -> tuple[str, Waiting]:
    """
    The code that was typed, in plain form, and the device behind it.

    Every try is counted before the code is looked at, and a right one taken back. Raises
    `NoSuchCode`, `TooManyCodes`.
    """
    counters = _counters(tenant, here, person)
    counts = await store.count(tenant, counters, _WINDOW, _MOST)
    waits = [left for kind, (n, left) in counts.items() if n > _MOST[kind]]
    if waits:
        raise TooManyCodes(int(max(waits)) + 1)
    code = read(typed)
    row = await store.find(tenant, codes.digest(tenant.id, code)) if code else None
    if code is None or row is None:
        raise NoSuchCode("No device waits under this code.")
    async with tenant.transaction() as db:
        await store.uncount(db, counters)
    return code, _waiting(row)


def _counters(tenant: Tenant, here: Here, person: SignedIn) -> list[tuple[str, bytes]]:
    def subject(*parts: str) -> bytes:
        return digest(Kind.ATTEMPT, tenant.id, "\0".join(("device", *parts)))

    return [
        ("device_who", subject("who", str(person.user_id))),
        ("device_ip", subject("ip", prefix(here.actor.ip or ""))),
        ("device", subject("tenant")),
    ]


def _waiting(row: Row) -> Waiting:
    metadata = row.metadata
    scopes = tuple(row.scopes)
    return Waiting(
        client=row.client,
        client_id=row.client_id,
        application=row.name,
        application_uri=metadata.get("client_uri", ""),
        policy_uri=metadata.get("policy_uri", ""),
        tos_uri=metadata.get("tos_uri", ""),
        verified=row.is_verified,
        first_party=metadata.get("consent") == "skip",
        scopes=scopes,
        optional_scopes=tuple(scope for scope in scopes if scope in _OPTIONAL),
        texts={name: (text[0], text[1]) for name, text in row.texts.items()},
        audiences=tuple(row.audiences),
        ip=row.ip or "",
        user_agent=row.user_agent or "",
        at=row.created_at,
    )


async def decide(  # noqa: PLR0913  (who decides what on what)
    tenant: Tenant,
    here: Here,
    person: SignedIn,
    codes: UserCodes,
    code: str,
    waiting: Waiting,
    allowed: tuple[str, ...] | None,
) -> None:
    """
    Let the device in with what is *allowed* of its scopes, or refuse it (None).

    Raises `NoSuchCode` when it does not wait any more.
    """
    code_hash = codes.digest(tenant.id, code)
    required = set(waiting.scopes) - set(waiting.optional_scopes)
    kept = [s for s in waiting.scopes if s in required or s in (allowed or ())]
    async with tenant.transaction() as db:
        await consents.record_decision(
            db,
            here,
            person,
            waiting.client,
            waiting.application,
            waiting.scopes,
            None if allowed is None else kept,
            consents.consent_life(tenant),
            device=True,
        )
        if allowed is None:
            done = await store.deny(db, code_hash)
        else:
            done = await store.approve(db, code_hash, person.session_id, kept)
        if done is None:
            raise NoSuchCode("No device waits under this code.")
