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
from uuid import UUID

import structlog
from cachetools import TTLCache

from insula.kernel import clock
from insula.keys import store
from insula.keys.models import Adoption, Evidence, How
from insula.tenancy.db import Connection, Tenant

_log = structlog.get_logger(__name__)

_EVERY = 30.0
_BATCH = 500
#: Entries, so that what strangers do costs a bounded memory.
_MOST_NOTED, _MOST_WRITTEN, _MOST_PLACES = 20_000, 100_000, 50_000
_HOUR, _DAY = 3600.0, 86400.0

_Place = tuple[UUID, UUID, How, str]


class Sightings:
    """What one process has seen, of all its tenants, until it is written."""

    def __init__(self) -> None:
        self._noted: dict[_Place, tuple[Tenant, str, float]] = {}
        self._written: TTLCache[_Place, str] = TTLCache(_MOST_WRITTEN, _HOUR)
        #: Which application proves itself from a place; None for more than one.
        self._of_places: TTLCache[tuple[UUID, str], UUID | None] = TTLCache(_MOST_PLACES, _DAY)
        self._task: asyncio.Task[None] | None = None

    def met(self, tenant: Tenant, client: UUID, place: str) -> None:
        """A client proved itself from *place*."""
        where = (tenant.id, place)
        if where not in self._of_places:
            self._of_places[where] = client
        elif self._of_places.get(where, client) != client:
            self._of_places[where] = None

    def fetched(self, tenant: Tenant, place: str, newest: Mapping[str, str]) -> None:
        """Somebody at *place* was shown the key set, of which *newest* has a key by algorithm."""
        client = self._of_places.get((tenant.id, place))
        if client is not None:
            for alg, kid in newest.items():
                self.note(tenant, client, "fetched", alg, kid)

    def note(self, tenant: Tenant, client: UUID, how: How, alg: str, kid: str) -> None:
        """A client was seen with a key; written at the next flush, or lost when there is much."""
        place = (tenant.id, client, how, alg)
        if self._written.get(place) == kid:
            return
        if place in self._noted or len(self._noted) < _MOST_NOTED:
            self._noted[place] = (tenant, kid, clock.now())

    async def flush(self) -> None:
        """Write what was seen since the last time; what cannot be written is dropped."""
        noted, self._noted = self._noted, {}
        by_tenant: dict[UUID, tuple[Tenant, list[tuple[UUID, How, str, str, float]]]] = {}
        for (tenant_id, client, how, alg), (tenant, kid, seen) in noted.items():
            rows = by_tenant.setdefault(tenant_id, (tenant, []))[1]
            rows.append((client, how, alg, kid, seen))
        for tenant_id, (tenant, rows) in by_tenant.items():
            for start in range(0, len(rows), _BATCH):
                batch = rows[start : start + _BATCH]
                await store.write_adoption(tenant, batch)
                for client, how, alg, kid, _ in batch:
                    self._written[(tenant_id, client, how, alg)] = kid

    async def start(self) -> None:
        self._task = asyncio.create_task(self._flush_for_ever())

    async def stop(self) -> None:
        """End, with a last try to write."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            await self._try()

    async def _flush_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await self._try()

    async def _try(self) -> None:
        try:
            await self.flush()
        except Exception as error:  # noqa: BLE001  (evidence is worth no request and no process)
            _log.warning("adoption.lost", error=type(error).__name__)


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
