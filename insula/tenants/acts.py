"""What every act on a tenant begins and ends with: its line is held, and the act is recorded."""

from collections.abc import Mapping
from dataclasses import replace

from insula.audit import service as audit
from insula.audit.models import Actor, Event, Status
from insula.tenancy.db import Connection, Row, rebind
from insula.tenancy.models import CANARIES, OPS, PLATFORMS
from insula.tenants import store
from insula.tenants.errors import NoSuchTenant, TenantProtected


async def locked(db: Connection, slug: str) -> Row:
    """A tenant's line, held until *db* ends. Raises `NoSuchTenant`."""
    row = await store.lock(db, slug)
    if row is None:
        raise NoSuchTenant("There is no tenant of that slug.")
    return row


async def locked_for_edit(db: Connection, slug: str) -> Row:
    """
    A tenant's line, held, if it may be renamed and have domains (features.md D06).

    Raises `NoSuchTenant`, `TenantProtected` for the installation's own.
    """
    row = await locked(db, slug)
    if slug in (PLATFORMS, OPS, *CANARIES):
        raise TenantProtected("This tenant belongs to the installation itself.")
    return row


async def bound(db: Connection, slug: str) -> Row:
    """A tenant's line, with *db* bound to it and nothing held. Raises `NoSuchTenant`."""
    row = await store.find(db, slug)
    if row is None:
        raise NoSuchTenant("There is no tenant of that slug.")
    await rebind(db, row.id)
    return row


async def record(db: Connection, event: str, slug: str, actor: Actor, **metadata: object) -> None:
    """Write what was done to a tenant into its record, and into the platform's own if it did it."""
    await tell(db, Event(event, actor, target_type="tenant", target_id=slug, metadata=metadata))


async def record_of_domain(  # noqa: PLR0913  (each by its name)
    db: Connection,
    event: str,
    host: str,
    actor: Actor,
    facts: Mapping[str, object],
    *,
    status: Status = "success",
) -> None:
    """Write what became of a domain into the record of the bound tenant, as `record` does."""
    line = Event(event, actor, status, target_type="domain", target_id=host, metadata=facts)
    await tell(db, line)


async def tell(db: Connection, line: Event) -> None:
    """What the platform does to a tenant stands in its own record too, in the same transaction."""
    await audit.record(db, line)
    if line.actor.type != "platform":
        return
    here, home = await store.bound_and_home(db, PLATFORMS)
    if home is None or home == here:
        return
    slug = await store.slug_of(db, here)
    await rebind(db, home)
    if line.target_type != "tenant":  # there it says by itself whose it is
        line = replace(line, metadata={**line.metadata, "tenant": slug})
    await audit.record(db, line)
    await rebind(db, here)
