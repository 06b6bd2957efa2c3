"""The probe between the canaries: it proves the wall, and finds every hole that is made in it."""

import jwt
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import namedtuple_row

from insula.isolation import canaries, service
from insula.isolation.probe import Probe
from insula.isolation.web.questions import QUESTIONS
from insula.keys import service as keys
from insula.registry import service as listing
from insula.registry.models import STATUSES, Filter
from insula.tenancy.models import PLATFORMS
from insula.tenants import registry
from insula.tenants import service as tenants
from insula.tenants.errors import SlugReserved, TenantProtected
from insula.tenants.models import check_slug

pytestmark = [pytest.mark.spec("features BEY-1", "security 3.3")]


@pytest.fixture
def db(database):
    with psycopg.connect(database.superuser, autocommit=True, row_factory=namedtuple_row) as db:
        yield db


@pytest.fixture
async def home(platform_door, envelope, rotation, directory):
    await tenants.ensure_special(platform_door, envelope, rotation)
    return await directory.find(f"slug:{PLATFORMS}")


@pytest.fixture
def probe(app_db, platform_door, directory, envelope, front):
    return Probe(app_db, platform_door, directory, envelope, front)


@pytest.fixture
def broken(db):
    """Run statements that break the wall, and others that mend it afterwards."""
    mending = []

    def broken(breaks, mends):
        db.execute(breaks)
        mending.append(mends)

    yield broken
    for mends in mending:
        db.execute(mends)


def tables_of_tenants(db):
    return {
        row.relname
        for row in db.execute("""
            select c.relname from pg_class c
              join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
             where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
               and not c.relispartition
        """)
    }


def counts(db):
    """How many rows each table has."""
    return {
        table: db.execute(
            sql.SQL("select count(*) as n from insula.{}").format(sql.Identifier(table))
        )
        .fetchone()
        .n
        for table in tables_of_tenants(db)
    }


async def test_every_table_is_asked_for_by_every_door_and_shows_nothing(probe, home, db):
    found = await service.run(probe, home)

    assert found.result == "passed", found
    # Everything was there to be seen: a new table needs a row in insula.isolation.store.
    assert found.unproved == []
    assert set(found.tables) == tables_of_tenants(db) | {"tenants", "tenant_counters"}
    readable = (
        db.execute("""
        select count(*) as n from pg_class c join pg_attribute a on a.attrelid = c.oid
         where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
           and not c.relispartition and a.attname = 'tenant_id'
           and has_column_privilege('insula_platform', c.oid, a.attnum, 'select')
    """)
        .fetchone()
        .n
    )
    # two canaries, each the one that is asked for: other and nobody bound, by two doors and one
    in_the_database = 2 * 2 * (2 * len(found.tables) + readable)
    assert found.brought == [question.name for question in QUESTIONS]
    assert found.cells == in_the_database + 2 * len(QUESTIONS)


#: Where what is issued for one run stands until it is swept, which a probe does not wait for.
ISSUED = {
    "access_tokens", "authorization_codes", "refresh_families", "refresh_generations", "sessions",
    "token_issues",
}  # fmt: skip


async def test_a_second_run_plants_nothing_and_what_it_was_issued_is_soon_swept(
    probe, home, db, platform_door
):
    first = await service.run(probe, home)
    rows = counts(db)
    second = await service.run(probe, home)
    more = counts(db)

    assert first == second
    assert {table for table in more if more[table] != rows[table]} == ISSUED
    canaries = "tenant_id in (select id from insula.tenants where slug like '\\_canary%')"
    soon = f"{canaries} and sweep_after < now() + interval '11 minutes'"
    for table in ISSUED - {"refresh_generations"}:
        db.execute(
            sql.SQL("update insula.{} set sweep_after = now() - interval '1 s' where {}").format(
                sql.Identifier(table), sql.SQL(soon)
            )
        )
        n = 1000
        while n == 1000:  # what other tests have left dead goes first
            rows = await platform_door.fetch(
                "select insula.sweep_expired(%(table)s, 1000) as n", {"table": table}
            )
            n = rows[0].n
    # what was planted stays, once in each house: nothing else is left of any run
    for table in ISSUED:
        left = db.execute(
            sql.SQL("select count(*) as n from insula.{} where {}").format(
                sql.Identifier(table), sql.SQL(canaries)
            )
        ).fetchone()
        assert (table, left.n) == (table, 2)


def policies(table, using):
    return "".join(
        f"alter policy {policy} on insula.{table} using ({using});"
        for policy in ("tenant_isolation", "tenant_wall")
    )


OWN = "tenant_id = (select insula.current_tenant())"


@pytest.mark.parametrize(
    ("breaks", "mends", "cells"),
    [
        pytest.param(
            policies("users", "true"), policies("users", OWN),
            {(door, bound, "users") for door in ("app_once", "app_transaction", "platform")
             for bound in ("other", "nobody")} | {("http", "other", "person's id in a path")},
            id="a policy that lets everything through",
        ),
        pytest.param(
            "alter table insula.sessions disable row level security",
            "alter table insula.sessions enable row level security",
            {(door, bound, "sessions") for door in ("app_once", "app_transaction", "platform")
             for bound in ("other", "nobody")},
            id="a table without its policies",
        ),
        pytest.param(
            policies("device_grants", f"{OWN} or insula.current_tenant() is null"),
            policies("device_grants", OWN),
            {(door, "nobody", "device_grants") for door in ("app_once", "app_transaction")},
            id="a policy that opens where nobody is bound",
        ),
    ],
)  # fmt: skip
async def test_a_hole_is_found_recorded_counted_and_signed(
    probe, home, db, broken, platform_door, envelope, breaks, mends, cells
):
    await service.run(probe, home)
    (before,) = await service.newest(platform_door, 1)
    broken(breaks, mends)

    found = await service.run(probe, home)

    assert found.result == "failed"
    assert {(c.door, c.bound, c.table) for c in found.failures} == cells
    (run,) = await service.newest(platform_door, 1, failed=True)
    assert run.failures == tuple(found.failures)
    assert run.failures_so_far == before.failures_so_far + len(cells)
    assert run.passed_at == before.passed_at
    assert service.standing_of(run).startswith("degraded: ")
    event = db.execute(
        "select status, metadata from insula.audit_events where event = 'isolation.probe_failed'"
        " and tenant_id = %s and target_id = %s",
        [home.id, str(run.id)],
    ).fetchone()
    assert event.status == "failed"
    assert event.metadata["failed"] == len(cells)

    header = jwt.get_unverified_header(run.report)
    (public,) = [
        k for k in (await keys.load(home, envelope)).ring.published if k.kid == header["kid"]
    ]
    said = jwt.decode(
        run.report, jwt.PyJWK.from_dict(dict(public.jwk)), algorithms=["ES256"],
        options={"verify_aud": False},
    )  # fmt: skip
    assert header["typ"] == service.REPORT_TYPE
    assert said["result"] == "failed"
    assert said["iss"] == home.issuer
    assert len(said["failures"]) == len(cells)


async def test_when_it_is_mended_the_standing_is_well_and_the_count_stays(
    probe, home, platform_door
):
    await service.run(probe, home)
    (run,) = await service.newest(platform_door, 1)

    assert service.standing_of(run) == "ok"
    assert run.passed_at == run.at
    assert await service.Watch(platform_door).report() == "ok"


async def test_a_run_long_ago_proves_nothing(probe, home, platform_door, db):
    await service.run(probe, home)
    db.execute("update insula.isolation_runs set at = at - interval '10 minutes'")

    assert "is a worker running" in await service.Watch(platform_door).report()
    db.execute("delete from insula.isolation_runs")
    assert await service.Watch(platform_door).report() == "not probed yet"


async def test_nothing_to_see_proves_nothing(probe, home, broken):
    await service.run(probe, home)
    broken(
        "alter table insula.scopes add column wanted text not null default '';"
        "alter table insula.scopes alter column wanted drop default;"
        "delete from insula.scopes where tenant_id in"
        " (select id from insula.tenants where slug like '\\_canary%')",
        "alter table insula.scopes drop column wanted",
    )

    found = await service.run(probe, home)

    assert (found.result, found.unproved) == ("incomplete", ["scopes"])


async def test_canaries_are_no_tenants_that_anybody_has(platform_door, directory):
    for canary in await canaries.both(platform_door, directory):
        with pytest.raises(SlugReserved):
            check_slug(canary.slug, host_needed=False)
        with pytest.raises(TenantProtected):
            await tenants.set_status(platform_door, canary.slug, "active")
        with pytest.raises(TenantProtected):
            await registry.update(platform_door, canary.slug, {"display_name": "Mine"})
    everywhere = Filter(search="_canary", statuses=STATUSES)
    assert (await listing.page(platform_door, everywhere, None, 10)).lines == []
