"""What is counted in memory reaches the database once, and is bounded on both sides."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from insula.figures import service
from insula.figures.models import Day, series, weeks
from insula.figures.service import Keeper
from insula.kernel import clock
from insula.kernel.errors import Unavailable
from insula.kernel.tally import SIGN_IN, SIGN_IN_FAILED, Line, Tally
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants

A, B = uuid4(), uuid4()


def test_counts_are_taken_once_by_tenant_day_client_and_word():
    tally, app = Tally(), uuid4()
    for _ in range(3):
        tally.count(A, SIGN_IN)
    tally.count(A, "issued:refresh_token", app)
    undo = clock.shift(86_400)
    tally.count(B, SIGN_IN)
    undo()
    today = datetime.now(UTC).date()

    taken = tally.take()

    assert {line: n for line, (n, _) in taken[A].items()} == {
        Line(today, "", SIGN_IN): 3,
        Line(today, str(app), "issued:refresh_token"): 1,
    }
    assert next(iter(taken[B])).day == today + timedelta(days=1)
    assert tally.take() == {}
    tally.count(A, SIGN_IN)
    tally.give_back(taken)
    assert tally.take()[A][Line(today, "", SIGN_IN)][0] == 4


def test_a_tally_that_is_full_counts_what_it_knows_and_nothing_new():
    tally = Tally(most=2)
    for tenant in (A, B, uuid4(), A):
        tally.count(tenant, SIGN_IN)

    assert {tenant: next(iter(lines.values()))[0] for tenant, lines in tally.take().items()} == {
        A: 2,
        B: 1,
    }


def test_a_chart_has_every_day_and_every_week():
    today = date(2026, 3, 4)  # a Wednesday
    counts = {(today, "x"): 2, (today - timedelta(days=29), "y"): 1, (date(2026, 3, 2), "x"): 3,
              (date(2020, 1, 1), "x"): 9}  # fmt: skip

    days = series(counts, today, "x", "y")

    assert (len(days), days[0], days[-1]) == (30, Day(date(2026, 2, 3), 0, 1), Day(today, 2))
    by_week = weeks(counts, today, "x")
    assert (len(by_week), by_week[-1]) == (12, Day(date(2026, 3, 2), 5))


class Away:
    """A platform whose database is away."""

    def transaction(self):
        raise Unavailable("away")


async def test_what_the_database_does_not_take_is_written_later():
    tally = Tally()
    tally.count(A, SIGN_IN)
    keeper = Keeper(Away(), tally, lambda: (5, 1))

    await keeper.keep()

    assert next(iter(tally.take()[A].values()))[0] == 1


class Slow:
    """A platform whose database does not answer."""

    @asynccontextmanager
    async def transaction(self):
        await asyncio.sleep(60)
        yield


async def test_what_is_cut_off_half_way_is_counted_on():
    tally = Tally()
    tally.count(A, SIGN_IN)
    keeping = asyncio.create_task(Keeper(Slow(), tally, lambda: (0, 0)).keep())
    await asyncio.sleep(0.01)
    assert len(tally) == 0

    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)

    assert len(tally) == 1


async def test_nobody_who_waits_for_a_page_waits_for_many_tenants():
    tally = Tally()
    for _ in range(501):
        tally.count(uuid4(), SIGN_IN)

    await Keeper(Slow(), tally, lambda: (0, 0)).freshen()

    assert len(tally) == 501


async def test_two_processes_add_up_and_a_tenant_that_is_gone_is_left_out(house, platform_door):
    tenant, gone = house.tenant, UUID(int=7)
    tallies = [Tally(), Tally()]
    used = [0, 0]
    keepers = [Keeper(platform_door, each, lambda: tuple(used)) for each in tallies]
    for tally in tallies:
        tally.count(tenant.id, SIGN_IN)
        tally.count(tenant.id, SIGN_IN_FAILED)
        tally.count(gone, SIGN_IN)
        used[0] += 4
    before = await service.sign_ins_of_all(platform_door)

    for keeper in keepers:
        await keeper.keep()
        await keeper.keep()  # nothing is written twice

    async with tenant.transaction() as db:
        days = await service.sign_ins(db)
    assert (days[-1].n, days[-1].bad) == (2, 2)
    after = await service.sign_ins_of_all(platform_door)
    assert after[-1].n - before[-1].n == 4
    assert (await service.pool_use(platform_door))[-1].n >= 8


async def test_those_who_run_the_platform_are_not_counted_among_all(
    platform_door, envelope, rotation
):
    await tenants.ensure_special(platform_door, envelope, rotation)
    (home,) = await platform_door.fetch(
        "select id from insula.tenants where slug = %(slug)s", {"slug": PLATFORMS}
    )
    tally = Tally()
    tally.count(home.id, SIGN_IN)
    before = await service.sign_ins_of_all(platform_door)
    async with platform_door.within(home.id) as db:
        own = await service.sign_ins(db)

    await Keeper(platform_door, tally, lambda: (0, 0)).keep()

    assert len(tally) == 0
    assert await service.sign_ins_of_all(platform_door) == before
    async with platform_door.within(home.id) as db:
        assert (await service.sign_ins(db))[-1].n == own[-1].n + 1


@pytest.mark.parametrize("error", [RuntimeError("a bug"), Unavailable("away")])
async def test_a_figure_that_fails_is_none(error):
    async def fails():
        raise error

    assert await service.attempt("x", fails()) is None
