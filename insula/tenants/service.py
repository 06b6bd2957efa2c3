"""Creating tenants and changing their state; over the platform's door, one transaction each."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from insula.audit.models import SYSTEM, Actor
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Conflict
from insula.keys import service as keys
from insula.keys.settings import KeyRotation
from insula.tenancy.db import Connection, Platform, Row, raise_version, rebind
from insula.tenancy.models import DEFAULT, DEFAULT_TENANT_ID, OPS, PLATFORMS
from insula.tenants import acts, store
from insula.tenants.domains import claims
from insula.tenants.domains.claims import Wish
from insula.tenants.errors import ChangedMeanwhile, SlugTaken, TenantProtected
from insula.tenants.models import (
    FOLLOWS,
    Status,
    check_display_name,
    check_slug,
    normalise_domain,
)

#: What else belongs to a birth, done in its transaction, bound to the new tenant.
Endowment = Callable[[Connection, UUID], Awaitable[None]]


async def create(  # noqa: PLR0913  (each by its name)
    platform: Platform,
    envelope: Envelope,
    rotation: KeyRotation,
    *,
    slug: str,
    display_name: str,
    wish: Wish | None = None,
    base: str | None = None,
    host_needed: bool = True,
    endow: Endowment | None = None,
    actor: Actor = SYSTEM,
) -> UUID:
    """
    Make a tenant with its keys, in one transaction; the keys are generated before it.

    *base* is the installation's base domain, under which hosts are given by slug alone; *wish* a
    domain that it is to have beside.

    Raises `SlugTaken`, `SlugReserved`, `SlugNotHostSafe`, `DomainTaken`, `InvalidTenant`.
    """
    check_slug(slug, host_needed=host_needed and wish is None)
    name = check_display_name(display_name)
    host = normalise_domain(wish.domain, base) if wish is not None else None
    prepared = await keys.prepare()
    async with platform.transaction() as db:
        tenant_id = await store.insert(db, slug, name)
        if tenant_id is None:
            raise SlugTaken(await store.slug_free_at(db, slug))
        await rebind(db, tenant_id)
        await keys.endow(db, tenant_id, envelope, prepared, rotation)
        await acts.record(db, "tenant.created", slug, actor)
        if wish is not None and host is not None:
            await claims.claim(db, host, wish, actor)
        if endow is not None:
            await endow(db, tenant_id)
        await raise_version(db, "tenant")
    return tenant_id


async def ensure_special(
    platform: Platform, envelope: Envelope, rotation: KeyRotation
) -> list[str]:
    """
    Make `_platforms` and `_ops`, and give `default` its keys, if that has not happened yet.

    Idempotent, also between processes that start at once. Returns what was made.
    """
    made: list[str] = []
    for slug, name in ((DEFAULT, "Insula"), (PLATFORMS, "Platform"), (OPS, "Operations")):
        async with platform.transaction() as db:
            if await _is_complete(db, slug, await store.lock(db, slug)):
                continue
        # `_ops` is stateless: its registry row reserves the name, and that is all it has
        prepared = [] if slug == OPS else await keys.prepare()
        async with platform.transaction() as db:
            row = await store.lock(db, slug)
            if await _is_complete(db, slug, row):
                continue  # another process was first
            tenant_id = row.id if row else await store.insert(db, slug, name, protected=True)
            if tenant_id is None:
                continue  # and so it was here: it committed after the look
            await rebind(db, tenant_id)
            if prepared:
                await keys.endow(db, tenant_id, envelope, prepared, rotation)
            await acts.record(db, "tenant.created", slug, SYSTEM)
            await raise_version(db, "tenant")
            made.append(slug)
    return made


async def make_hidden(platform: Platform, slug: str, name: str) -> None:
    """
    Make a tenant of the installation itself that serves nobody, if that has not happened yet.

    It is protected, so that lists leave it out, and active, since what is not is refused before
    anything of a tenant is looked at. One that a former release has archived is activated.
    """
    async with platform.transaction() as db:
        row = await store.lock(db, slug)
        tenant_id = row.id if row else await store.insert(db, slug, name, protected=True)
        if tenant_id is None or (row and row.status == "active"):
            return
        await rebind(db, tenant_id)
        if row:
            await store.set_status(db, tenant_id, "active")
        await acts.record(db, "tenant.activated" if row else "tenant.created", slug, SYSTEM)
        await raise_version(db, "tenant")


async def _is_complete(db: Connection, slug: str, row: Row | None) -> bool:
    """True when the special tenant has all that it will ever have; `_ops` has no keys."""
    if row is None or slug == OPS:
        return row is not None
    await rebind(db, row.id)
    return await keys.has_data_key(db)


async def set_status(
    platform: Platform, slug: str, status: Status, *, reason: str = "", actor: Actor = SYSTEM
) -> None:
    """
    Suspend, activate or archive; effective at once (features.md CR-7).

    Raises `NoSuchTenant`, `TenantProtected`, `Conflict` for a step that does not follow.
    """
    async with platform.transaction() as db:
        row = await acts.locked(db, slug)
        if row.protected or row.id == DEFAULT_TENANT_ID:
            raise TenantProtected("This tenant belongs to the installation itself.")
        if row.status == status:
            return
        if status not in FOLLOWS[row.status]:
            raise Conflict(f"A tenant that is {row.status} cannot become {status}.")
        await rebind(db, row.id)
        await store.set_status(db, row.id, status)
        if status == "suspended":
            await store.announce_logouts(db, row.id)
        event = {
            "active": "tenant.activated",
            "suspended": "tenant.suspended",
            "archived": "tenant.archived",
        }[status]
        await acts.record(db, event, slug, actor, previous=row.status, new=status, reason=reason)
        await raise_version(db, "tenant")


async def end_sessions(db: Connection, batch: int) -> int:
    """
    End sessions of the bound tenant that were begun before its access ended; how many.

    They count for nothing already; this is what lets their clients hear of it.
    """
    return await store.end_sessions(db, batch)


async def rename(
    platform: Platform,
    slug: str,
    display_name: str,
    actor: Actor = SYSTEM,
    *,
    before: str | None = None,
) -> None:
    """
    Change what a tenant is called; *before* is the name that whoever asks has seen.

    Raises `NoSuchTenant`, `TenantProtected`, `InvalidTenant`, `ChangedMeanwhile`.
    """
    name = check_display_name(display_name)
    async with platform.transaction() as db:
        row = await acts.locked_for_edit(db, slug)
        if before is not None and row.display_name != before:
            raise ChangedMeanwhile(row.display_name)
        if row.display_name == name:
            return
        await rebind(db, row.id)
        await store.set_display_name(db, row.id, name)
        await acts.record(db, "tenant.updated", slug, actor, before=row.display_name, after=name)
        await raise_version(db, "tenant")


async def hold(db: Connection, slug: str) -> Row:
    """A tenant's line, held until *db* ends. Raises `NoSuchTenant`."""
    return await acts.locked(db, slug)


async def put_away(db: Connection, slug: str) -> Row:
    """
    Begin a tenant's deletion in the caller's transaction, which is then bound to it.

    Its access ends at once; the line as it was before. Raises `NoSuchTenant`, `TenantProtected`,
    `Conflict` when that has begun already.
    """
    row = await acts.locked(db, slug)
    if row.protected or row.id == DEFAULT_TENANT_ID:
        raise TenantProtected("This tenant belongs to the installation itself.")
    if row.status == "deleting":
        raise Conflict("This tenant is being deleted already.")
    await rebind(db, row.id)
    await store.set_status(db, row.id, "deleting")
    await store.announce_logouts(db, row.id)
    return row


async def bring_back(db: Connection, tenant_id: UUID, status: str) -> None:
    """End a deletion in the caller's transaction: the tenant has its former status again."""
    await store.set_status(db, tenant_id, status)


async def slug_of(platform: Platform, tenant_id: UUID) -> str | None:
    """The slug of a tenant that a job names by its id; None if it is gone."""
    async with platform.transaction() as db:
        return await store.slug_of(db, tenant_id)


async def list_tenants(platform: Platform, *, after: str = "", limit: int = 100) -> Sequence[Row]:
    """A page of tenants by slug."""
    async with platform.transaction() as db:
        return await store.page(db, after, limit)
