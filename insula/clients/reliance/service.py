"""Counting and naming the clients that rely on something."""

from collections.abc import Collection

from insula.clients.reliance import store
from insula.tenancy.db import Connection


async def relying(
    db: Connection, on: str, *, most: int, named: int, words: Collection[str] = ()
) -> tuple[int, int, tuple[str, ...]]:
    """
    How many of the first *most* active clients rely *on* something, and of how many.

    With them the names of the first *named* of them. *words* say what is meant, where *on* asks
    for some.
    """
    row = await store.count(db, on, words, most)
    names = await store.names(db, on, words, most, named) if named and row.affected else ()
    return row.affected, row.total, tuple(names)
