"""What administrators do to applications beside registering and changing them."""

from typing import Final
from uuid import UUID

from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.clients import service as clients
from insula.clients.administration import store
from insula.clients.administration.models import Application, Found, Revoked, Secret, Wanted
from insula.clients.errors import NoSuchClient
from insula.clients.models import Mode, from_row
from insula.tenancy.db import Connection, Row, Tenant, raise_version

_BATCH: Final = 1000
#: A request ends so many batches; whoever has more asks again (CR-9).
_MOST_BATCHES: Final = 50


def _application(row: Row) -> Application:
    return Application(
        row.id, row.client_id, row.name, row.status, row.origin, row.is_verified,
        from_row(row.metadata), row.created_at, row.updated_at,
    )  # fmt: skip


async def search(
    db: Connection,
    wanted: Wanted,
    *,
    after: str | None = None,
    descending: bool = False,
    limit: int = 25,
) -> Found:
    """
    Applications by client_id, from *after* on.

    A page may hold fewer than *limit* and still not be the last: so many rows are looked through
    for one page and no more.
    """
    rows = await store.search(db, wanted, after=after, descending=descending, limit=limit + 1)
    shown = [_application(row) for row in rows[:limit]]
    if len(rows) > limit:
        return Found(shown, rows[limit - 1].client_id)
    return Found(shown, await store.end_of_window(db, after=after, descending=descending))


async def count(db: Connection, wanted: Wanted, *, most: int) -> tuple[int, bool]:
    """How many such there are among the first *most*, and whether that is all."""
    return await store.count(db, wanted, most)


async def get(db: Connection, client: UUID) -> Application:
    """Raises `NoSuchClient`."""
    row = await store.find(db, client)
    if row is None:
        raise NoSuchClient("No client of that id in this tenant.")
    return _application(row)


async def count_allowed(db: Connection, client: UUID, *, most: int) -> tuple[int, bool]:
    """How many people allow it something now among the first *most*, and whether that is all."""
    return await store.count_allowed(db, client, most)


async def count_people(db: Connection, client: UUID, *, most: int) -> tuple[int, bool]:
    """How many people *most* of its kept tokens are of, and whether it has no others."""
    return await store.count_people(db, client, most)


async def named(tenant: Tenant, client_id: str) -> Application:
    """Raises `NoSuchClient`."""
    async with tenant.transaction() as db:
        client = await store.named(db, client_id)
        if client is None:
            raise NoSuchClient("No client of that id in this tenant.")
        return await get(db, client)


async def secrets(db: Connection, client: UUID) -> list[Secret]:
    """The live secrets, newest first. Raises `NoSuchClient`."""
    await get(db, client)
    return [
        Secret(row.id, row.created_at, row.expires_at) for row in await store.secrets(db, client)
    ]


async def end_secret(db: Connection, client: UUID, secret: UUID, actor: Actor) -> None:
    """End one secret at once. Raises `NoSuchClient`, also for a secret that is not there."""
    application = await get(db, client)
    if not await store.end_secret(db, client, secret):
        raise NoSuchClient("The client has no such secret.")
    await _audit(db, "client.secret_retired", application, actor)
    await raise_version(db, "clients")


async def end_access(tenant: Tenant, client: UUID, actor: Actor) -> Revoked:
    """
    End what an application was given: tokens, codes, devices and what people have allowed (H16).

    In batches of their own transactions. Raises `NoSuchClient`.
    """
    async with tenant.transaction() as db:
        application = await get(db, client)
        await _audit(db, "client.access_revoked", application, actor)
        await raise_version(db, "clients")
    total = 0
    for _ in range(_MOST_BATCHES):
        async with tenant.transaction() as db:
            n = await store.end_access(db, client, "access_revoked", _BATCH)
        total += n
        if n < _BATCH:
            return Revoked(total, complete=True)
    return Revoked(total, complete=False)


async def deactivate(
    tenant: Tenant, client: UUID, mode: Mode = "stop", *, development: bool, actor: Actor
) -> Application:
    """
    Refuse an application from now on, and end what it was given; or let it begin nothing new.

    Raises `NoSuchClient`.
    """
    async with tenant.transaction() as db:
        application = await get(db, client)
    await clients.change(
        tenant,
        application.client_id,
        {},
        status="paused" if mode == "new_flows" else "inactive",
        development=development,
        actor=actor,
    )
    if mode == "stop":
        await end_access(tenant, client, actor)
    async with tenant.transaction() as db:
        return await get(db, client)


async def _audit(db: Connection, event: str, application: Application, actor: Actor) -> None:
    await audit.record(
        db, Event(event, actor, target_type="client", target_id=application.client_id)
    )
