"""
What applications are seen to know of a tenant's keys (BEY-2).

Evidence is of two kinds, and neither is proof that a signature was verified:

- `fetched`: the JWKS was asked for by a caller from whose place (the address of a server, the
  origin of a page) this application, and no other, had proven itself to the same process within a
  day. A key set is fetched by nobody in particular, so what comes from elsewhere (a proxy, an
  address that applications share, a cache in between) is not known.
- `used`: the application brought a token that the key signed (to userinfo, introspection, an API
  of ours, or as `id_token_hint`). A key that does not sign yet cannot be seen so.

It is collected in the memory of a process and written from time to time, once an hour for each
application and key. It is lossy by design: what is lost makes an application look behind that is
not. What another program at the same address fetches makes one look abreast that may not be.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime
from time import monotonic
from typing import TypeVar
from uuid import UUID

import structlog
from cachetools import LRUCache

from insula.kernel import clock
from insula.keys import store
from insula.keys.models import Adoption, Evidence, How
from insula.tenancy.db import Connection, Tenant

_log = structlog.get_logger(__name__)
_K = TypeVar("_K")
_V = TypeVar("_V")

#: Seconds between two flushes, and for the last one.
_EVERY, _LAST_TRY = 30.0, 2.0
_BATCH = 500
#: Entries, so that what strangers do costs a bounded memory: of the process, and of one tenant.
_MOST_NOTED, _MOST_TENANTS, _MOST_OF_ONE = 20_000, 5_000, 5_000
_HOUR, _DAY = 3600.0, 86400.0


class Memory:
    """
    What was seen of one tenant.

    Asked on the hottest paths there are, so it is plain dictionaries of what counts until when.
    """

    __slots__ = ("_all", "_fetched", "_places", "_written", "noted", "tenant")

    def __init__(self, tenant: Tenant, all_seen: "Sightings") -> None:
        self.tenant = tenant
        self._all = all_seen
        self.noted: dict[tuple[UUID, How, str], tuple[str, float]] = {}
        #: Which application proves itself from a place; None for more than one.
        self._places: dict[str, tuple[UUID | None, float]] = {}
        self._fetched: dict[UUID, tuple[Mapping[str, str], float]] = {}
        self._written: dict[tuple[UUID, How, str], tuple[str, float]] = {}

    def met(self, client: UUID, place: str) -> None:
        """A client proved itself from *place*."""
        known = self._places.get(place)
        if known is None or known[1] < monotonic():
            _keep(self._places, place, (client, monotonic() + _DAY))
        elif known[0] != client and known[0] is not None:
            self._places[place] = (None, known[1])

    def fetched(self, place: str, newest: Mapping[str, str]) -> None:
        """Somebody at *place* was shown the key set, of which *newest* has a key by algorithm."""
        who = self._places.get(place)
        if who is None:
            return
        client, until = who
        now = monotonic()
        if client is None or until < now:
            return
        known = self._fetched.get(client)
        if known is not None and known[0] is newest and known[1] > now:
            return
        _keep(self._fetched, client, (newest, now + _HOUR))
        for alg, kid in newest.items():
            self.note(client, "fetched", alg, kid)

    def note(self, client: UUID, how: How, alg: str, kid: str) -> None:
        """A client was seen with a key; written at the next flush, or lost when there is much."""
        what = (client, how, alg)
        known = self._written.get(what)
        if known is not None and known[0] == kid and known[1] > monotonic():
            return
        if what in self.noted or self._all.has_room(self):
            self.noted[what] = (kid, clock.now())

    async def write(self) -> None:
        """Store what was noted; raises `Unavailable`, and then it is lost."""
        noted, self.noted = self.noted, {}
        rows = [(*what, kid, seen) for what, (kid, seen) in noted.items()]
        try:
            for start in range(0, len(rows), _BATCH):
                await store.write_adoption(self.tenant, rows[start : start + _BATCH])
        except BaseException:
            self._fetched.clear()  # to be seen again, and not in an hour
            raise
        until = monotonic() + _HOUR
        for what, (kid, _) in noted.items():
            _keep(self._written, what, (kid, until))


def _keep(memory: dict[_K, _V], key: _K, value: _V) -> None:
    """Remember; what is full begins anew."""
    if len(memory) >= _MOST_OF_ONE:
        memory.clear()
    memory[key] = value


class Sightings:
    """What one process has seen, of all its tenants, until it is written."""

    def __init__(self) -> None:
        self._memories: LRUCache[UUID, Memory] = LRUCache(_MOST_TENANTS)
        self._unwritten: dict[int, Memory] = {}
        self._room = _MOST_NOTED
        self._task: asyncio.Task[None] | None = None

    def of(self, tenant: Tenant) -> Memory:
        """What was seen of a tenant, which outlives what the tenant is served with."""
        memory = self._memories.get(tenant.id)
        if memory is None:
            memory = self._memories[tenant.id] = Memory(tenant, self)
        memory.tenant = tenant
        return memory

    def has_room(self, memory: Memory) -> bool:
        """Take a place for one more sighting of *memory*, if there is one."""
        if self._room <= 0:
            return False
        self._room -= 1
        self._unwritten[id(memory)] = memory
        return True

    async def flush(self) -> None:
        """Write what was seen since the last time; what cannot be written is dropped."""
        unwritten, self._unwritten = self._unwritten, {}
        self._room = _MOST_NOTED
        for memory in unwritten.values():
            try:
                await memory.write()
            except Exception as error:  # noqa: BLE001  (evidence is worth no request and no process)
                _log.warning("adoption.lost", error=type(error).__name__)

    async def start(self) -> None:
        self._task = asyncio.create_task(self._flush_for_ever())

    async def stop(self) -> None:
        """End, with a last try to write."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            with contextlib.suppress(TimeoutError):  # nobody waits long for a database that is away
                await asyncio.wait_for(self.flush(), _LAST_TRY)

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await self.flush()


async def page(db: Connection, *, after: str, limit: int) -> list[Adoption]:
    """What is known of the bound tenant's active applications, by client_id."""
    return [
        Adoption(
            row.id,
            row.client_id,
            row.name,
            row.important,
            row.behind,
            [
                Evidence(e["kid"], e["alg"], e["how"], datetime.fromisoformat(e["last_seen"]))
                for e in row.evidence or ()
            ],
        )
        for row in await store.adoption(db, after, limit)
    ]
