"""
The directory in memory: name to tenant, without asking.

A found tenant stays until its version rises; an unknown name is remembered for a few seconds,
so that a flood of made-up hosts costs one query each and then nothing. At most one lookup is
in flight for a name, and none is ended by the caller that happened to start it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

from cachetools import LRUCache, TTLCache

from insula.tenancy import store
from insula.tenancy.db import Doors, Tenant
from insula.tenancy.models import Naming

Lookup = Callable[[str], Awaitable[Tenant | None]]


class Directory:
    """Tenants by name ('slug:acme', 'host:login.acme.example') that this process has met."""

    def __init__(
        self,
        lookup: Lookup,
        *,
        size: int = 50_000,
        unknown_for: float = 5.0,
        unknown_size: int = 20_000,
    ) -> None:
        self._lookup = lookup
        self._known: LRUCache[str, Tenant] = LRUCache(size)
        self._names: dict[UUID, set[str]] = {}
        self._unknown: TTLCache[str, bool] = TTLCache(unknown_size, unknown_for)
        self._flights: dict[str, asyncio.Task[Tenant | None]] = {}
        #: Raised by every `forget`: an answer that was fetched before one is not remembered.
        self._epoch = 0

    @classmethod
    def over(cls, doors: Doors, naming: Naming) -> "Directory":
        """The directory of a process that serves tenants through *doors*."""

        async def lookup(name: str) -> Tenant | None:
            return await store.find(doors, naming, name)

        return cls(lookup)

    def __len__(self) -> int:
        return len(self._known)

    def known(self, name: str) -> Tenant | None:
        """What memory says, without waiting."""
        tenant: Tenant | None = self._known.get(name)
        return tenant

    async def find(self, name: str) -> Tenant | None:
        """
        The tenant of that name, or None.

        Raises `Unavailable` when it must be asked for and the database is away.
        """
        if (tenant := self.known(name)) is not None:
            return tenant
        if name in self._unknown:
            return None
        flight = self._flights.get(name)
        if flight is None:
            flight = asyncio.create_task(self._fetch(name))
            self._flights[name] = flight
            flight.add_done_callback(lambda task: self._landed(name, task))
        return await asyncio.shield(flight)

    def _landed(self, name: str, task: asyncio.Task[Tenant | None]) -> None:
        if self._flights.get(name) is task:
            del self._flights[name]
        if not task.cancelled():
            task.exception()  # taken note of, even if every caller has gone away

    async def _fetch(self, name: str) -> Tenant | None:
        epoch = self._epoch
        tenant = await self._lookup(name)
        if epoch != self._epoch:
            return tenant
        if tenant is None:
            self._unknown[name] = True
        else:
            self._known[name] = tenant
            self._names.setdefault(tenant.id, set()).add(name)
        return tenant

    def version(self, tenant_id: UUID) -> int | None:
        """The newest version of a tenant that memory holds."""
        versions = [t.version for n in self._names.get(tenant_id, ()) if (t := self.known(n))]
        return max(versions, default=None)

    def forget(self, tenant_id: UUID) -> None:
        """Ask again next time; called when a newer version is known."""
        self._epoch += 1
        self._flights.clear()  # who asks from now on must not join a question of before
        for name in self._names.pop(tenant_id, ()):
            self._known.pop(name, None)
        self._unknown.clear()

    def forget_all(self) -> None:
        """Ask again for every name; called when changes may have been missed."""
        self._epoch += 1
        self._flights.clear()
        self._known.clear()
        self._names.clear()
        self._unknown.clear()

    def tenants(self) -> Iterable[UUID]:
        """Whom memory knows."""
        return tuple(self._names)
