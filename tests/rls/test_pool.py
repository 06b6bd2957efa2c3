"""What a pool hands out is clean, whatever befell whoever had it before (security R4 to R7)."""

import asyncio
import random
from contextlib import suppress
from urllib.parse import urlsplit

import psycopg
import pytest
from cuttable import Wire
from foundation import opened
from sqlalchemy import text

from insula.kernel.db import trips
from insula.kernel.errors import Unavailable
from insula.kernel.one_trip import statement

OWNERS = statement("select tenant_id, pg_sleep(%(nap)s) as nap from insula.users")
BROKEN = statement("select 1/(n - n) from (select count(*) as n from insula.users) x")
ADD = statement("insert into insula.users (username, username_norm) values (%(n)s, %(n)s)")
_SETTING = "select current_setting('insula.tenant_id', true) as tenant"
_UNBOUND = """
    select current_setting('insula.tenant_id', true) as tenant,
           (select count(*) from insula.users) as n
"""


class Fuzz:
    """Requests of two tenants over one small pool, each of which may be cut off anywhere."""

    def __init__(self, db, tenants, seed):
        self._db = db
        self._tenants = tenants
        self._random = random.Random(seed)  # noqa: S311  (which request is cut off, no secret)
        self.finished = self.cancelled = 0

    async def run(self, seconds):
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        await asyncio.gather(*(self._client(loop, until) for _ in range(8)))

    async def _client(self, loop, until):
        acts = (self._once, self._transaction, self._savepoint, self._error, self._look)
        while loop.time() < until:
            tenant = self._random.choice(self._tenants)
            task = asyncio.create_task(self._random.choice(acts)(tenant))
            if self._random.random() < 0.6:
                loop.call_later(self._random.random() * 0.012, task.cancel)
            try:
                await task
                self.finished += 1
            except asyncio.CancelledError:
                self.cancelled += 1

    def _nap(self):
        return self._random.random() * 0.004

    async def _once(self, tenant):
        rows = await self._db.once(tenant, OWNERS, {"nap": self._nap()})
        assert {row.tenant_id for row in rows} == {tenant}

    async def _transaction(self, tenant):
        async with self._db.transaction(tenant) as db:
            await self._owners(db, tenant)
            await asyncio.sleep(self._nap())
            await self._owners(db, tenant)

    async def _savepoint(self, tenant):
        async with self._db.transaction(tenant) as db:
            with suppress(ZeroDivisionError):
                async with db.begin_nested():
                    await self._owners(db, tenant)
                    raise ZeroDivisionError
            await self._owners(db, tenant)

    async def _error(self, tenant):
        with pytest.raises(psycopg.errors.DivisionByZero):
            await self._db.once(tenant, BROKEN, {})

    async def _look(self, _tenant):
        """A check-out without a tenant, from each pool: bound to nobody, seeing nothing."""
        (row,) = await self._db.fetch(_UNBOUND)
        assert not row.tenant
        assert row.n == 0
        async with self._db.transaction() as db:
            assert not await db.scalar(text(_SETTING))
            assert await db.scalar(text("select count(*) from insula.users")) == 0

    async def _owners(self, db, tenant):
        rows = await db.execute(
            text("select tenant_id, pg_sleep(:nap) from insula.users"), {"nap": self._nap()}
        )
        assert {row.tenant_id for row in rows} == {tenant}


@pytest.mark.spec("security R4", "security R7", "security 3.3 h")
async def test_cancellation_anywhere_leaves_no_dirty_connection_and_no_foreign_row(
    database, two_houses
):
    seed = random.SystemRandom().randrange(1 << 30)
    print("seed", seed)  # noqa: T201  (pytest shows it when the test fails)
    async with opened(database.app, size=3) as db:
        fuzz = Fuzz(db, [house.tenant.id for house in two_houses], seed)
        await fuzz.run(3)
        assert fuzz.finished > 50
        assert fuzz.cancelled > 50
        with psycopg.connect(database.superuser) as behind:
            stuck = behind.execute("""
                select count(*) from pg_stat_activity
                 where application_name = 'insula-tests' and datname = current_database()
                   and state like 'idle in transaction%'
            """).fetchone()
        assert stuck == (0,)


async def test_an_error_in_one_trip_takes_everything_back_and_leaves_the_connection_clean(
    database, house
):
    tenant = house.tenant
    insert_then_fail = statement("""
        with made as (
          insert into insula.users (username, username_norm) values ('ghost', 'ghost') returning id
        ) select 1/(count(*) - count(*)) from made
    """)
    async with opened(database.app, size=1) as db:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await db.once(tenant.id, insert_then_fail, {})
        rows = await db.fetch(f"{_SETTING}, pg_backend_pid() as pid")
        assert not rows[0].tenant
        found = await db.once(
            tenant.id, statement("select 1 from insula.users where username = 'ghost'"), {}
        )
        assert found == []


async def test_one_trip_is_one_trip_and_is_committed(app_db, house):
    counter = [0]
    token = trips.set(counter)
    await app_db.once(house.tenant.id, ADD, {"n": "grace"})
    trips.reset(token)
    assert counter == [1]
    rows = await app_db.once(
        house.tenant.id, statement("select username from insula.users order by 1"), {}
    )
    assert "grace" in {row.username for row in rows}


async def test_values_are_sent_as_values(app_db, house):
    hostile = "'; rollback; select set_config('insula.tenant_id', '', false); --"
    await app_db.once(house.tenant.id, ADD, {"n": hostile})
    rows = await app_db.once(
        house.tenant.id,
        statement("select username from insula.users where username = %(n)s"),
        {"n": hostile},
    )
    assert [row.username for row in rows] == [hostile]


async def test_a_waiting_crowd_is_refused_after_a_while_and_not_for_ever(database, house):
    async with opened(database.app, size=1) as db, db.transaction(house.tenant.id):
        with pytest.raises(Unavailable):
            async with db.transaction(house.tenant.id):
                pass


async def test_a_database_that_is_not_there_is_unavailable():
    gone = "postgresql://insula_app:insula_app@127.0.0.1:1/insula"
    async with opened(gone) as db:
        async with asyncio.timeout(5):
            with pytest.raises(Unavailable):
                await db.fetch("select 1")
        with pytest.raises(Unavailable):
            async with db.transaction():
                pass


async def _answers(db, tenant):
    await db.fetch("select 1")
    await db.once(tenant, OWNERS, {"nap": 0})
    async with db.transaction(tenant) as connection:
        await connection.execute(text("select 1"))


@pytest.mark.spec("security F-32")
async def test_an_outage_is_unavailable_and_ends_when_the_database_is_back(database, house):
    tenant = house.tenant.id
    to = urlsplit(database.app)
    async with Wire(to.hostname, to.port) as wire:
        url = database.app.replace(f":{to.port}/", f":{wire.port}/")
        async with opened(url, size=3) as db:
            await _answers(db, tenant)
            await wire.cut()
            with pytest.raises(Unavailable):
                await db.once(tenant, OWNERS, {"nap": 0})
            with pytest.raises(Unavailable):
                async with db.transaction(tenant):
                    pass
            await wire.restore()
            async with asyncio.timeout(5):
                while True:
                    try:
                        await _answers(db, tenant)
                    except Unavailable:
                        await asyncio.sleep(0.1)
                    else:
                        break
            for _ in range(10):
                await _answers(db, tenant)
