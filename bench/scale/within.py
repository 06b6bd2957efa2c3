"""Resolution and the pool, measured in this process over tenants that are spread over all."""

import os
import random
import time
from collections.abc import Sequence

from bench.installation import Installation
from insula.platform import environment
from insula.platform.seeding.models import slug_of
from insula.platform.wiring import Wiring

_TURNS = 300
_WARM = 5000
#: The same working set at every size: what is asked is what the others cost that lie beside it.
_WORKING_SET = 10


def percentile(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


async def measure(here: Installation, size: int, whole: int) -> dict[str, float]:
    """One round; only tenants below *whole* have keys that open."""
    os.environ.update(here.environment)
    wiring = Wiring(environment.load())
    await wiring.database.open()
    await wiring.platform_database.open()
    try:
        return {**await _resolution(wiring, size), **await _pool(wiring, whole)}
    finally:
        await wiring.close()


def _headers(wiring: Wiring, number: int) -> list[tuple[bytes, bytes]]:
    host = f"{slug_of(number)}.localhost:{wiring.naming.port}"
    return [(b"host", host.encode()), (b"accept", b"*/*")]


async def _resolution(wiring: Wiring, size: int) -> dict[str, float]:
    resolver = wiring.resolver

    async def resolve(headers: list[tuple[bytes, bytes]]) -> float:
        began = time.perf_counter()
        await resolver.resolve(resolver.host(headers), headers, trusted=True)
        return time.perf_counter() - began

    chosen = [_headers(wiring, size * n // _WORKING_SET) for n in range(_WORKING_SET)]
    for headers in chosen:
        await resolve(headers)
    warm = [await resolve(chosen[turn % _WORKING_SET]) for turn in range(_WARM)]
    cold = []
    for number in random.choices(range(size), k=_TURNS):  # noqa: S311  (a sample)
        wiring.directory.forget_all()
        cold.append(await resolve(_headers(wiring, number)))
    return {
        "tenant resolution, warm": percentile(warm, 0.5) * 1e6,
        "tenant resolution, cold": percentile(cold, 0.5) * 1e3,
    }


async def _pool(wiring: Wiring, size: int) -> dict[str, float]:
    misses = []
    for number in random.choices(range(size), k=_TURNS):  # noqa: S311  (a sample)
        tenant = await wiring.directory.find(f"slug:{slug_of(number)}")
        assert tenant is not None  # noqa: S101  (seeded)
        wiring.pool.drop_all()
        began = time.perf_counter()
        await wiring.pool.get(tenant)
        misses.append((time.perf_counter() - began) * 1e3)
    return {"pool miss, p50": percentile(misses, 0.5), "pool miss, p99": percentile(misses, 0.99)}
