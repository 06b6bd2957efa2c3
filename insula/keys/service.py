"""Making keys, moving them through their phases, and opening them for signing."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.config_overrides import service as config_overrides
from insula.data_keys import service as data_keys
from insula.kernel.crypto import Envelope, TenantCipher
from insula.kernel.errors import Unavailable
from insula.keys import store
from insula.keys.errors import (
    AdoptionBehind,
    AlreadyPublished,
    AlreadyRetired,
    LastSigningKey,
    NoSuchKey,
    TooEarly,
)
from insula.keys.models import (
    BIRTH_ALGORITHMS,
    SHORTEST_LEAD,
    SigningKeyRecord,
    overlap,
    purpose,
    signs_for,
)
from insula.keys.settings import KeyRotation
from insula.oidc.signing import GeneratedKey, KeyRing, PublicKey, generate_key, load_signing_key
from insula.tenancy.db import Connection, Tenant, raise_version

#: So many applications that are behind are named; the rest waits behind them.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of a tenant, opened, and the tenant version they were read at."""

    ring: KeyRing
    cipher: TenantCipher
    version: int


async def prepare(algorithms: Iterable[str] = BIRTH_ALGORITHMS) -> list[GeneratedKey]:
    """Generate keys off the event loop and before the transaction that stores them."""
    return [await asyncio.to_thread(generate_key, alg) for alg in algorithms]


async def endow(
    db: Connection,
    tenant_id: UUID,
    envelope: Envelope,
    prepared: Sequence[GeneratedKey],
    rotation: KeyRotation,
) -> None:
    """
    Give a tenant that is being made its data key and its first signing keys, active at once.

    Their times follow *rotation* until the key-phases job has looked at them.
    """
    wrapped = envelope.new_data_key(tenant_id)
    await data_keys.keep(db, wrapped)
    await _begin(db, envelope.cipher(tenant_id, wrapped), prepared, rotation)


async def begin(tenant: Tenant, envelope: Envelope, rotation: KeyRotation) -> None:
    """Give a tenant that has a data key its first signing keys, unless it has some that sign."""
    prepared = await prepare()
    async with tenant.transaction() as db:
        if any(key.state == "active" for key in await store.lock(db)):
            return  # another process was first
        await _begin(db, await data_keys.cipher(db, envelope), prepared, rotation)
        await raise_version(db, "keys")


async def _begin(
    db: Connection,
    cipher: TenantCipher,
    prepared: Sequence[GeneratedKey],
    rotation: KeyRotation,
) -> None:
    for key in prepared:
        interval = signs_for(key.kid, rotation.interval_days)
        await store.insert(db, key, _sealed(cipher, key), "active", interval)
        await record(db, "key.published", key.kid, SYSTEM, alg=key.alg, state="active")


def _sealed(cipher: TenantCipher, key: GeneratedKey) -> bytes:
    return cipher.seal(key.pkcs8_der, purpose(key.kid, key.alg))


async def rotation_in(db: Connection) -> KeyRotation:
    """How the keys of the bound tenant rotate, as it stands in the database."""
    return config_overrides.resolve(KeyRotation, await config_overrides.load_in(db))


async def load(tenant: Tenant, envelope: Envelope) -> Keyring:
    """
    The tenant's keys, ready to sign and verify; one trip to the database.

    Only what the envelope has proven authentic is loaded, so it is not validated again.
    Raises `Unavailable` when the tenant has no usable keys: an honest 503, never a wrong answer.
    """
    rows = await store.material(tenant)
    if not rows or rows[0].kid is None:
        raise Unavailable("no signing keys", detail=f"tenant {tenant.slug} has no keys")
    cipher = envelope.cipher(tenant.id, rows[0].wrapped)
    signing = {
        row.alg: load_signing_key(
            row.kid, row.alg, cipher.open(row.sealed, purpose(row.kid, row.alg))
        )
        for row in rows
        if row.state == "active"
    }
    public = [PublicKey(row.kid, row.alg, row.public_jwk, row.state) for row in rows]
    ring = KeyRing(
        signing=signing,
        published=tuple(key for key in public if key.state != "retired"),
        hint_only=tuple(key for key in public if key.state == "retired"),
    )
    return Keyring(ring, cipher, rows[0].version)


async def list_keys(tenant: Tenant) -> list[SigningKeyRecord]:
    """All keys of a tenant, newest first, without their private parts."""
    async with tenant.transaction() as db:
        return await store.all_keys(db)


async def active_algorithms(db: Connection) -> frozenset[str]:
    """What the bound tenant can sign with."""
    return frozenset(key.alg for key in await store.all_keys(db) if key.state == "active")


async def publish(
    tenant: Tenant,
    envelope: Envelope,
    algorithms: Sequence[str] | None = None,
    actor: Actor = SYSTEM,
) -> list[str]:
    """
    Publish one new key for each algorithm as `next`; returns their ids.

    They are promoted by the key-phases job after the lead, or by `promote`. Without
    *algorithms*: one for each that has an active key. Raises `AlreadyPublished`.
    """
    present = await list_keys(tenant)
    active = sorted({key.alg for key in present if key.state == "active"})
    wanted = list(algorithms) if algorithms is not None else active
    prepared = await prepare(wanted)
    async with tenant.transaction() as db:
        keys = await store.lock(db)
        taken = {key.alg for key in keys if key.state == "next"} & set(wanted)
        if taken:
            raise AlreadyPublished(
                f"A next key is published already for {', '.join(sorted(taken))}."
            )
        lead = timedelta(seconds=(await rotation_in(db)).lead_seconds)
        for key in prepared:
            await insert_next(db, envelope, key, lead, actor)
        await raise_version(db, "keys")
    return [key.kid for key in prepared]


async def insert_next(
    db: Connection, envelope: Envelope, key: GeneratedKey, lead: timedelta, actor: Actor
) -> None:
    """Publish a prepared key in a transaction that holds the others."""
    cipher = await data_keys.cipher(db, envelope)
    await store.insert(db, key, _sealed(cipher, key), "next", lead)
    await record(db, "key.published", key.kid, actor, alg=key.alg, state="next")


async def promote(
    tenant: Tenant, kid: str, *, override: str | None = None, actor: Actor = SYSTEM
) -> None:
    """
    Let a published key sign; the one before it becomes `retiring`, in the same transaction.

    Raises `NoSuchKey`; `TooEarly` while a verifier may hold a JWKS without it; `AdoptionBehind`
    while an important application has not been seen to know it, unless *override* says why it
    must be all the same.
    """
    async with tenant.transaction() as db:
        keys = await store.lock(db)
        key = _named(keys, kid)
        if key.state != "next":
            raise NoSuchKey("No next key of that id.")
        if not await store.is_past(db, kid, "published_at", SHORTEST_LEAD):
            raise TooEarly(
                f"The key was published less than {int(SHORTEST_LEAD.total_seconds())} seconds"
                " ago; verifiers may not have seen it."
            )
        behind = await store.behind(db, kid, MOST_NAMED)
        if behind and override is None:
            raise AdoptionBehind(behind)
        details = {"behind": behind, "override": override} if behind else {}
        await activate(db, keys, key, await rotation_in(db), actor, **details)
        await raise_version(db, "keys")


async def activate(
    db: Connection,
    keys: Sequence[SigningKeyRecord],
    key: SigningKeyRecord,
    rotation: KeyRotation,
    actor: Actor,
    **details: object,
) -> None:
    """Let *key* sign in place of the one of its algorithm that does, of *keys*, which are held."""
    before = next((k for k in keys if (k.alg, k.state) == (key.alg, "active")), None)
    await store.activate(db, key, signs_for(key.kid, rotation.interval_days), before)
    if before is not None:
        span = overlap(before.overlap_life, rotation.overlap_seconds)
        await store.due_in(db, before.kid, span)
    await record(db, "key.promoted", key.kid, actor, alg=key.alg, **details)


async def _is_over(db: Connection, key: SigningKeyRecord, rotation: KeyRotation) -> bool:
    """Whether nothing that a key signed can be alive any more."""
    span = overlap(key.longest_life, rotation.overlap_seconds)
    return await store.is_past(db, key.kid, "retiring_at", span)


async def retire_expired(tenant: Tenant, actor: Actor = SYSTEM) -> list[str]:
    """Take keys out of the JWKS whose overlap is over; returns their ids."""
    async with tenant.transaction() as db:
        keys, rotation = await store.lock(db), await rotation_in(db)
        over = [
            key.kid for key in keys if key.state == "retiring" and await _is_over(db, key, rotation)
        ]
        for kid in over:
            await store.set_state(db, kid, "retired")
            await record(db, "key.retired", kid, actor)
        if over:
            await raise_version(db, "keys")
    return over


async def retire(tenant: Tenant, kid: str, actor: Actor = SYSTEM) -> None:
    """
    Take one key out early: a `next` key at once, a `retiring` one when its overlap is over.

    Raises `NoSuchKey`, `AlreadyRetired`, `LastSigningKey` (nothing would sign any more),
    `TooEarly` (tokens that it signed may still live).
    """
    async with tenant.transaction() as db:
        keys, rotation = await store.lock(db), await rotation_in(db)
        key = _named(keys, kid)
        if key.state in ("retired", "revoked"):
            raise AlreadyRetired("The key is retired already.")
        if key.state == "active":
            raise LastSigningKey("The key is the one that signs; rotate first.")
        if key.state == "retiring" and not await _is_over(db, key, rotation):
            raise TooEarly("Tokens that the key signed may still be alive; it retires by itself.")
        await store.set_state(db, kid, "retired")
        if key.state == "next":
            for each in keys:
                if (each.alg, each.state) == (key.alg, "active"):
                    interval = signs_for(each.kid, rotation.interval_days)
                    await store.resume_rotation(db, each.kid, interval)
        await record(db, "key.retired", kid, actor, alg=key.alg)
        await raise_version(db, "keys")


def _named(keys: Sequence[SigningKeyRecord], kid: str) -> SigningKeyRecord:
    for key in keys:
        if key.kid == kid:
            return key
    raise NoSuchKey("No key of that id in this tenant.")


async def backup(tenant: Tenant) -> list[dict[str, Any]]:
    """The rows as they are, private parts sealed: useless without the master key. Audited."""
    async with tenant.transaction() as db:
        rows = await store.sealed_rows(db)
        wrapped = await data_keys.wrapped_key(db)
        await record(db, "key.exported", None, SYSTEM, kids=[row.kid for row in rows])
    return [
        {
            "kid": row.kid,
            "alg": row.alg,
            "state": row.state,
            "public_jwk": row.public_jwk,
            "sealed": row.sealed.hex(),
            "data_key": (wrapped or b"").hex(),
            "published_at": row.published_at.isoformat(),
        }
        for row in rows
    ]


async def public_jwks(tenant: Tenant) -> Mapping[str, Any]:
    """The tenant's public keys as its JWKS shows them."""
    shown = [key for key in await list_keys(tenant) if key.state in ("active", "next", "retiring")]
    order = {"active": 0, "next": 1, "retiring": 2}
    shown.sort(key=lambda key: order[key.state])
    return {"keys": [json.loads(json.dumps(key.public_jwk)) for key in shown]}


async def record(
    db: Connection, event: str, kid: str | None, actor: Actor, **metadata: object
) -> None:
    """Write down what was done with a key."""
    await audit.record(
        db, Event(event, actor, target_type="signing_key", target_id=kid, metadata=metadata)
    )


async def has_data_key(db: Connection) -> bool:
    """Whether the bound tenant has been endowed."""
    return await data_keys.wrapped_key(db) is not None
