"""Counting and naming the clients that rely on something."""

from insula.clients.reliance import store
from insula.tenancy.db import Connection


async def relying(
    db: Connection, on: str, *, most: int, named: int
) -> tuple[int, int, tuple[str, ...]]:
    """
    How many of the first *most* active clients rely *on* something, and of how many.

    With them the names of the first *named* of them.
    """
    row = await store.count(db, on, most)
    names = await store.names(db, on, most, named) if named and row.affected else ()
    return row.affected, row.total, tuple(names)
