"""Lists, counts and single tenants for the platform, and looking at a tenant's people."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from insula.accounts import service as accounts
from insula.accounts.activation import service as activation
from insula.accounts.activation.models import Link
from insula.accounts.models import User
from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.registry import need, store
from insula.registry.models import (
    Cursor,
    Filter,
    Impact,
    KeyLine,
    Overview,
    Page,
    Rotations,
    TenantLine,
)
from insula.tenancy.db import Connection, Platform, rebind
from insula.tenants.errors import NoSuchTenant

#: Counting what a search found stops here (features.md CR-3).
MOST_COUNTED: Final = 10_000
#: A search that finds more is by slug, whatever is asked for.
MOST_SORTED: Final = store.MOST_FOUND
_BATCH = 500
_TOP = 5


async def page(platform: Platform, wanted: Filter, cursor: Cursor | None, limit: int) -> Page:
    """A page of tenants with their domains. Raises `CursorInvalid`."""
    async with platform.transaction() as db:
        wanted = await _sortable(db, wanted)
        lines, in_need = await _lines(db, wanted, cursor, limit + 1)
        more = len(lines) > limit
        lines = lines[:limit]
        backwards = cursor is not None and cursor.backwards
        if backwards:
            lines.reverse()
        lines = await _with_hosts(db, lines)
        totals = await store.totals(db)
    before = cursor is not None and (more or not backwards)
    after = more or backwards
    return Page(
        lines,
        Cursor(lines[0].mark, lines[0].id, backwards=True) if lines and before else None,
        Cursor(lines[-1].mark, lines[-1].id) if lines and after else None,
        sum(totals.get(status, 0) for status in wanted.statuses) if wanted.takes_all else None,
        totals,
        wanted.sort,
        in_need,
    )


async def _sortable(db: Connection, wanted: Filter) -> Filter:
    """The same, by slug where a search finds more than can be sorted by something else."""
    if not wanted.search or wanted.in_need or wanted.sort in ("attention", "slug"):
        return wanted
    if await store.count_found(db, wanted, MOST_SORTED + 1) <= MOST_SORTED:
        return wanted
    return replace(wanted, sort="slug")


async def _lines(
    db: Connection, wanted: Filter, cursor: Cursor | None, limit: int
) -> tuple[list[TenantLine], int | None]:
    """Lines as `store.page`, and in how many something is wrong where that is asked for."""
    if not wanted.in_need and wanted.sort != "attention":
        return await store.page(db, wanted, cursor, limit), None
    ailing = await store.in_need(db, need.MOST)
    total = sum(status in wanted.statuses for status in ailing.values())
    page_of = need.page if wanted.sort == "attention" else store.page
    lines = await page_of(db, wanted, cursor, limit, list(ailing))
    return lines, None if wanted.search else min(total, need.MOST)  # nobody counts those it finds


async def totals(platform: Platform) -> Mapping[str, int]:
    """How many tenants there are of each status, as kept; those of the installation aside."""
    async with platform.transaction() as db:
        return await store.totals(db)


async def count(platform: Platform, wanted: Filter) -> tuple[int, bool]:
    """How many a list holds, and whether that is all: a search is counted to `MOST_COUNTED`."""
    if not wanted.search:
        kept = await totals(platform)
        return sum(kept.get(status, 0) for status in wanted.statuses), True
    async with platform.transaction() as db:
        n = await store.count_found(db, wanted, MOST_COUNTED + 1)
    return min(n, MOST_COUNTED), n <= MOST_COUNTED


async def _with_hosts(db: Connection, lines: Sequence[TenantLine]) -> list[TenantLine]:
    hosts: dict[UUID, list[str]] = {}
    primary: dict[UUID, str] = {}
    for row in await store.hosts(db, [line.id for line in lines]):
        hosts.setdefault(row.tenant_id, []).append(row.host)
        if row.is_primary:
            primary[row.tenant_id] = row.host
    return [
        replace(line, hosts=tuple(hosts.get(line.id, ())), primary_host=primary.get(line.id))
        for line in lines
    ]


async def batches(platform: Platform, wanted: Filter) -> AsyncIterator[list[TenantLine]]:
    """
    Every tenant of a filter, in batches that are transactions of their own (CR-9).

    By slug, where those that need attention would come first: who comes to need it between two
    batches must not be left out, or be in both.
    """
    if wanted.sort == "attention":
        wanted = replace(wanted, sort="slug")
    async with platform.transaction() as db:
        wanted = await _sortable(db, wanted)
    cursor: Cursor | None = None
    while True:
        async with platform.transaction() as db:
            lines, _ = await _lines(db, wanted, cursor, _BATCH)
            lines = await _with_hosts(db, lines)
        if lines:
            yield lines
        if len(lines) < _BATCH:
            return
        cursor = Cursor(lines[-1].mark, lines[-1].id)


async def get(platform: Platform, slug: str) -> TenantLine:
    """One tenant of any status. Raises `NoSuchTenant`."""
    async with platform.transaction() as db:
        line = await store.get(db, slug)
        if line is None:
            raise NoSuchTenant("There is no tenant of that slug.")
        (found,) = await _with_hosts(db, [line])
    return found


async def in_order(platform: Platform, ids: Sequence[UUID]) -> list[TenantLine]:
    """These tenants, in this order; those that are gone are left out."""
    async with platform.transaction() as db:
        found = {line.id: line for line in await store.by_ids(db, ids)}
    return [found[each] for each in ids if each in found]


async def slug_of_host(platform: Platform, host: str) -> str | None:
    """Whose domain *host* is."""
    async with platform.transaction() as db:
        owners = await store.by_ids(db, await store.host_owners(db, host))
    return owners[0].slug if owners else None


async def overview(platform: Platform) -> Overview:
    """All tenants at a glance, from what is kept and from counts that end at a bound."""
    async with platform.transaction() as db:
        totals = await store.totals(db)
        lately = await store.lately(db)
        largest = await store.page(db, Filter(sort="users"), None, _TOP)
        liveliest = await store.page(db, Filter(sort="activity"), None, _TOP)
    return Overview(
        totals,
        lately.made,
        lately.active,
        store.BOUND,
        [line for line in largest if line.users],
        [line for line in liveliest if line.last_sign_in_at],
    )


async def impact(platform: Platform, tenant_id: UUID) -> Impact:
    """What stands behind a tenant, in numbers."""
    async with platform.within(tenant_id) as db:
        return await store.impact(db)


async def keys_of(platform: Platform, lines: Sequence[TenantLine]) -> dict[UUID, list[KeyLine]]:
    """The published keys of a page of tenants."""
    async with platform.transaction() as db:
        found = await store.keys(db, [line.id for line in lines])
    by_tenant: dict[UUID, list[KeyLine]] = {line.id: [] for line in lines}
    for key in found:
        by_tenant[key.tenant_id].append(key)
    return by_tenant


async def keys_overdue(platform: Platform, most: int) -> list[KeyLine]:
    """Keys whose time came and was missed, the oldest first."""
    async with platform.transaction() as db:
        return await store.keys_overdue(db, most)


async def rotations(platform: Platform, most: int) -> Rotations:
    """What is overdue, waits, comes next and was revoked lately, across tenants: *most* of each."""
    async with platform.transaction() as db:
        return Rotations(
            await store.keys_overdue(db, most),
            await store.keys_waiting(db, most),
            await store.keys_coming(db, most),
            await store.keys_revoked(db, most),
        )


async def schema(platform: Platform) -> tuple[str, str]:
    """The revision of the schema and the version of the server."""
    async with platform.transaction() as db:
        row = await store.schema(db)
    return row.revision, row.server


async def open_users(  # noqa: PLR0913  (each by its name)
    platform: Platform,
    home: UUID,
    line: TenantLine,
    actor: Actor,
    *,
    after: str = "",
    limit: int = 25,
) -> tuple[list[User], Mapping[UUID, datetime | None]]:
    """
    A page of a tenant's people by user name; that it was looked at is written at both ends (D05).

    Beside it, who of them has yet to choose a password, and until when their link lives, if one
    does. *home* is the platform's own tenant.
    """
    event = Event(
        "tenant.viewed_by_platform",
        actor,
        "info",
        target_type="tenant",
        target_id=line.slug,
        metadata={"what": "users"},
    )
    async with platform.within(home) as db:
        await audit.record(db, event)
        await rebind(db, line.id)
        await audit.record(db, event)
        users = await accounts.list_users(db, after=after, limit=limit)
        return users, await activation.pending(db, [user.id for user in users])


async def note_look(
    platform: Platform, home: UUID, line: TenantLine, actor: Actor, what: str
) -> None:
    """Write at both ends that somebody of the platform looked at something of a tenant."""
    event = Event(
        "tenant.viewed_by_platform", actor, "info", target_type="tenant", target_id=line.slug,
        metadata={"what": what},
    )  # fmt: skip
    async with platform.within(home) as db:
        await audit.record(db, event)
        await rebind(db, line.id)
        await audit.record(db, event)


async def make_link(
    platform: Platform, home: UUID, line: TenantLine, user_id: UUID, actor: Actor
) -> tuple[User, Link]:
    """
    Make a new link for somebody of a tenant who has no password; it stands in both records.

    Not for those who have one: the platform opens no account that is in use. Raises `NoSuchUser`,
    `NoLinkForThem`.
    """
    async with platform.within(line.id) as db:
        link = await activation.issue(db, line.id, user_id, actor, pending_only=True)
        user = await accounts.get(db, user_id)
        if home != line.id:
            await rebind(db, home)
            details = {"user": str(user_id), "purpose": "activation"}
            await audit.record(
                db,
                Event(
                    "user.password_reset_sent",
                    actor,
                    target_type="tenant",
                    target_id=line.slug,
                    metadata=details,
                ),
            )
    return user, link
