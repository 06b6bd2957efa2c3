"""The one-trip door after something went wrong in the middle of it."""

from uuid import UUID

import psycopg
import pytest

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
    monkeypatch.setattr("insula.kernel.db._PATIENCE", 0.2)
    monkeypatch.setattr("insula.kernel.one_trip._PATIENCE", 0.2)

    with pytest.raises(Unavailable):
        await app_db.once(TENANT, SLOW, {"n": 20})
