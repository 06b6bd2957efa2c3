"""
What a tenant's keys do by themselves: published, promoted and retired, each at its time.

The times follow what the tenant and the platform decide. They are made anew at the next look of
the job and not at the save, since one save of the platform is for every tenant. A look also notes
how long a token lives at most, so that an active key carries the longest life that held while it
signed. A life that was raised and lowered again between two looks is missed; the shortest overlap
there is covers it for all tokens but an ID token of more than two hours.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Event
from insula.config_overrides import service as config_overrides
from insula.config_overrides.models import Layers
from insula.kernel.crypto import Envelope
from insula.keys import service, store
from insula.keys.models import LOOK_AGAIN, SigningKeyRecord, overlap, signs_for
from insula.keys.settings import KeyRotation
from insula.oidc.signing import GeneratedKey
from insula.tenancy.db import Connection, Tenant, raise_version

#: How many seconds what a tenant's keys sign may live at most, by what it and the platform decide.
LongestLife = Callable[[Layers], int]


async def advance(tenant: Tenant, envelope: Envelope, longest: LongestLife) -> list[str]:
    """
    Do what is due for a tenant's keys: publish ahead of the interval's end, promote, retire.

    A promotion waits for important applications that are behind, as long as the tenant's setting
    says and no longer. Repeating it changes nothing; two processes at once wait for each other.
    Returns what was done, in words.
    """
    wanted = await _look(tenant, longest)
    prepared = {alg: key for alg in wanted for key in await service.prepare([alg])}
    done: list[str] = []
    async with tenant.transaction() as db:
        keys, rotation = await store.lock(db), await service.rotation_in(db)
        for key in await store.due(db):
            if key.state == "next":
                done += await _promote(db, keys, key, rotation)
            elif key.state == "retiring":
                await store.set_state(db, key.kid, "retired")
                await service.record(db, "key.retired", key.kid, SYSTEM, alg=key.alg)
                done.append(f"retired {key.kid}")
            elif key.state == "active":
                done += await _publish(db, envelope, keys, key, prepared, rotation)
        if done:
            await raise_version(db, "keys")
    return done


async def _look(tenant: Tenant, longest: LongestLife) -> list[str]:
    """Make the times of keys anew where they must be; the algorithms that need a next key."""
    async with tenant.transaction() as db:
        keys = await store.lock(db)
        if any(key.stale for key in keys):
            layers = await config_overrides.load_in(db)
            rotation = config_overrides.resolve(KeyRotation, layers)
            await _plan(db, keys, rotation, longest(layers))
        upcoming = {key.alg for key in keys if key.state == "next"}
        due = {key.alg for key in await store.due(db) if key.state == "active"}
    return sorted(due - upcoming)


async def _plan(
    db: Connection, keys: Sequence[SigningKeyRecord], rotation: KeyRotation, longest: int
) -> None:
    upcoming = {key.alg for key in keys if key.state == "next"}
    for key in keys:
        life = key.longest_life
        if key.state == "active":
            life = max(life or 0, longest)
        elif key.state not in ("next", "retiring") or key.waiting_since is not None:
            continue
        await store.plan(db, key.kid, _due_at(key, upcoming, rotation), life)


def _due_at(key: SigningKeyRecord, upcoming: set[str], rotation: KeyRotation) -> datetime | None:
    """When the next step of a key is due; None for one that signs until its successor does."""
    if key.state == "next":
        return key.published_at + timedelta(seconds=rotation.lead_seconds)
    if key.state == "retiring" and key.retiring_at is not None:
        return key.retiring_at + overlap(key.longest_life, rotation.overlap_seconds)
    if key.alg in upcoming or key.activated_at is None:
        return None
    return key.activated_at + signs_for(key.kid, rotation.interval_days)


async def _publish(  # noqa: PLR0913  (what a published key is made of)
    db: Connection,
    envelope: Envelope,
    keys: Sequence[SigningKeyRecord],
    key: SigningKeyRecord,
    prepared: Mapping[str, GeneratedKey],
    rotation: KeyRotation,
) -> list[str]:
    await store.postpone(db, key.kid)
    if key.alg not in prepared or any((k.alg, k.state) == (key.alg, "next") for k in keys):
        return []
    fresh = prepared[key.alg]
    lead = timedelta(seconds=rotation.lead_seconds)
    await service.insert_next(db, envelope, fresh, lead, SYSTEM)
    return [f"published {fresh.kid}"]


async def _promote(
    db: Connection, keys: Sequence[SigningKeyRecord], key: SigningKeyRecord, rotation: KeyRotation
) -> list[str]:
    behind = await store.behind(db, key.kid, service.MOST_NAMED)
    patience = timedelta(seconds=rotation.lead_seconds) + timedelta(days=rotation.wait_days)
    if behind and not await store.is_past(db, key.kid, "published_at", patience):
        await _wait(db, key, behind, key.published_at + patience)
        return []
    details = {"behind": behind, "waited_days": rotation.wait_days} if behind else {}
    await service.activate(db, keys, key, rotation, SYSTEM, **details)
    return [f"promoted {key.kid}"]


async def _wait(
    db: Connection, key: SigningKeyRecord, behind: Sequence[str], until: datetime
) -> None:
    await store.wait(db, key.kid, behind, LOOK_AGAIN, until)
    if key.waiting_since is not None:
        return
    details = {"alg": key.alg, "behind": list(behind), "until": until.isoformat()}
    await audit.record(
        db, Event("key.promotion_delayed", SYSTEM, "warning", target_type="signing_key",
                  target_id=key.kid, metadata=details),
    )  # fmt: skip
