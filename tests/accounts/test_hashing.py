"""Hashing is dear: it is bounded, tenants take turns, and who goes away gives the place back."""

import asyncio
import threading
from uuid import uuid4

import pytest
from argon2 import extract_parameters

from insula.accounts.hashing import FairPool, Passwords
from insula.accounts.settings import Hashing
from insula.kernel.errors import Unavailable

pytestmark = pytest.mark.spec("features CR-13")

A, B, C = uuid4(), uuid4(), uuid4()


class Bench:
    """One thread, work that waits until it is let, and the order in which it was done."""

    def __init__(self, **limits):
        self.pool = FairPool(1, **{"queue": 50, "queue_per_tenant": 20, **limits})
        self.order = []
        self._go = threading.Semaphore(0)
        self._tasks = []

    def work(self, label):
        def run():
            self._go.acquire(timeout=10)
            self.order.append(label)
            return label

        return run

    async def ask(self, tenant, label):
        task = asyncio.create_task(self.pool.run(tenant, self.work(label)))
        self._tasks.append(task)
        await asyncio.sleep(0)
        return task

    async def finish(self):
        for _ in range(100):
            self._go.release()
        async with asyncio.timeout(5):
            return await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def bench():
    benches = []

    def make(**limits):
        benches.append(Bench(**limits))
        return benches[-1]

    yield make
    for each in benches:
        await each.finish()
        each.pool.close()


async def test_tenants_that_wait_are_served_in_turn(bench):
    one = bench()
    await one.ask(A, "running")
    for n in range(5):
        await one.ask(A, f"a{n}")
    for n in range(2):
        await one.ask(B, f"b{n}")
    await one.ask(C, "c0")
    await one.finish()
    assert one.order == ["running", "a0", "b0", "c0", "a1", "b1", "a2", "a3", "a4"]


async def test_a_full_queue_is_an_honest_503_with_a_time_to_come_back(bench):
    one = bench(queue=2)
    for n in range(3):  # one runs, two wait
        await one.ask(A, n)
    with pytest.raises(Unavailable) as refusal:
        await one.pool.run(B, one.work("too much"))
    assert refusal.value.retry_after > 0


async def test_a_tenant_that_floods_fills_its_own_queue_only(bench):
    one = bench(queue_per_tenant=2)
    for n in range(3):
        await one.ask(A, f"a{n}")
    with pytest.raises(Unavailable):
        await one.pool.run(A, one.work("too much"))
    await one.ask(B, "b")
    assert await one.finish() == ["a0", "a1", "a2", "b"]


async def test_who_goes_away_gives_the_place_back_at_once(bench):
    one = bench(queue=2)
    await one.ask(A, "running")
    waiting = [await one.ask(A, n) for n in range(2)]
    with pytest.raises(Unavailable):
        await one.pool.run(B, one.work("too much"))
    waiting[0].cancel()
    await asyncio.sleep(0)
    await one.ask(B, "b")
    await one.finish()
    assert one.order == ["running", 1, "b"]


async def test_who_goes_away_while_being_served_ends_nothing(bench):
    one = bench()
    running = await one.ask(A, "running")
    await one.ask(A, "next")
    running.cancel()
    await one.finish()
    assert one.order == ["running", "next"]


async def test_work_that_fails_fails_its_caller_alone(bench):
    one = bench()

    def broken():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await one.pool.run(A, broken)
    task = await one.ask(A, "next")
    await one.finish()
    assert task.result() == "next"


async def test_a_pool_that_closes_leaves_nobody_waiting(bench):
    one = bench()
    await one.ask(A, "running")
    last = await one.ask(A, "never")
    one.pool.close()
    results = await one.finish()
    assert results[0] == "running"
    assert last.done()


@pytest.mark.spec("security row 56")
async def test_a_hash_is_argon2id_of_the_floor_at_least_with_its_own_salt(passwords):
    first, second = [await passwords.hash(A, "seventeen green umbrellas") for _ in range(2)]
    assert first != second
    parameters = extract_parameters(first)
    assert parameters.type.name == "ID"
    assert parameters.memory_cost >= 19 * 1024
    assert parameters.time_cost >= 2


@pytest.mark.spec("security row 55")
async def test_a_password_fits_as_typed_and_no_other(passwords):
    long = "x\u00fcy" * 40
    stored = await passwords.hash(A, long)
    assert await passwords.verify(A, stored, long)
    assert await passwords.verify(A, stored, "xu\u0308y" * 40)  # decomposed
    for other in (long + " ", long[:-1], long[:-1] + "z", long.upper(), ""):
        assert not await passwords.verify(A, stored, other)


@pytest.mark.spec("security row 63")
@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=1,t=1,p=1$x$y"])
async def test_without_a_usable_hash_nothing_fits(passwords, stored, monkeypatch):
    """Not even what the hash is of that stands in for the missing one."""
    monkeypatch.setattr(passwords, "_dummy", await passwords.hash(A, "somebody else"))
    assert not await passwords.verify(A, stored, "somebody else")


async def test_what_stands_in_for_a_missing_hash_is_a_hash_of_the_same_shape(passwords):
    stand_in, real = passwords._dummy, await passwords.hash(A, "seventeen green umbrellas")  # noqa: SLF001  (nobody is told it)
    assert extract_parameters(stand_in) == extract_parameters(real)
    assert not passwords.is_stale(stand_in)
    assert not await passwords.verify(A, stand_in, "")  # it is read and worked through like any


async def test_a_hash_of_another_cost_is_stale(passwords):
    dearer = Passwords(Hashing(passes=3))
    stored = await dearer.hash(A, "seventeen green umbrellas")
    assert passwords.is_stale(stored)
    assert not dearer.is_stale(stored)
    assert await passwords.verify(A, stored, "seventeen green umbrellas")
    dearer.close()


@pytest.mark.spec("security row 56")
async def test_hashing_does_not_hold_up_the_event_loop(passwords):
    longest = 0.0
    loop = asyncio.get_running_loop()

    async def pulse():
        nonlocal longest
        while True:
            before = loop.time()
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - before)

    beating = asyncio.create_task(pulse())
    await asyncio.gather(*(passwords.hash(A, f"umbrella number {n}") for n in range(6)))
    beating.cancel()
    assert longest < 0.25
