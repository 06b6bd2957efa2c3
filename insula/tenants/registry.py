"""The registry as the platform reads it, and what may be changed of a tenant in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.kernel.errors import Conflict
from insula.tenancy.db import Connection, Platform, Row, raise_version, rebind
from insula.tenancy.models import Naming
from insula.tenants import acts, store
from insula.tenants.domains import claims
from insula.tenants.errors import NoSuchTenant
from insula.tenants.models import (
    Status,
    check_display_name,
    check_without_domain,
    normalise_domain,
)


@dataclass(frozen=True, slots=True)
class Host:
    """A login domain; the primary one is the issuer's host."""

    host: str
    is_primary: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A tenant as it stands in the registry."""

    id: UUID
    slug: str
    display_name: str
    status: Status
    protected: bool
    created_at: datetime
    updated_at: datetime
    hosts: Sequence[Host]

    @property
    def domain(self) -> str | None:
        """Its primary login domain."""
        return next((each.host for each in self.hosts if each.is_primary), None)

    def issuer(self, naming: Naming) -> str:
        return naming.origin(self.domain or naming.host(self.slug))


def _entry(row: Row, hosts: Sequence[Host]) -> Entry:
    return Entry(
        row.id, row.slug, row.display_name, row.status, row.protected, row.created_at,
        row.updated_at, hosts,
    )  # fmt: skip


async def _entries(db: Connection, rows: Sequence[Row]) -> list[Entry]:
    hosts: dict[UUID, list[Host]] = {row.id: [] for row in rows}
    for each in await store.hosts_of(db, list(hosts)):
        hosts[each.tenant_id].append(Host(each.host, each.is_primary, each.created_at))
    return [_entry(row, hosts[row.id]) for row in rows]


async def get(platform: Platform, slug: str) -> Entry:
    """Raises `NoSuchTenant`."""
    async with platform.transaction() as db:
        return await _get(db, slug)


async def _get(db: Connection, slug: str) -> Entry:
    row = await store.find(db, slug)
    if row is None:
        raise NoSuchTenant("There is no tenant of that slug.")
    return (await _entries(db, [row]))[0]


async def _held(db: Connection, slug: str, expected: datetime | None = None) -> Row:
    """Lock a tenant that may be edited, and that was last saved when the caller *expected*."""
    row = await acts.locked_for_edit(db, slug)
    if expected is not None and row.updated_at != expected:
        raise Conflict("It was changed meanwhile.", code="version_conflict")
    await rebind(db, row.id)
    return row


async def update(  # noqa: PLR0913  (each by its name)
    platform: Platform,
    slug: str,
    changes: Mapping[str, str | None],
    *,
    base: str | None = None,
    expected: datetime | None = None,
    vouched: str | None = None,
    actor: Actor = SYSTEM,
) -> Entry:
    """
    Change `display_name` and `domain`, the primary login domain; None takes that away.

    A domain that is not proven becomes primary once it is; *vouched* is an operator's reason to
    count it as proven. A domain that was primary stays the tenant's. What is as it was is no
    change, and nothing is written of it. Raises `NoSuchTenant`, `TenantProtected`, `DomainTaken`,
    `InvalidTenant`, `SlugNotHostSafe`, and `Conflict` when it was saved since *expected*.
    """
    name = changes.get("display_name")
    clean = None if name is None else check_display_name(name)
    domain = changes.get("domain")
    host = None if domain is None else normalise_domain(domain, base)
    async with platform.transaction() as db:
        row = await _held(db, slug, expected)
        before = await _get(db, slug)
        if "domain" in changes and host is None and before.domain is not None:
            check_without_domain(slug)
        old: dict[str, str | None] = {}
        new: dict[str, str | None] = {}
        if clean is not None and clean != row.display_name:
            await store.set_display_name(db, row.id, clean)
            old["display_name"], new["display_name"] = row.display_name, clean
        if "domain" in changes and await _move(db, before.domain, host, vouched, actor):
            old["domain"], new["domain"] = before.domain, host
        if not new:
            return before
        await store.touch(db, row.id)
        await acts.record(
            db, "tenant.updated", slug, actor, changed=sorted(new), before=old, after=new
        )
        await raise_version(db, "tenant")
        return await _get(db, slug)


async def _move(
    db: Connection, present: str | None, host: str | None, vouched: str | None, actor: Actor
) -> bool:
    """Let *host* be primary instead of *present*, now or once it is proven; False if it is."""
    known = None if host is None else await claims.find(db, host)
    if host is not None and known is None:
        wish = claims.Wish(host, primary=True, vouched=vouched)
        await claims.claim(db, host, wish, actor)
    elif known is not None and not known.is_served:
        if known.primary_wanted and vouched is None:
            return False
        await claims.want_primary(db, known, vouched, actor)
    elif host == present:
        return False
    else:
        await claims.set_primary(db, host)
    return True


async def note_viewed(
    platform: Platform, entry: Entry, home: UUID, actor: Actor, what: str
) -> None:
    """Record in both tenants that the platform has looked at a tenant's people (D05)."""
    for tenant_id in (entry.id, home):
        async with platform.within(tenant_id) as db:
            event = Event(
                "tenant.viewed_by_platform",
                actor,
                "info",
                target_type="tenant",
                target_id=entry.slug,
                metadata={"what": what},
            )
            await audit.record(db, event)
