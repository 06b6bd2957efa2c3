"""Running a flow over so many connections for so long, and what came of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bench.http import Connection, connect

CONNECTIONS = 16
#: One turn of a flow on one connection.
Turn = Callable[[Connection], Awaitable[object]]
#: Prepares the turns of one connection, by its number.
Make = Callable[[int], Awaitable[Turn]]


class Loaded(Protocol):
    """A server under load, and what it tells of its work."""

    @property
    def port(self) -> int:
        """Where it answers, on this machine."""

    def cpu_seconds(self) -> float:
        """What it has used of its core since it began."""

    async def trips(self) -> float:
        """Database round trips that requests have made so far."""


@dataclass(frozen=True, slots=True)
class Result:
    """Times in milliseconds; per turn of the flow, which may be several requests."""

    turns: int
    seconds: float
    p50: float
    p95: float
    p99: float
    cpu_ms: float
    trips: float

    @property
    def per_second(self) -> float:
        return self.turns / self.seconds


@dataclass(slots=True)
class Load:
    """A flow on so many connections to one server; it can be held, and go on after others."""

    here: Loaded
    turns: Sequence[Turn]
    lines: Sequence[Connection]
    times: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    trips: float = 0.0
    #: Turns between two looks at the trips, which take their time: not those that are counted.
    turns_of_trips: int = 0

    async def run(self, seconds: float, warm_up: float) -> None:
        """Count for so many seconds, after a while that is not counted."""
        counting, stop, made = False, False, 0

        async def drive(turn: Turn, line: Connection) -> None:
            nonlocal made
            while not stop:
                began = time.perf_counter()
                await turn(line)
                made += 1
                if counting:
                    self.times.append(time.perf_counter() - began)

        pairs = zip(self.turns, self.lines, strict=True)
        tasks = [asyncio.create_task(drive(turn, line)) for turn, line in pairs]
        await asyncio.sleep(warm_up)
        trips, before = await self.here.trips(), made
        cpu, started = self.here.cpu_seconds(), time.perf_counter()
        counting = True
        await asyncio.sleep(seconds)
        counting = False
        self.seconds += time.perf_counter() - started
        self.cpu += self.here.cpu_seconds() - cpu
        self.trips += await self.here.trips() - trips
        self.turns_of_trips += made - before
        stop = True
        await asyncio.gather(*tasks)

    def close(self) -> None:
        for line in self.lines:
            line.close()

    def result(self) -> Result:
        """What came of all runs together."""
        times = sorted(self.times)
        count = len(times) or 1

        def percentile(share: float) -> float:
            return times[min(int(len(times) * share), len(times) - 1)] * 1000 if times else 0.0

        return Result(
            len(times), self.seconds, percentile(0.5), percentile(0.95), percentile(0.99),
            self.cpu / count * 1000, self.trips / (self.turns_of_trips or 1),
        )  # fmt: skip


async def prepared(here: Loaded, make: Make) -> Load:
    """A flow on its connections, ready to run."""
    turns = [await make(number) for number in range(CONNECTIONS)]
    return Load(here, turns, [await connect(here.port) for _ in turns])
