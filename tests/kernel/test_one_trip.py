"""The one-trip door after something went wrong in the middle of it."""

import asyncio
from uuid import UUID

import psycopg
import psycopg_pool
import pytest
from psycopg import pq

from insula.kernel.connections import Connections
from insula.kernel.errors import Unavailable
from insula.kernel.one_trip import statement

TENANT = UUID(int=1)
DIVIDE = statement("select 1 / %(n)s::int as n", {"n": "integer"})
SLOW = statement("select pg_sleep(%(n)s::int)", {"n": "integer"})


async def test_an_error_at_first_use_does_not_cost_the_process_its_plans(app_db):
    for n in (0, 1, 0, 1):
        if n:
            assert [row.n for row in await app_db.once(TENANT, DIVIDE, {"n": n})] == [1]
        else:
            with pytest.raises(psycopg.errors.DivisionByZero):
                await app_db.once(TENANT, DIVIDE, {"n": n})

    assert app_db._trips._keeps_plans  # noqa: SLF001  (nothing else tells)


async def test_a_server_that_says_nothing_is_away(app_db, monkeypatch):
    monkeypatch.setattr("insula.kernel.one_trip._SILENCE", 0.2)

    with pytest.raises(Unavailable):
        await app_db.once(TENANT, SLOW, {"n": 20})
    assert [row.n for row in await app_db.once(TENANT, DIVIDE, {"n": 1})] == [1]


@pytest.fixture
async def pool(database):
    async with psycopg_pool.AsyncConnectionPool(database.app, min_size=1, max_size=1) as pool:
        yield pool


async def test_a_connection_at_hand_is_lent_again_and_a_broken_one_never(pool):
    connections = Connections(pool)
    first = await connections.take()
    connections.give(first)
    assert await connections.take() is first
    connections.give(first)

    first.pgconn.finish()  # it dies while nobody has it
    second = await connections.take()

    assert second is not first
    assert (await (await second.execute("select 1")).fetchone()) == (1,)
    connections.give(second)  # in a transaction: it is not at hand, and the pool cleans it
    third = await connections.take()
    assert third.pgconn.transaction_status == pq.TransactionStatus.IDLE
    connections.give(third)
    await connections.put_back()
    assert pool.get_stats()["pool_available"] == 1


async def test_who_waits_for_the_pool_comes_before_who_would_have_it_at_hand(pool):
    connections = Connections(pool)
    held = await connections.take()
    waiting = [asyncio.create_task(connections.take()) for _ in range(2)]
    await asyncio.sleep(0.05)
    waiting[0].cancel()

    connections.give(held)
    lent = await asyncio.wait_for(waiting[1], 5)

    assert lent is held
    connections.give(lent)
    await connections.put_back()


async def test_what_is_not_needed_goes_back_by_itself(pool, monkeypatch):
    monkeypatch.setattr("insula.kernel.connections._AT_HAND", 0.05)
    connections = Connections(pool)
    connections.give(await connections.take())
    assert pool.get_stats()["pool_available"] == 0
    await pool.putconn(await pool.getconn(5))
