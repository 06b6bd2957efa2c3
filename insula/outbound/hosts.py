"""
How hosts behave, as each party has met them: places to ask in, and a breaker.

Both are kept by party and host together. If they were kept by host alone, one tenant could make a
host look away, or keep its places taken, for every other.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from insula.outbound.errors import AddressRefused, Busy, OutboundError, Unreachable
from insula.outbound.settings import OutboundRules

_MOST_REMEMBERED: Final = 4096


@dataclass(slots=True)
class _Host:
    places: asyncio.Semaphore
    users: int = 0  # under way or waiting
    failures: int = 0  # in a row
    opened_at: float | None = None  # when the breaker opened; None while it is closed
    on_trial: bool = False  # one request is finding out whether the host is back


class Hosts:
    """*clock* tells seconds that only grow."""

    def __init__(self, rules: OutboundRules, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._hosts: OrderedDict[tuple[str, str], _Host] = OrderedDict()
        self._parties: Counter[str] = Counter()

    @asynccontextmanager
    async def turn(self, party: str, authority: str, deadline: float) -> AsyncIterator[None]:
        """
        Hold a place at *authority* while the caller asks it; *deadline* is in the loop's time.

        What the caller raises inside tells how the host is. Raises `Unreachable` while the breaker
        is open, `Busy` if there is no place in time.
        """
        if self._parties[party] >= self._rules.per_party:
            raise _busy("too many requests of one party")
        if self._parties.total() >= self._rules.at_once:
            raise _busy("too many requests")
        host = self._host(party, authority)
        trial = self._pass_breaker(host)
        self._parties[party] += 1
        host.users += 1
        try:
            await self._take_place(host, deadline)
            try:
                async with self._noting(host):
                    yield
            finally:
                host.places.release()
        finally:
            host.users -= 1
            if trial:
                host.on_trial = False
            self._parties[party] -= 1
            if not self._parties[party]:
                del self._parties[party]

    def _host(self, party: str, authority: str) -> _Host:
        key = (party, authority)
        host = self._hosts.setdefault(key, _Host(asyncio.Semaphore(self._rules.per_host)))
        self._hosts.move_to_end(key)
        if len(self._hosts) > _MOST_REMEMBERED:
            oldest = next(k for k, known in self._hosts.items() if not known.users)
            del self._hosts[oldest]
        return host

    def _pass_breaker(self, host: _Host) -> bool:
        """Whether this request is the one that tries a host which was left alone."""
        if host.opened_at is None:
            return False
        rest = host.opened_at + self._rules.rest_seconds - self._clock()
        if rest > 0 or host.on_trial:
            raise Unreachable(
                "The host does not answer.", retry_after=max(1, int(rest)), detail="breaker is open"
            )
        host.on_trial = True
        return True

    async def _take_place(self, host: _Host, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await host.places.acquire()
        except TimeoutError:
            raise _busy("no place at this host in time") from None

    @asynccontextmanager
    async def _noting(self, host: _Host) -> AsyncIterator[None]:
        try:
            yield
        except Unreachable:
            host.failures += 1
            if host.failures >= self._rules.failures_to_open:
                host.opened_at = self._clock()
            raise
        except (AddressRefused, Busy):  # it was not asked
            raise
        except OutboundError:
            _healed(host)
            raise
        _healed(host)


def _healed(host: _Host) -> None:
    host.failures = 0
    host.opened_at = None


def _busy(detail: str) -> Busy:
    return Busy("Try again later.", detail=detail)
