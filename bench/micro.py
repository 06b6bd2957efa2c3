"""Single parts, measured alone in this process: resolution, the pool, row-level security."""

import asyncio
import os
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg

from bench import timing
from bench.figure import Figure
from bench.installation import Installation
from insula.kernel.db import Database
from insula.kernel.one_trip import statement
from insula.platform import environment
from insula.platform.wiring import Wiring
from insula.providers.store import access_tokens
from insula.tenancy.db import Tenant

#: Made by statement, not by use case: what is measured is the reading of so many lines.
_MANY = """
    insert into insula.tenants (slug, display_name)
    select 'many' || lpad(n::text, 6, '0'), 'Many' from generate_series(%s::int, %s::int) n
"""


async def _median_us(work: Callable[[], Awaitable[object]], turns: int) -> float:
    times = []
    for _ in range(turns):
        began = time.perf_counter()
        await work()
        times.append(time.perf_counter() - began)
    times.sort()
    return times[len(times) // 2] * 1e6


def _percentile(times: list[float], share: float) -> float:
    times.sort()
    return times[min(int(len(times) * share), len(times) - 1)]


async def figures(here: Installation, slug: str, superuser_url: str) -> list[Figure]:
    """All micro-benchmarks, on the database of an installation."""
    os.environ.update(here.environment)
    wiring = Wiring(environment.load())
    await wiring.database.open()
    await wiring.platform_database.open()
    try:
        found = [
            *await _resolution(wiring, slug, superuser_url),
            *await _pool(wiring, slug),
            *await _row_level_security(wiring, slug, superuser_url),
            *await timing.figures(wiring, slug),
        ]
    finally:
        await wiring.close()
    return found


async def _resolution(wiring: Wiring, slug: str, superuser_url: str) -> list[Figure]:
    resolver, host = wiring.resolver, f"{slug}.localhost"
    headers = [(b"host", f"{host}:{wiring.naming.port}".encode()), (b"accept", b"*/*")]

    async def warm() -> None:
        await resolver.resolve(resolver.host(headers), headers, trusted=True)

    async def cold() -> None:
        wiring.directory.forget_all()
        await resolver.resolve(resolver.host(headers), headers, trusted=True)

    await warm()
    warm_10, cold_10 = await _median_us(warm, 5000), await _median_us(cold, 300)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(_MANY, (1, 10_000))
        connection.execute("analyze insula.tenants")
    warm_10k, cold_10k = await _median_us(warm, 5000), await _median_us(cold, 300)
    return [
        Figure("tenant resolution, warm", warm_10, "µs", "budget: under 20 µs"),
        Figure("the same with 10,000 tenants", warm_10k / warm_10, "x", "budget: at most 1.1"),
        Figure("tenant resolution, cold (asks the database)", cold_10 / 1000, "ms", ""),
        Figure("the same with 10,000 tenants", cold_10k / cold_10, "x", ""),
    ]


async def _pool(wiring: Wiring, slug: str) -> list[Figure]:
    tenant = await wiring.directory.find(f"slug:{slug}")
    assert tenant is not None  # noqa: S101  (seeded)
    pool = wiring.pool

    async def hit() -> object:
        return pool.known(tenant)

    await pool.get(tenant)
    hit_us = await _median_us(hit, 5000)
    misses = []
    for _ in range(300):
        pool.drop_all()
        began = time.perf_counter()
        await pool.get(tenant)
        misses.append((time.perf_counter() - began) * 1000)
    builds = await _builds_for_parallel_requests(wiring, tenant)
    return [
        Figure("pool hit", hit_us, "µs"),
        Figure("pool miss, p50", _percentile(misses, 0.5), "ms", "two queries"),
        Figure("pool miss, p99", _percentile(misses, 0.99), "ms", "budget: under 25 ms"),
        Figure("builds for 100 parallel requests", builds, "", "budget: 1"),
        Figure("one pooled tenant", await _instance_kb(wiring, tenant), "kB", "budget: 50 kB"),
    ]


async def _builds_for_parallel_requests(wiring: Wiring, tenant: Tenant) -> float:
    wiring.pool.drop_all()
    providers = await asyncio.gather(*(wiring.pool.get(tenant) for _ in range(100)))
    return float(len({id(provider) for provider in providers}))


async def _instance_kb(wiring: Wiring, tenant: Tenant) -> float:
    """Memory of an instance, from a hundred of them kept side by side."""
    builder = wiring.pool._build  # noqa: SLF001  (the pool would keep only one)
    kept = [await builder(tenant)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept += [await builder(tenant) for _ in range(100)]
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used / 100 / 1024


_BYPASS = """
    create role bench_bypass login bypassrls password 'bench';
    grant insula_app to bench_bypass;
"""
_ONE_TABLE = statement(
    "select id from insula.users where tenant_id = %(tenant_id)s and username_norm = %(name)s",
    {"tenant_id": "uuid", "name": "text"},
)


async def _row_level_security(wiring: Wiring, slug: str, superuser_url: str) -> list[Figure]:
    """The same indexed lookups as the serving role and as one that the policies do not hold."""
    tenant = await wiring.directory.find(f"slug:{slug}")
    assert tenant is not None  # noqa: S101  (for the type checker)
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute(_BYPASS)
    parts = urlsplit(superuser_url)
    bypass_url = urlunsplit(
        parts._replace(netloc=f"bench_bypass:bench@{parts.hostname}:{parts.port}")
    )
    bypassing = Database(bypass_url, size=1, application="insula-bench")
    await bypassing.open()
    found = []
    for name, act, params in (
        ("one table", _ONE_TABLE, {"name": "ada"}),
        ("six tables, as userinfo joins them", access_tokens.FIND_ISSUE, _NO_ISSUE),
    ):
        held, free = [], []
        for _ in range(9):  # in turns, so that both meet the same weather
            held.append(await _median_us(partial(tenant.once, act, params), 300))
            free.append(await _median_us(partial(bypassing.once, tenant.id, act, params), 300))
        found += [
            Figure(f"one trip, {name}", min(held), "µs"),
            Figure(
                "row-level security on against off",
                (min(held) / min(free) - 1) * 100,
                "%",
                "budget: at most 5 %",
            ),
        ]
    await bypassing.close()
    return found


_NO_ISSUE = {"issue": UUID(int=1), "jti_hash": bytes(32)}
