"""Writing the record."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final
from uuid import UUID

from insula.audit import store
from insula.audit.models import Actor, Event, Found, Line, Place, Wanted
from insula.kernel.errors import NotFound
from insula.tenancy.db import Connection, Row, Tenant

#: Lines of an export that are read at once (CR-9).
_BATCH: Final = 1000


async def record(db: Connection, event: Event) -> None:
    """Add one line in the caller's transaction: no act without it, nor it without the act."""
    await store.insert(db, event)


async def search(
    db: Connection,
    wanted: Wanted,
    *,
    place: Place | None = None,
    limit: int = 50,
) -> Found:
    """
    Lines of the bound tenant, newest first, from *place* on.

    A page may hold fewer than *limit* and still not be the last: so many lines are looked through
    for one page and no more.
    """
    rows = await store.search(db, wanted, place, limit + 1)
    shown = [_line(row) for row in rows[:limit]]
    if len(rows) > limit:
        return Found(shown, (shown[-1].at, shown[-1].id))
    end = await store.end_of_window(db, wanted, place)
    return Found(shown, None if end is None else (end.at, end.id))


async def export(
    tenant: Tenant, wanted: Wanted, actor: Actor, form: str
) -> AsyncIterator[Sequence[Line]]:
    """
    All lines that are asked for, newest first, in batches that are transactions of their own.

    That *actor* takes them away, as a file of some *form*, is recorded before the first.
    """
    asked = {name: _plainly(value) for name, value in asdict(wanted).items() if value}
    event = Event(
        "data.exported", actor, "info", target_type="audit",
        metadata={"what": "the record", "format": form, "filter": asked},
    )  # fmt: skip
    async with tenant.transaction() as db:
        await record(db, event)
    return _batches(tenant, wanted)


def _plainly(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


async def _batches(tenant: Tenant, wanted: Wanted) -> AsyncIterator[Sequence[Line]]:
    place: Place | None = None
    while True:
        async with tenant.transaction() as db:
            found = await search(db, wanted, place=place, limit=_BATCH)
        if found.lines:
            yield found.lines
        if found.place is None:
            return
        place = found.place


async def get(db: Connection, line_id: UUID) -> Line:
    """One line of the bound tenant. Raises `NotFound`."""
    row = await store.get(db, line_id)
    if row is None:
        raise NotFound("There is no such line in the record, or it is not kept any more.")
    return _line(row)


async def count(db: Connection, wanted: Wanted, *, most: int) -> tuple[int, bool]:
    """How many match among the newest *most* lines, and whether those are all."""
    return await store.count(db, wanted, most)


def _line(row: Row) -> Line:
    return Line(**row._mapping)  # noqa: SLF001  (how a row is read by name)


async def last_about(db: Connection, kind: str, name: str) -> Row | None:
    """Who did something to an object last; None if that is long ago."""
    return await store.last_about(db, kind, name)


async def last_of(db: Connection, events: Sequence[str]) -> Row | None:
    """Who did one of these things last; None if that is long ago."""
    return await store.last_of(db, events)


async def newest(db: Connection, n: int = 50) -> Sequence[Row]:
    """The last *n* lines of the bound tenant, newest first."""
    return await store.newest(db, n)
