"""Writing the record."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from insula.audit import store
from insula.audit.models import Event, Found, Line, Lines, Wanted
from insula.kernel.errors import NotFound
from insula.tenancy.db import Connection, Row


async def record(db: Connection, event: Event) -> None:
    """Add one line in the caller's transaction: no act without it, nor it without the act."""
    await store.insert(db, event)


async def search(
    db: Connection,
    wanted: Wanted,
    *,
    place: tuple[datetime, UUID] | None = None,
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


async def newest(db: Connection, n: int = 50) -> Sequence[Row]:
    """The last *n* lines of the bound tenant, newest first."""
    return await store.newest(db, n)


async def browse(db: Connection, wanted: Lines, limit: int) -> Sequence[Row]:
    """Some lines of the bound tenant's record, newest first. Raises `Invalid` for an ill place."""
    return await store.browse(db, wanted, limit)
