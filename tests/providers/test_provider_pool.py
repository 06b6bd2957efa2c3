"""The pool: an immutable instance for each tenant in use, built once and never changed."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest

from insula.kernel.errors import Unavailable
from insula.kernel.metrics import REGISTRY
from insula.providers import pool as pools
from insula.providers.pool import ProviderPool
from insula.tenancy.db import Tenant


def tenant(version=1, tenant_id=None):
    return Tenant(
        tenant_id or uuid4(), "t", "T", "active", version, (), "t.localhost", "http://t", None
    )


@dataclass(frozen=True)
class Instance:
    tenant_id: UUID
    version: int


class Builder:
    """Builds at once, or when it is let go; knows the newest version of each tenant."""

    def __init__(self):
        self.built = []
        self.newest = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.error = None

    async def __call__(self, tenant):
        version = self.newest.get(tenant.id, tenant.version)  # read before the wait
        await self.gate.wait()
        if self.error:
            raise self.error
        self.built.append(tenant.id)
        return Instance(tenant.id, version), version


def counted(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def build():
    return Builder()


@pytest.fixture
def pool(build):
    return ProviderPool(build, max_size=3, idle_ttl=100)


@pytest.fixture
def later(monkeypatch):
    """Move the pool's clock."""
    passed = 0.0
    real = pools.time.monotonic

    def move(seconds):
        nonlocal passed
        passed += seconds

    monkeypatch.setattr(pools.time, "monotonic", lambda: real() + passed)
    return move


async def test_a_hundred_first_requests_build_once(pool, build):
    before = counted("provider_pool_builds_total")
    cold = tenant()

    found = await asyncio.gather(*(pool.get(cold) for _ in range(100)))

    assert build.built == [cold.id]
    assert counted("provider_pool_builds_total") == before + 1
    assert len(set(map(id, found))) == 1


async def test_a_second_request_waits_for_nothing(pool):
    known = tenant()
    first = await pool.get(known)
    hits = counted("provider_pool_hits_total")

    assert pool.known(known) is first

    assert counted("provider_pool_hits_total") == hits + 1


async def test_the_least_recently_used_makes_room(pool, build):
    first, second, third, fourth = (tenant() for _ in range(4))
    for one in (first, second, third):
        await pool.get(one)
    evicted = counted("provider_pool_evictions_total", why="size")
    await pool.get(first)

    await pool.get(fourth)

    assert pool.known(second) is None
    assert all(pool.known(one) for one in (first, third, fourth))
    assert len(pool) == 3
    assert counted("provider_pool_evictions_total", why="size") == evicted + 1
    assert counted("provider_pool_size") == 3
    await pool.get(second)
    assert build.built.count(second.id) == 2


async def test_an_idle_one_leaves_and_a_used_one_stays(pool, later):
    idle, used = tenant(), tenant()
    await pool.get(idle)
    await pool.get(used)
    later(99)
    await pool.get(used)
    assert pool.evict_idle() == 0

    later(2)

    assert pool.evict_idle() == 1
    assert pool.known(idle) is None
    assert pool.known(used) is not None


async def test_idle_ones_leave_by_themselves(build, later):
    pool = ProviderPool(build, idle_ttl=100, cleanup_interval=0.01)
    await pool.start()
    await pool.get(tenant())
    later(101)
    await asyncio.sleep(0.05)

    assert len(pool) == 0
    await pool.stop()


async def test_a_newer_version_replaces_an_instance_which_its_user_keeps(pool, build):
    old = tenant(version=1)
    held = await pool.get(old)
    build.newest[old.id] = 2

    assert pool.changed(old.id, 2)

    assert pool.known(old) is None
    fresh = await pool.get(replace(old, version=2))
    assert (held.version, fresh.version) == (1, 2)


@pytest.mark.parametrize("heard", [1, 2])
async def test_old_and_repeated_news_change_nothing(pool, build, heard):
    present = tenant(version=2)
    first = await pool.get(present)

    assert not pool.changed(present.id, heard)

    assert pool.known(present) is first
    assert build.built == [present.id]


async def test_a_request_that_knows_a_newer_tenant_gets_a_newer_instance(pool, build):
    old = tenant(version=1)
    await pool.get(old)
    build.newest[old.id] = 2

    found = await pool.get(replace(old, version=2))

    assert found.version == 2


async def test_a_change_heard_during_a_build_is_not_lost(pool, build):
    old = tenant(version=1)
    build.gate.clear()
    waiting = asyncio.create_task(pool.get(old))
    await settle()
    build.newest[old.id] = 2

    pool.changed(old.id, 2)
    build.gate.set()

    assert (await waiting).version == 1  # asked for before the change
    assert pool.known(old) is None
    assert (await pool.get(old)).version == 2


async def test_whoever_knows_of_a_change_does_not_wait_for_what_was_read_before_it(pool, build):
    old = tenant(version=1)
    build.gate.clear()
    before = asyncio.create_task(pool.get(old))
    await settle()
    build.newest[old.id] = 2

    after = asyncio.create_task(pool.get(replace(old, version=2)))
    await settle()
    build.gate.set()

    assert (await before).version == 1
    assert (await after).version == 2
    assert pool.known(replace(old, version=2)).version == 2


async def test_what_was_read_before_a_gap_is_not_kept(pool, build):
    old = tenant(version=1)
    build.gate.clear()
    waiting = asyncio.create_task(pool.get(old))
    await settle()

    pool.drop_all()
    build.gate.set()
    await waiting

    assert len(pool) == 0
    assert pool.known(old) is None


async def test_an_instance_that_was_put_out_finishes_its_request(pool):
    first = tenant()
    held = await pool.get(first)
    for _ in range(3):
        await pool.get(tenant())

    assert pool.known(first) is None
    assert held == Instance(first.id, 1)


async def test_one_callers_departure_does_not_end_the_build(pool, build):
    cold = tenant()
    build.gate.clear()
    gone, stays = (asyncio.create_task(pool.get(cold)) for _ in range(2))
    await settle()

    gone.cancel()
    with suppress(asyncio.CancelledError):
        await gone
    build.gate.set()

    assert await stays == Instance(cold.id, 1)
    assert build.built == [cold.id]


async def test_a_build_that_nobody_waits_for_any_more_is_kept(pool, build):
    cold = tenant()
    build.gate.clear()
    gone = asyncio.create_task(pool.get(cold))
    await settle()
    gone.cancel()
    with suppress(asyncio.CancelledError):
        await gone

    build.gate.set()
    await settle()

    assert pool.known(cold) is not None


async def test_a_build_that_fails_fails_for_all_who_wait_and_is_tried_again(pool, build):
    cold = tenant()
    build.error = Unavailable("the database is away")

    found = await asyncio.gather(*(pool.get(cold) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(error, Unavailable) for error in found)
    build.error = None

    assert await pool.get(cold) == Instance(cold.id, 1)


async def test_tenants_are_built_side_by_side(pool, build):
    build.gate.clear()
    cold = [tenant() for _ in range(3)]

    waiting = [asyncio.create_task(pool.get(one)) for one in cold]
    await settle()
    build.gate.set()

    assert {i.tenant_id for i in await asyncio.gather(*waiting)} == {one.id for one in cold}


@pytest.mark.spec("features B05", "features D05")
async def test_to_look_whether_an_instance_is_ready_is_not_to_use_it(build):
    pool = ProviderPool(build, max_size=2)
    first, second, third = tenant(), tenant(), tenant()
    assert pool.idle(first.id) is None
    for asked in (first, second):
        await pool.get(asked)
    assert 0 <= pool.idle(second.id) <= pool.idle(first.id) < 5
    await pool.get(third)  # puts out whoever was used longest ago

    assert pool.idle(first.id) is None
    assert pool.idle(second.id) is not None
    assert pool.figures().requests == 3


@pytest.mark.spec("features B05")
async def test_the_figures_say_what_happened_and_when_room_is_short(build):
    pool = ProviderPool(build, max_size=2)
    assert pool.figures().warm is None
    known = tenant()
    for asked in (known, known, tenant()):
        await pool.get(asked)
    assert pool.changed(known.id, 2)

    figures = pool.figures()
    assert (figures.size, figures.max_size, figures.requests) == (1, 2, 3)
    assert (figures.misses, figures.builds, figures.warm) == (2, 2, pytest.approx(1 / 3))
    assert figures.evictions == {"version": 1}  # a change is no want of room
    for _ in range(6):
        pool.sample()
    assert not pool.figures().is_pressed

    for _ in range(5):
        for _ in range(20):
            await pool.get(tenant())
        pool.sample()
    assert pool.figures().evictions["size"] == 99
    assert pool.figures().is_pressed
    for _ in range(6):  # and five quiet minutes later not any more
        pool.sample()
    assert not pool.figures().is_pressed
