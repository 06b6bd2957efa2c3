"""
Taking a tenant's rows, a batch at a time, and certifying that they are gone (BEY-6, CR-9).

Run by the worker, as often as it is interrupted: each batch is its own transaction with its count,
so nothing is counted twice and nothing is left. The data key goes first: from then on no secret of
the tenant can be read, from a backup neither.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from insula import __version__
from insula.audit import service as audit
from insula.audit.models import SYSTEM, Event
from insula.deletion import store
from insula.deletion.models import Deletion
from insula.kernel.clock import now
from insula.kernel.crypto import Envelope
from insula.keys import service as keys
from insula.tenancy.db import Platform, Tenant, raise_version, rebind

CERTIFICATE_TYPE = "insula-erasure+jwt"
_BATCH = 1000
#: Of the time that a batch took, how long the database is then left to others.
_REST = 1.0


async def run(platform: Platform, home: Tenant, envelope: Envelope, subject: UUID) -> bool:
    """
    Purge a tenant whose deletion is due; whether it is gone now. *home* is `_platforms`.

    A paused one is left as it is. What a sweep was taking from a batch at the same time, or what
    was written meanwhile, makes a table look empty that is not: then all are gone over once more.
    Raises `Unavailable`; then the next run goes on.
    """
    deletion = await _begin(platform, subject)
    if deletion is None:
        return False
    async with platform.within(subject) as db:
        order = await store.tables(db)
    while True:
        taken = [await _empty(platform, subject, table) for table in order]
        if await _certify(platform, home, envelope, subject):
            return True
        if not any(taken):
            return False


async def _begin(platform: Platform, subject: UUID) -> Deletion | None:
    """The deletion, marked as begun and estimated; None when there is nothing to do now."""
    async with platform.within(subject) as db:
        deletion = await store.open_of(db, subject)
        if deletion is None or deletion.paused_at or not await store.is_due(db, deletion.id):
            return None
        if deletion.started_at is None:
            await store.mark(db, deletion.id, "started_at")
            key = await store.data_key(db)
            await audit.record(
                db, Event("tenant.updated", SYSTEM, target_type="tenant", target_id=deletion.slug,
                          metadata={"purge": "begun", "sealed_with": key}),
            )  # fmt: skip
    async with platform.within(subject) as db:  # the policies show the rows from here on
        if not deletion.estimate:
            await store.estimate(db, subject, deletion.id, await store.tables(db))
    return deletion


async def _empty(platform: Platform, subject: UUID, table: str) -> int:
    """Batches of one table, until one is not full; how many rows."""
    taken = 0
    while True:
        started = time.monotonic()
        n = await _take(platform, subject, table)
        taken += n
        if n < _BATCH:
            return taken
        await asyncio.sleep((time.monotonic() - started) * _REST)


async def _take(platform: Platform, subject: UUID, table: str) -> int:
    """One batch of one table; how many rows."""
    async with platform.within(subject) as db:
        deletion = await store.open_of(db, subject)
        if deletion is None or deletion.paused_at:
            return 0
        return await store.purge(db, subject, deletion.id, table, _BATCH)


async def _certify(platform: Platform, home: Tenant, envelope: Envelope, subject: UUID) -> bool:
    """Take the line of the registry and sign what was done."""
    ring = (await keys.load(home, envelope)).ring
    key = ring.signing.get("ES256") or next(iter(ring.signing.values()))
    async with platform.within(subject) as db:
        deletion = await store.open_of(db, subject)
        if deletion is None or deletion.paused_at:
            return False
        await raise_version(db, "tenant")  # heard by every process: it forgets the tenant
        if not await store.purge_tenant(db, subject):
            return False
        certificate = await key.issue(CERTIFICATE_TYPE, _claims(home, deletion))
        await store.finish(db, deletion.id, certificate)
        await rebind(db, home.id)
        details = {"id": str(subject), "rows": deletion.rows_deleted}
        await audit.record(
            db, Event("tenant.purged", SYSTEM, target_type="tenant", target_id=deletion.slug,
                      metadata=details),
        )  # fmt: skip
    return True


def _claims(home: Tenant, deletion: Deletion) -> Mapping[str, Any]:
    started = deletion.started_at.timestamp() if deletion.started_at else now()
    return {
        "iss": home.issuer,
        "iat": int(now()),
        "jti": str(deletion.id),
        "sub": str(deletion.subject),
        "slug": deletion.slug,
        "requested_at": int(deletion.requested_at.timestamp()),
        "started_at": int(started),
        "finished_at": int(now()),
        "rows": dict(sorted(deletion.deleted.items())),
        "data_key_destroyed": deletion.deleted.get("tenant_data_keys", 0) > 0,
        "release": __version__,
    }
