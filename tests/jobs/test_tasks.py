"""Housekeeping: keys move on, dead rows leave in batches, partitions stand ahead."""

from uuid import uuid4

import psycopg
import pytest
from aged import add_lines, partitions_before
from at_rest import put_to_rest
from psycopg.rows import namedtuple_row
from serving import cli, environment

from insula.audit.settings import LogRetention
from insula.config_overrides import service as config_overrides
from insula.jobs.queue import Queue
from insula.keys import service as keys
from insula.outbound.door import Door
from insula.outbound.settings import OutboundRules
from insula.platform.tasks import Tasks
from insula.tenants.domains.proofs import Prover
from insula.tenants.domains.txt_records import TxtRecords


@pytest.fixture
def db(database):
    with psycopg.connect(database.superuser, autocommit=True, row_factory=namedtuple_row) as db:
        yield db


@pytest.fixture
def tasks(platform_door, directory, envelope, app_db, front):
    door = Door(OutboundRules())
    prover = Prover(door, TxtRecords())
    return Tasks(platform_door, directory, envelope, door, prover, app_db, front)


@pytest.fixture
def calls(platform_door, monkeypatch):
    """What the tasks ask the database for, and what came back."""
    fetch = type(platform_door).fetch
    seen = []

    async def spy(self, sql, params=None):
        rows = await fetch(self, sql, params)
        seen.append((sql, params, rows))
        return rows

    monkeypatch.setattr(type(platform_door), "fetch", spy)
    return seen


async def states(tenant):
    return sorted((key.alg, key.state) for key in await keys.list_keys(tenant))


def make_due(db, tenant, state):
    db.execute(
        "update insula.signing_keys set due_at = now() - interval '1 second',"
        " published_at = published_at - interval '2 days',"
        " activated_at = activated_at - interval '91 days',"
        " retiring_at = retiring_at - interval '2 days'"
        " where tenant_id = %s and state = %s",
        [tenant.id, state],
    )


async def test_the_worker_moves_keys_through_their_phases(two_houses, tasks, database, db, cluster):
    ada, bea = two_houses[0].tenant, two_houses[1].tenant
    here = environment(database.app, database.platform, cluster.valkey_url, 8000)
    version = ada.version
    put_to_rest(db)

    make_due(db, ada, "active")
    done = cli(here, "worker", "--once")
    assert done.returncode == 0, done.stderr
    assert await states(ada) == [
        ("ES256", "active"), ("ES256", "next"), ("RS256", "active"), ("RS256", "next"),
    ]  # fmt: skip

    make_due(db, ada, "next")
    await tasks.queue(database.platform).work_off()
    assert await states(ada) == [
        ("ES256", "active"), ("ES256", "retiring"), ("RS256", "active"), ("RS256", "retiring"),
    ]  # fmt: skip

    make_due(db, ada, "retiring")
    await tasks.queue(database.platform).work_off()
    assert await states(ada) == [
        ("ES256", "active"), ("ES256", "retired"), ("RS256", "active"), ("RS256", "retired"),
    ]  # fmt: skip

    assert await states(bea) == [("ES256", "active"), ("RS256", "active")]
    row = db.execute("select version from insula.tenants where id = %s", [ada.id]).fetchone()
    assert row.version == version + 3  # every process hears of each phase


async def test_a_second_look_moves_nothing(house, tasks, db):
    make_due(db, house.tenant, "active")

    await tasks.advance_keys(house.tenant.id)
    before = await states(house.tenant)
    await tasks.advance_keys(house.tenant.id)

    assert await states(house.tenant) == before


async def test_only_tenants_with_something_due_get_a_job(two_houses, tasks, db, database):
    ada, bea = two_houses[0].tenant, two_houses[1].tenant
    put_to_rest(db)
    make_due(db, ada, "active")

    await tasks.find_due_keys()
    await tasks.find_due_keys()

    rows = db.execute("select args from insula_jobs.procrastinate_jobs").fetchall()
    queued = [row.args["tenant_id"] for row in rows]
    assert queued.count(str(ada.id)) == 1
    assert str(bea.id) not in queued
    queue = Queue(database.platform)
    tasks.register(queue)
    await queue.work_off()
    assert ("ES256", "next") in await states(ada)


async def test_a_tenant_that_has_gone_is_passed_over(tasks):
    await tasks.advance_keys(uuid4())


DEAD = """
    insert into insula.revoked_jtis (tenant_id, jti_hash, sweep_after)
    select %s, sha256((n || %s)::bytea), now() + %s::interval from generate_series(1, %s) n
"""


async def test_dead_rows_of_every_tenant_leave_in_batches_and_the_living_stay(
    two_houses, tasks, db, calls
):
    db.execute("delete from insula.revoked_jtis")
    for house in two_houses:
        db.execute(DEAD, [house.tenant.id, "dead", "-1 second", 1100])
        db.execute(DEAD, [house.tenant.id, "alive", "1 hour", 3])

    await tasks.sweep()

    batches = [
        rows[0].n for _, params, rows in calls if params and params["table"] == "revoked_jtis"
    ]
    assert batches == [1000, 1000, 200]
    rows = db.execute("select tenant_id, count(*) as n from insula.revoked_jtis group by 1")
    assert {row.tenant_id: row.n for row in rows} == {h.tenant.id: 3 for h in two_houses}


async def test_images_that_nothing_names_leave_in_batches(two_houses, tasks, db, calls):
    for house in two_houses:
        db.execute(
            "insert into insula.assets (tenant_id, kind, media_type, digest, image, width, height,"
            " kept_until) select %s, 'favicon', 'image/png', sha256(n::text::bytea), 'x', 1, 1,"
            " now() + case when n = 0 then interval '1 day' else interval '-1 day' end"
            " from generate_series(0, 70) n",
            [house.tenant.id],
        )
    db.execute(  # a plan names one of them
        "insert into insula.config_plans (tenant_id, scope, section, changes, actor, due_at)"
        " select %s, 'tenant', 'branding', jsonb_build_object('favicon',"
        " '/img/' || encode(sha256('1'), 'hex') || '.png'), '{}', now() + interval '1 day'",
        [two_houses[0].tenant.id],
    )

    await tasks.sweep_assets()

    batches = [rows[0].n for _, params, rows in calls if params == {"batch": 100}]
    assert batches == [100, 40]
    for house, left in zip(two_houses, (2, 1), strict=True):
        sql = "select 1 from insula.assets where tenant_id = %s"
        assert len(db.execute(sql, [house.tenant.id]).fetchall()) == left


async def test_every_table_with_dead_rows_is_swept(tasks, db, calls):
    await tasks.sweep()

    swept = {params["table"] for _, params, _ in calls}
    mortal = db.execute(
        "select table_name from information_schema.columns"
        " where table_schema = 'insula' and column_name = 'sweep_after'"
    )
    assert swept == {row.table_name for row in mortal}


FAMILY = """
    insert into insula.refresh_families (tenant_id, id, client_id, current_hash, replay_copy,
      advanced_at, idle_expires_at, absolute_expires_at, sweep_after)
    select %s, gen_random_uuid(), gen_random_uuid(), 'h', 'answer', now() - %s::interval,
           now() + interval '1 day', now() + interval '1 day', now() + interval '2 days'
"""


async def test_answers_of_refreshes_are_forgotten_when_their_window_is_over(house, tasks, db):
    db.execute(FAMILY, [house.tenant.id, "61 seconds"])
    db.execute(FAMILY, [house.tenant.id, "30 seconds"])

    await tasks.forget_replays()

    rows = db.execute(
        "select now() - advanced_at > interval '1 minute' as old, replay_copy is null as forgotten"
        " from insula.refresh_families where tenant_id = %s",
        [house.tenant.id],
    )
    assert {row.old: row.forgotten for row in rows} == {True: True, False: False}


def partitions(db):
    rows = db.execute(
        "select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where i.inhparent = 'insula.audit_events'::regclass order by 1"
    )
    return [row.name for row in rows]


async def test_partitions_stand_months_ahead_and_leave_after_the_retention(tasks, db):
    standing = partitions(db)
    assert len(standing) >= 4
    db.execute(f"drop table insula.{standing[-1]}")
    db.execute(
        "create table insula.audit_events_2020_01 partition of insula.audit_events"
        " for values from ('2020-01-01') to ('2020-02-01')"
    )
    db.execute("alter table insula.audit_events_2020_01 owner to insula_definer")

    await tasks.keep_partitions()

    assert partitions(db) == standing


@pytest.fixture
def months_before(db):
    with partitions_before(db, 3):
        yield


@pytest.mark.spec("features W04")
@pytest.mark.usefixtures("months_before")
async def test_a_tenant_keeps_less_of_the_record_than_the_installation(tasks, two_houses, db):
    def ages(house):
        rows = db.execute(
            "select extract(day from now() - at)::int as age from insula.audit_events"
            " where tenant_id = %s and event = 'tests.aged' order by 1", [house.tenant.id]
        )  # fmt: skip
        return [row.age for row in rows]

    less, more = two_houses
    for house in two_houses:
        for age in (0, 29, 31, 59, 61):
            add_lines(db, house.tenant.id, age)
    await config_overrides.change(less.tenant, LogRetention, {"audit_retention_days": 30})
    await tasks.trim_audit()
    assert ages(less) == [0, 29]
    assert ages(more) == [0, 29, 31, 59, 61]

    await config_overrides.change(more.tenant, LogRetention, {"audit_retention_days": 1})
    db.execute(
        "insert into insula.platform_settings (section, bounds)"
        " values ('logs', '{\"audit_retention_days\": 60}')"
    )
    try:
        await tasks.trim_audit()
        assert ages(more) == [0, 29, 31, 59]  # the platform wants evidence of so many days
    finally:
        db.execute("delete from insula.platform_settings where section = 'logs'")
