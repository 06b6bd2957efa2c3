"""
Staying current: events at once, and a poll every few seconds as the safety net.

The poll looks back to the oldest transaction that was running at the last one, so a change
that took its number early and committed late is seen too (functions.sql, changes_since).
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

import structlog

from insula.kernel.db import Database
from insula.kernel.errors import Unavailable
from insula.kernel.events import Bus
from insula.tenancy import store

_log = structlog.get_logger(__name__)

#: What to do with a tenant that is now at least at this version.
OnChange = Callable[[UUID, int], None]


class ChangeFeed:
    """
    Hears of changed tenants and tells *on_change*; *on_gap* when changes may have been missed.

    *every* is the seconds between two polls; a stale answer lives no longer than that.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        on_change: OnChange,
        on_gap: Callable[[], None],
        *,
        every: float = 3.0,
    ) -> None:
        self._database = database
        self._bus = bus
        self._on_change = on_change
        self._on_gap = on_gap
        self._every = every
        self._mark = ""
        self._ask = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._poll_for_ever()),
            asyncio.create_task(self._bus.listen(self._heard, self._ask.set)),
        ]

    async def stop(self) -> None:
        pending = set(self._tasks)
        while pending:  # a driver on the way may swallow one cancellation
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=1)

    def _heard(self, tenant_id: UUID, _kind: str, version: int) -> None:
        self._on_change(tenant_id, version)

    async def poll(self) -> None:
        """Ask once. Raises `Unavailable`."""
        changes = await store.changes_since(self._database, self._mark)
        if not self._mark:
            self._on_gap()  # whatever was read before there was a mark may have changed since
        elif changes.gap:
            # Away for too long, or another server, or a restored one: ask for everything anew.
            _log.warning("changes.gap")
            self._on_gap()
        self._mark = changes.mark
        for tenant_id, version in changes.tenants:
            self._on_change(tenant_id, version)

    async def _poll_for_ever(self) -> None:
        while True:
            self._ask.clear()  # before asking: who asks meanwhile is answered by another poll
            try:
                await self.poll()
            except Unavailable as error:
                _log.warning("changes.poll_failed", error=error.detail)
            except Exception:  # noqa: BLE001  (the net must hold, whatever is wrong with one poll)
                _log.exception("changes.poll_broken")
            try:
                async with asyncio.timeout(self._every):
                    await self._ask.wait()
            except TimeoutError:
                continue
