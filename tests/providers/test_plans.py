"""Plans that connections keep: a refusal leaves a connection as good as it was."""

import asyncio

import psycopg
import pytest
from foundation import opened

from insula.kernel.db import statement

DIVIDE = statement(
    "select 100 / %(expires_at)s as n, insula.current_tenant() as tenant_id"
    " where %(tenant_id)s is not null",
    {"expires_at": "bigint", "tenant_id": "uuid"},
)

DOUBLE = statement("select 2 * %(expires_at)s as n", {"expires_at": "bigint"})


@pytest.fixture
async def one_connection(database):
    async with opened(database.app, size=1) as db:
        yield db


async def divide(db, tenant, by):
    (row,) = await db.once(tenant.id, DIVIDE, {"expires_at": by})
    assert row.tenant_id == tenant.id
    return row.n


async def plans(db):
    rows = await db.fetch("select count(*) as n from pg_prepared_statements where name like 's%%'")
    return rows[0].n


async def test_a_statement_is_planned_once_on_a_connection(one_connection, house):
    for n in (1, 2, 5):
        assert await divide(one_connection, house.tenant, n) == 100 // n

    assert await plans(one_connection) == 1


async def test_a_first_run_that_fails_does_not_cost_the_plans(one_connection, house):
    with pytest.raises(psycopg.errors.DivisionByZero):
        await divide(one_connection, house.tenant, 0)

    assert await divide(one_connection, house.tenant, 4) == 25
    (row,) = await one_connection.once(house.tenant.id, DOUBLE, {"expires_at": 4})
    assert row.n == 8
    assert await plans(one_connection) == 2


async def test_tenants_share_a_plan_and_nothing_else(one_connection, two_houses):
    ada, bea = two_houses

    for house in (ada, bea, ada):
        await divide(one_connection, house.tenant, 1)
        with pytest.raises(psycopg.errors.DivisionByZero):
            await divide(one_connection, house.tenant, 0)

    rows = await one_connection.fetch(
        "select nullif(current_setting('insula.tenant_id', true), '') as tenant"
    )
    assert rows[0].tenant is None


async def test_callers_who_leave_at_any_moment_leave_a_clean_connection(one_connection, two_houses):
    for n in range(60):
        house = two_houses[n % 2]
        task = asyncio.create_task(divide(one_connection, house.tenant, 1 + n % 3))
        await asyncio.sleep(n * 0.00005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        other = two_houses[(n + 1) % 2]
        assert await divide(one_connection, other.tenant, 2) == 50
