"""Writing down what this process counted, and reading what all of them did."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog

from insula.figures import store
from insula.figures.models import (
    CHART_DAYS,
    CHART_WEEKS,
    ISSUED,
    KEPT_DAYS,
    POOL_HIT,
    POOL_MISS,
    REFUSED,
    SIGN_IN,
    SIGN_IN_FAILED,
    TENANT_MADE,
    Counts,
    Day,
    OfClient,
    series,
    weeks,
)
from insula.kernel import clock
from insula.kernel.errors import Unavailable
from insula.kernel.tally import Line, Lines, Tally
from insula.tenancy.db import Connection, Platform, Row, rebind
from insula.tenancy.models import PLATFORMS

_log = structlog.get_logger(__name__)

_EVERY: Final = 30.0
#: Tenants whose counts are one transaction; all processes write them in one order.
_BATCH: Final = 100
#: So many lines are written while somebody waits.
_FEW: Final = 500
_OF_ALL: Final = (SIGN_IN, SIGN_IN_FAILED)


T = TypeVar("T")


def today() -> date:
    return datetime.fromtimestamp(clock.now(), UTC).date()


async def attempt(what: str, work: Awaitable[T]) -> T | None:
    """One figure among others: None if it cannot be had, so that the others are still shown."""
    try:
        return await work
    except Exception:  # noqa: BLE001  (whatever it is, it is logged and concerns one figure)
        _log.exception("figures.failed", figure=what)
        return None


class Keeper:
    """Writes down what was counted, every half minute; *pool* is its hits and misses so far."""

    def __init__(
        self, platform: Platform, tally: Tally, pool: Callable[[], tuple[int, int]]
    ) -> None:
        self._platform = platform
        self._tally = tally
        self._pool = pool
        self._pool_before = (0, 0)
        self._home: UUID | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep_for_ever())

    async def stop(self) -> None:
        """Stop, and write down the last."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            await self.keep()

    async def _keep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            await self.keep()

    async def freshen(self) -> None:
        """`keep` for somebody who waits to see the figures; not where that would take long."""
        if len(self._tally) <= _FEW:
            await self.keep()

    async def keep(self) -> None:
        """
        Write down what was counted since the last time.

        What the database does not take now is counted on and written the next time. A figure is
        worth no refusal: nothing is raised.
        """
        async with self._one_at_a_time:
            left = self._tally.take()
            order = sorted(left)
            try:
                for n in range(0, len(order), _BATCH):
                    some = {tenant_id: left[tenant_id] for tenant_id in order[n : n + _BATCH]}
                    if await self._keep(some):
                        for tenant_id in some:
                            del left[tenant_id]
            finally:  # also where this was cancelled half-way
                self._tally.give_back(left)
            await self._keep_pool()

    async def _keep(self, counted: Mapping[UUID, Lines]) -> bool:
        """Whether nothing is left to be done about these."""
        try:
            async with self._platform.transaction() as db:
                for tenant_id, lines in counted.items():
                    await rebind(db, tenant_id)
                    await store.add(db, [_row(*line) for line in lines.items()], KEPT_DAYS)
                home = await self._platforms(db)
                if sums := _sums(lines for each, lines in counted.items() if each != home):
                    await store.add_to_platform(db, sums)
        except Unavailable:
            return False
        except Exception:  # noqa: BLE001  (a figure is lost, and the next are not)
            _log.exception("figures.lost", tenants=len(counted))
        return True

    async def _platforms(self, db: Connection) -> UUID | None:
        """The tenant whose people run the others: their sign-ins are not those of a customer."""
        if self._home is None:
            self._home = await store.id_of(db, PLATFORMS)
        return self._home

    async def _keep_pool(self) -> None:
        now = self._pool()
        rows = [
            {"day": today().isoformat(), "what": what, "n": after - before}
            for what, after, before in zip(
                (POOL_HIT, POOL_MISS), now, self._pool_before, strict=True
            )
            if after > before
        ]
        if not rows:
            return
        try:
            async with self._platform.transaction() as db:
                await store.add_to_platform(db, rows)
        except Unavailable:
            return  # the difference is written with the next one
        self._pool_before = now


def _row(line: Line, counted: tuple[int, float]) -> dict[str, Any]:
    n, at = counted
    day, client = line.day.isoformat(), line.client or None
    return {"client": client, "day": day, "what": line.what, "n": n, "at": at}


def _sums(counted: Iterable[Lines]) -> list[dict[str, Any]]:
    """What is counted for the platform as a whole too."""
    sums: Counter[tuple[date, str]] = Counter()
    for lines in counted:
        for line, (n, _) in lines.items():
            if line.what in _OF_ALL:
                sums[line.day, line.what] += n
    return [{"day": day.isoformat(), "what": what, "n": n} for (day, what), n in sums.items()]


def _counts(rows: Iterable[Row]) -> Counts:
    return {(row.day, row.what): row.n for row in rows}


async def sign_ins(db: Connection) -> list[Day]:
    """Sign-ins and refused ones of the bound tenant, by day."""
    now = today()
    since = now - timedelta(days=CHART_DAYS)
    return series(_counts(await store.of_tenant(db, since, _OF_ALL)), now, *_OF_ALL)


async def sign_ins_of_all(platform: Platform) -> list[Day]:
    """Sign-ins and refused ones over all tenants but `_platforms`, by day."""
    return await _of_all(platform, SIGN_IN, SIGN_IN_FAILED)


async def pool_use(platform: Platform) -> list[Day]:
    """Requests that found their provider in memory, and those that had to build it, by day."""
    return await _of_all(platform, POOL_HIT, POOL_MISS)


async def _of_all(platform: Platform, good: str, bad: str) -> list[Day]:
    now = today()
    async with platform.transaction() as db:
        rows = await store.of_platform(db, now - timedelta(days=CHART_DAYS), (good, bad))
    return series(_counts(rows), now, good, bad)


async def tenants_made(platform: Platform) -> list[Day]:
    """How many tenants were made, by week."""
    now = today()
    async with platform.transaction() as db:
        since = now - timedelta(weeks=CHART_WEEKS)
        rows = await store.of_platform(db, since, (TENANT_MADE,))
    return weeks(_counts(rows), now, TENANT_MADE)


async def of_client(db: Connection, client: UUID) -> OfClient:
    """What an application was given and refused in the days that are kept."""
    rows = await store.of_client(db, client, today() - timedelta(days=KEPT_DAYS))
    refused: Counter[str] = Counter()
    for row in rows:
        if row.what.startswith(REFUSED):
            refused[row.what.removeprefix(REFUSED)] += row.n
    return OfClient(
        [
            (row.day, row.what.removeprefix(ISSUED), row.n)
            for row in rows
            if row.what.startswith(ISSUED)
        ],
        dict(refused.most_common()),
        max((row.last_at for row in rows), default=None),
    )
