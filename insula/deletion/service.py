"""Scheduling a deletion, taking it back, holding it and looking at it."""

from datetime import datetime
from uuid import UUID

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.config_overrides import service as config_overrides
from insula.deletion import store
from insula.deletion.errors import NoDeletion, TooLate
from insula.deletion.models import Deletion
from insula.deletion.settings import Deployment
from insula.jobs.queue import enqueue
from insula.tenancy.db import Connection, Platform, Row, raise_version, rebind
from insula.tenants import service as tenants


async def schedule(
    platform: Platform, slug: str, *, reason: str = "", actor: Actor = SYSTEM
) -> datetime:
    """
    End a tenant's access at once and let it be purged after the grace; when that begins.

    Raises `NoSuchTenant`, `TenantProtected`, `Conflict` when it is being deleted already.
    """
    async with platform.transaction() as db:
        row = await tenants.put_away(db, slug)
        days = await _grace_days(db)
        by = {"type": actor.type, "id": actor.id}
        due = await store.insert(db, row, reason.strip()[:500], by, days)
        details = {"due_at": due.isoformat(), "previous": row.status, "reason": reason}
        await _audit(db, "tenant.deletion_scheduled", slug, actor, details)
        await raise_version(db, "tenant")
    return due


async def grace_days(platform: Platform) -> int:
    """For how many days a deletion that is asked for now can be undone."""
    async with platform.transaction() as db:
        return await _grace_days(db)


async def _grace_days(db: Connection) -> int:
    layers = await config_overrides.load_in(db)
    return config_overrides.resolve(Deployment, layers).tenant_delete_grace_days


async def undo(platform: Platform, slug: str, *, actor: Actor = SYSTEM) -> str:
    """
    Take a deletion back; the status that the tenant has again.

    Raises `NoSuchTenant`, `NoDeletion`, `TooLate` once the purge has begun.
    """
    async with platform.transaction() as db:
        row, deletion = await _open(db, slug)
        if not deletion.may_be_undone:
            raise TooLate("The purge has begun; what is gone cannot be brought back.")
        status = await store.status_before(db, deletion.id)
        await store.mark(db, deletion.id, "undone_at")
        await tenants.bring_back(db, row.id, status)
        await _audit(db, "tenant.deletion_undone", slug, actor, {"new": status})
        await raise_version(db, "tenant")
    return status


async def pause(platform: Platform, slug: str, *, actor: Actor = SYSTEM) -> None:
    """Let a purge rest after its present batch. Raises `NoSuchTenant`, `NoDeletion`."""
    async with platform.transaction() as db:
        _, deletion = await _open(db, slug)
        if deletion.paused_at is None:
            await store.mark(db, deletion.id, "paused_at")
            await _audit(db, "tenant.updated", slug, actor, {"purge": "paused"})


async def resume(platform: Platform, slug: str, *, actor: Actor = SYSTEM) -> None:
    """Let it go on. Raises `NoSuchTenant`, `NoDeletion`."""
    async with platform.transaction() as db:
        row, deletion = await _open(db, slug)
        if deletion.paused_at is not None:
            await store.unpause(db, deletion.id)
            await _audit(db, "tenant.updated", slug, actor, {"purge": "resumed"})
            await enqueue_purge(db, row.id)


async def find(platform: Platform, slug: str) -> Deletion:
    """The latest deletion of the tenant that has or had the slug. Raises `NoDeletion`."""
    async with platform.transaction() as db:
        found = await store.newest_of(db, slug)
    if found is None:
        raise NoDeletion("This tenant is not being deleted.")
    return found


async def page(
    platform: Platform, *, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[Deletion]:
    """Deletions, newest first, whatever became of them."""
    async with platform.transaction() as db:
        return await store.page(db, before, limit)


async def queue_due(platform: Platform) -> None:
    """Queue the purge of each tenant whose time has come, and of each that was interrupted."""
    async with platform.transaction() as db:
        subjects = await store.due(db, 100)
    for subject in subjects:
        async with platform.within(subject) as db:
            await enqueue_purge(db, subject)


async def enqueue_purge(db: Connection, subject: UUID) -> None:
    await rebind(db, subject)
    await enqueue(db, "deletion.purge", once=f"deletion.purge:{subject}")


async def _open(db: Connection, slug: str) -> tuple[Row, Deletion]:
    """The tenant and its deletion, both held, and the transaction bound to it."""
    row = await tenants.hold(db, slug)
    deletion = await store.open_of(db, row.id)
    if deletion is None:
        raise NoDeletion("This tenant is not being deleted.")
    await rebind(db, row.id)
    return row, deletion


async def _audit(
    db: Connection, event: str, slug: str, actor: Actor, details: dict[str, object]
) -> None:
    await audit.record(
        db, Event(event, actor, target_type="tenant", target_id=slug, metadata=details)
    )
