"""
The probe: bound to one canary, and to nobody, ask for the rows of the other by every door.

That each canary sees its own rows is asked first; without that, seeing none would prove nothing.
The last door is the one that everybody comes by: HTTP (`web`).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from insula.isolation import canaries, store
from insula.isolation.models import Bound, Cell, Door, Found, Table
from insula.isolation.web import probe as web
from insula.isolation.web.probe import Front
from insula.kernel.crypto import Envelope
from insula.kernel.db import Database
from insula.tenancy.db import Platform, Tenant
from insula.tenancy.directory import Directory

_Seen = tuple[Door, Bound, set[str]]


@dataclass(frozen=True, slots=True)
class Probe:
    """
    What it asks through: the pools of the serving role, the platform's door, and requests.

    *front* makes the application that the requests are made of.
    """

    database: Database
    platform: Platform
    directory: Directory
    envelope: Envelope
    front: Front

    async def run(self) -> Found:
        """Ask everything once. Raises `Unavailable`."""
        pair = await canaries.both(self.platform, self.directory)
        async with self.database.transaction() as db:
            tables = await store.tables(db, registry=True)
        async with self.platform.transaction() as db:
            across = await store.tables(db, registry=False)
        unproved: set[str] = set()
        for canary in pair:
            unproved |= await canaries.plant(canary, self.platform, self.envelope, tables)
        cells, failures = 0, []
        for bound, whom in (pair, pair[::-1]):
            async for door, how, seen in self._ask(bound, whom.id, tables, across):
                cells += len(across if door == "platform" else tables)
                failures += [Cell(door, how, table) for table in sorted(seen)]
        asked = await web.probe(self.front, pair, self.envelope)
        cells += asked.cells
        failures += asked.failures
        unproved |= asked.unproved
        names = sorted({each.name for each in (*tables, *across)})
        return Found(names, asked.names, cells, list(dict.fromkeys(failures)), sorted(unproved))

    async def _ask(
        self, bound: Tenant, whom: UUID, tables: list[Table], across: list[Table]
    ) -> AsyncIterator[_Seen]:
        asked = {"whom": whom}
        rows = await bound.once(store.one_trip(tables), asked)
        yield "app_once", "other", store.seen_in(rows)
        rows = await self.database.fetch(store.question(tables), asked)
        yield "app_once", "nobody", store.seen_in(rows)
        async with bound.transaction() as db:
            seen = await store.seen(db, tables, whom)
        yield "app_transaction", "other", seen
        async with self.database.transaction() as db:
            seen = await store.seen(db, tables, whom)
        yield "app_transaction", "nobody", seen
        async with self.platform.within(bound.id) as db:
            seen = await store.seen(db, across, whom)
        yield "platform", "other", seen
        async with self.platform.transaction() as db:
            seen = await store.seen(db, across, whom)
        yield "platform", "nobody", seen
