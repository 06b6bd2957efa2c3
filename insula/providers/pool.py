"""
The pool: one immutable provider instance for each tenant that is in use.

Least recently used goes first at *max_size*; idle ones go after *idle_ttl*; a newer version
replaces an instance, never changes it. Whoever holds an instance finishes with it. Parallel
requests for a cold tenant wait for one build, which no caller's departure ends.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from cachetools import Cache, LRUCache
from prometheus_client import Counter as Counted

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


@dataclass(frozen=True, slots=True)
class Figures:
    """
    How the pool of this process does, since it started.

    *is_pressed*: for five minutes more than a tenth of the requests had an instance put out
    for want of room or use, so a larger or less impatient pool would serve better (B05).
    """

    size: int
    max_size: int
    idle_seconds: float
    requests: int
    misses: int
    builds: int
    build_seconds: float
    evictions: Mapping[str, int]
    is_pressed: bool

    @property
    def warm(self) -> float | None:
        """The share of requests that found their instance in memory; of none there is none."""
        return 1 - self.misses / self.requests if self.requests else None


#: Five minutes of samples, and the share of evictions that is too much.
_SAMPLES, _TOO_MANY = 6, 0.1


class _Lru(LRUCache[UUID, "Entry[P]"], Generic[P]):
    """Counts what it puts out."""

    def __init__(self, maxsize: int, put_out: Callable[[], None]) -> None:
        super().__init__(maxsize)
        self._put_out = put_out

    def popitem(self) -> tuple[UUID, "Entry[P]"]:
        item: tuple[UUID, Entry[P]] = super().popitem()
        self._put_out()
        return item


class ProviderPool(Generic[P]):
    """
    Provider instances by tenant; *build* returns one and the version that it was built from.

    One that is not *counted* leaves the process's metrics alone: it serves nobody.
    """

    def __init__(
        self,
        build: Callable[[Tenant], Awaitable[tuple[P, int]]],
        *,
        max_size: int = 1000,
        idle_ttl: float = 1800.0,
        cleanup_interval: float = 60.0,
        counted: bool = True,
    ) -> None:
        self._counted = counted
        self._build = build
        self._evictions: Counter[str] = Counter()
        self._entries: _Lru[P] = _Lru(max_size, lambda: self._evicted("size"))
        self._requests = self._misses = self._builds = 0
        self._build_seconds = 0.0
        #: Requests and evictions at the last minutes, for what has been going on lately.
        self._samples: deque[tuple[int, int]] = deque([(0, 0)], maxlen=_SAMPLES)
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

    def figures(self) -> Figures:
        """How this process's pool does."""
        return Figures(
            len(self._entries),
            int(self._entries.maxsize),
            self._idle_ttl,
            self._requests,
            self._misses,
            self._builds,
            self._build_seconds,
            dict(self._evictions),
            self._is_pressed(),
        )

    def idle(self, tenant_id: UUID) -> float | None:
        """For how many seconds nobody asked for an instance; None when it is not in memory."""
        if tenant_id not in self._entries:
            return None
        entry: Entry[P] = Cache.__getitem__(self._entries, tenant_id)  # to look is not to use
        return time.monotonic() - entry.used_at

    def sample(self) -> None:
        """Remember how things stand at this minute."""
        self._samples.append((self._requests, self._evictions["size"] + self._evictions["idle"]))

    def _is_pressed(self) -> bool:
        requests, evictions = (
            now - then for now, then in zip(self._samples[-1], self._samples[0], strict=True)
        )
        return len(self._samples) == _SAMPLES and evictions > requests * _TOO_MANY

    def _evicted(self, why: str, n: int = 1) -> None:
        self._evictions[why] += n
        self._count(POOL_EVICTIONS.labels(why), n)

    def _count(self, counter: Counted, n: int = 1) -> None:
        if self._counted:
            counter.inc(n)

    def _note_size(self) -> None:
        if self._counted:
            POOL_SIZE.set(len(self._entries))

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
        self._requests += 1
        self._count(POOL_HITS)
        return entry.provider

    async def get(self, tenant: Tenant) -> P:
        """The tenant's provider; built on a miss. Raises `Unavailable`."""
        provider = self.known(tenant)
        if provider is not None:
            return provider
        self._requests += 1
        self._misses += 1
        self._count(POOL_MISSES)
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
        seconds = time.perf_counter() - started
        self._builds += 1
        self._build_seconds += seconds
        self._count(POOL_BUILDS)
        if self._counted:
            POOL_BUILD_SECONDS.observe(seconds)
        present = self._entries.get(tenant.id)
        known = max(self._heard.get(tenant.id, 0), present.version if present else 0)
        if version >= known and epoch == self._epoch:
            self._entries[tenant.id] = Entry(provider, version, time.monotonic())
            self._note_size()
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
        self._evicted("version")
        self._note_size()
        return True

    def drop_all(self) -> None:
        """Build everything anew; called when changes may have been missed."""
        self._evicted("gap", len(self._entries))
        self._epoch += 1
        self._flights.clear()  # who asks from now on must not wait for what was read before
        self._heard.clear()
        self._entries.clear()
        self._note_size()

    def evict_idle(self) -> int:
        """Put out instances that nobody asked for during the idle time; how many."""
        oldest = time.monotonic() - self._idle_ttl
        idle = [tenant_id for tenant_id, entry in self._entries.items() if entry.used_at < oldest]
        for tenant_id in idle:
            del self._entries[tenant_id]
        if idle:
            self._evicted("idle", len(idle))
            self._note_size()
        return len(idle)

    async def _clean_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._cleanup_interval)
            self.evict_idle()
            self.sample()
