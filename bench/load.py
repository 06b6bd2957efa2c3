"""Running a flow over so many connections for so long, and what came of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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


async def measure(
    here: Loaded,
    make_turn: Make,
    *,
    connections: int = CONNECTIONS,
    seconds: float = 4.0,
    warm_up: float = 1.0,
) -> Result:
    """Run a flow on *connections* connections; *make_turn* prepares one for each."""
    turns = [await make_turn(number) for number in range(connections)]
    lines = [await connect(here.port) for _ in turns]
    times: list[float] = []
    counting = False
    stop = asyncio.Event()

    async def drive(turn: Turn, line: Connection) -> None:
        while not stop.is_set():
            began = time.perf_counter()
            await turn(line)
            if counting:
                times.append(time.perf_counter() - began)

    tasks = [
        asyncio.create_task(drive(turn, line)) for turn, line in zip(turns, lines, strict=True)
    ]
    await asyncio.sleep(warm_up)
    trips, cpu, started = await here.trips(), here.cpu_seconds(), time.perf_counter()
    counting = True
    await asyncio.sleep(seconds)
    counting = False
    elapsed = time.perf_counter() - started
    cpu, trips = here.cpu_seconds() - cpu, await here.trips() - trips
    stop.set()
    await asyncio.gather(*tasks)
    for line in lines:
        line.close()
    times.sort()
    count = len(times) or 1

    def percentile(share: float) -> float:
        return times[min(int(len(times) * share), len(times) - 1)] * 1000 if times else 0.0

    return Result(
        len(times), elapsed, percentile(0.5), percentile(0.95), percentile(0.99),
        cpu / count * 1000, trips / count,
    )  # fmt: skip
