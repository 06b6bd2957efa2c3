"""Writing the record."""

from collections.abc import Sequence

from insula.audit import store
from insula.audit.models import Event, Lines
from insula.tenancy.db import Connection, Row


async def record(db: Connection, event: Event) -> None:
    """Add one line in the caller's transaction: no act without it, nor it without the act."""
    await store.insert(db, event)


async def last_about(db: Connection, kind: str, name: str) -> Row | None:
    """Who did something to an object last; None if that is long ago."""
    return await store.last_about(db, kind, name)


async def newest(db: Connection, n: int = 50) -> Sequence[Row]:
    """The last *n* lines of the bound tenant, newest first."""
    return await store.newest(db, n)


async def browse(db: Connection, wanted: Lines, limit: int) -> Sequence[Row]:
    """Some lines of the bound tenant's record, newest first. Raises `Invalid` for an ill place."""
    return await store.browse(db, wanted, limit)
