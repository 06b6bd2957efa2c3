"""
The pool: one immutable provider instance for each tenant that is in use.

Least recently used goes first at *max_size*; idle ones go after *idle_ttl*; a newer version
replaces an instance, never changes it. Whoever holds an instance finishes with it. Parallel
requests for a cold tenant wait for one build, which no caller's departure ends.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from cachetools import LRUCache

from insula.kernel.metrics import (
    POOL_BUILD_SECONDS,
    POOL_BUILDS,
    POOL_EVICTIONS,
    POOL_HITS,
    POOL_MISSES,
    POOL_SIZE,
)
from insula.tenancy.db import Tenant

P = TypeVar("P")


@dataclass(slots=True)
class Entry(Generic[P]):
    """An instance, the tenant version it shows, and when it was last asked for (monotonic)."""

    provider: P
    version: int
    used_at: float


@dataclass(slots=True)
class _Flight(Generic[P]):
    """A build under way, and the tenant version that it was asked for."""

    task: "asyncio.Task[P]"
    version: int


class _Lru(LRUCache[UUID, "Entry[P]"], Generic[P]):
    """Counts what it puts out."""

    def popitem(self) -> tuple[UUID, "Entry[P]"]:
        item: tuple[UUID, Entry[P]] = super().popitem()
        POOL_EVICTIONS.labels("size").inc()
        return item


class ProviderPool(Generic[P]):
    """Provider instances by tenant; *build* returns one and the version that it was built from."""

    def __init__(
        self,
        build: Callable[[Tenant], Awaitable[tuple[P, int]]],
        *,
        max_size: int = 1000,
        idle_ttl: float = 1800.0,
        cleanup_interval: float = 60.0,
    ) -> None:
        self._build = build
        self._entries: _Lru[P] = _Lru(max_size)
        self._flights: dict[UUID, _Flight[P]] = {}
        #: The newest version heard of, for tenants that are being built.
        self._heard: dict[UUID, int] = {}
        #: Raised by every `drop_all`: what was being built before one is not kept.
        self._epoch = 0
        self._idle_ttl = idle_ttl
        self._cleanup_interval = cleanup_interval
        self._cleaning: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def max_size(self) -> int:
        return int(self._entries.maxsize)

    @property
    def building(self) -> int:
        """How many builds are under way."""
        return len(self._flights)

    async def start(self) -> None:
        """Begin the periodic clean-up of idle instances."""
        self._cleaning = asyncio.create_task(self._clean_for_ever())

    async def stop(self) -> None:
        if self._cleaning is not None:
            self._cleaning.cancel()
            await asyncio.gather(self._cleaning, return_exceptions=True)

    def known(self, tenant: Tenant) -> P | None:
        """The instance in memory if it is as new as *tenant*, without waiting."""
        entry = self._entries.get(tenant.id)
        if entry is None or entry.version < tenant.version:
            return None
        entry.used_at = time.monotonic()
        POOL_HITS.inc()
        return entry.provider

    async def get(self, tenant: Tenant) -> P:
        """The tenant's provider; built on a miss. Raises `Unavailable`."""
        provider = self.known(tenant)
        if provider is not None:
            return provider
        POOL_MISSES.inc()
        flight = self._flights.get(tenant.id)
        if flight is None or flight.version < tenant.version:  # else it may have read the former
            flight = _Flight(asyncio.create_task(self._fill(tenant)), tenant.version)
            self._flights[tenant.id] = flight
            flight.task.add_done_callback(lambda task: self._landed(tenant.id, task))
        return await asyncio.shield(flight.task)

    def _landed(self, tenant_id: UUID, task: asyncio.Task[P]) -> None:
        flight = self._flights.get(tenant_id)
        if flight is not None and flight.task is task:
            del self._flights[tenant_id]
            self._heard.pop(tenant_id, None)
        if not task.cancelled():
            task.exception()  # taken note of, even if every caller has gone away

    async def _fill(self, tenant: Tenant) -> P:
        started, epoch = time.perf_counter(), self._epoch
        provider, version = await self._build(tenant)
        POOL_BUILDS.inc()
        POOL_BUILD_SECONDS.observe(time.perf_counter() - started)
        present = self._entries.get(tenant.id)
        known = max(self._heard.get(tenant.id, 0), present.version if present else 0)
        if version >= known and epoch == self._epoch:
            self._entries[tenant.id] = Entry(provider, version, time.monotonic())
            POOL_SIZE.set(len(self._entries))
        # else: it changed while this was being built; good for those who wait, not for the next
        return provider

    def changed(self, tenant_id: UUID, version: int) -> bool:
        """
        Drop an instance that is older than *version*; whether there was one.

        The next request builds the new one. Older and repeated news are ignored.
        """
        if tenant_id in self._flights:
            self._heard[tenant_id] = max(version, self._heard.get(tenant_id, 0))
        entry = self._entries.pop(tenant_id, None)
        if entry is None:
            return False
        if entry.version >= version:
            self._entries[tenant_id] = entry
            return False
        POOL_EVICTIONS.labels("version").inc()
        POOL_SIZE.set(len(self._entries))
        return True

    def drop_all(self) -> None:
        """Build everything anew; called when changes may have been missed."""
        POOL_EVICTIONS.labels("gap").inc(len(self._entries))
        self._epoch += 1
        self._flights.clear()  # who asks from now on must not wait for what was read before
        self._heard.clear()
        self._entries.clear()
        POOL_SIZE.set(0)

    def evict_idle(self) -> int:
        """Put out instances that nobody asked for during the idle time; how many."""
        oldest = time.monotonic() - self._idle_ttl
        idle = [tenant_id for tenant_id, entry in self._entries.items() if entry.used_at < oldest]
        for tenant_id in idle:
            del self._entries[tenant_id]
        if idle:
            POOL_EVICTIONS.labels("idle").inc(len(idle))
            POOL_SIZE.set(len(self._entries))
        return len(idle)

    async def _clean_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._cleanup_interval)
            self.evict_idle()
