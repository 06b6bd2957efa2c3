"""The few ways through the wall answer what they are for, and nothing more."""

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from rows import insert

from insula.platform.migrations import SQL
from insula.tenancy import store
from insula.tenancy.db import raise_version

PAST = "2000-01-01T00:00:00Z"
SWEPT = (
    "authorization_codes", "token_issues", "access_tokens", "revoked_jtis",
    "refresh_families", "sessions", "interactions", "attempt_counters", "initial_access_tokens",
    "pushed_requests", "seen_once", "device_grants", "session_clients", "admin_sessions",
    "idempotency_keys", "activation_links", "tenant_days",
)  # fmt: skip


@pytest.fixture
def app(database):
    with psycopg.connect(database.app, autocommit=True) as db:
        yield db


@pytest.fixture
def platform(database):
    with psycopg.connect(database.platform, autocommit=True) as db:
        yield db


@pytest.fixture
def seeded(database):
    """Puts rows in for a tenant that exists for this test, behind the policies."""
    tenant = uuid4()
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute(
            "insert into insula.tenants (id, slug, display_name) values (%s, %s, 'Swept')",
            [tenant, f"t{tenant.hex}"],
        )
        db.execute("select set_config('insula.tenant_id', %s, false)", [str(tenant)])
        yield lambda table, n=1, **values: [insert(db, table, **values) for _ in range(n)]
        db.execute("delete from insula.tenants where id = %s", [tenant])


def _count(database, table):
    with psycopg.connect(database.superuser) as db:
        query = sql.SQL("select count(*) from {}").format(sql.Identifier("insula", table))
        return db.execute(query).fetchone()[0]


async def test_a_tenant_is_found_by_slug_host_or_id_and_by_nothing_else(app, make_tenant):
    a = await make_tenant(domain=f"login.{uuid4().hex}.example")
    await make_tenant()
    tenant = a.tenant

    def found(name):
        return [row[0] for row in app.execute("select id from insula.find_tenant(%s)", [name])]

    assert found(f"slug:{tenant.slug}") == [tenant.id]
    assert found(f"host:{tenant.host}") == [tenant.id]
    for name in (
        "", "slug:", "slug:%", "slug:_%", "host:", "host:%", f"host:{tenant.slug}", tenant.slug,
        f"slug:{tenant.host}", f"SLUG:{tenant.slug}", f"slug:{tenant.slug.upper()}", "%",
        f"slug:{tenant.slug}' or true --",
    ):  # fmt: skip
        assert found(name) == []


async def test_a_change_is_seen_though_it_took_its_number_early_and_committed_late(
    app_db, two_houses
):
    early, late = (house.tenant for house in two_houses)
    mark = (await store.changes_since(app_db, "")).mark
    async with early.transaction() as db:
        await raise_version(db, "tenant")
        async with late.transaction() as other:
            await raise_version(other, "tenant")
        first = await store.changes_since(app_db, mark)
        assert late.id in dict(first.tenants)
        assert early.id not in dict(first.tenants)
    last = await store.changes_since(app_db, first.mark)
    assert dict(last.tenants)[early.id] == early.version + 1
    async with asyncio.timeout(20):  # told again while anybody else has an older transaction open
        while early.id in dict(last.tenants):
            await asyncio.sleep(0.05)
            last = await store.changes_since(app_db, last.mark)


@pytest.mark.usefixtures("house")
async def test_asking_for_a_mark_names_no_tenant(app_db):
    changes = await store.changes_since(app_db, "")
    assert changes.tenants == []
    assert int(changes.mark) > 0
    assert not changes.gap


@pytest.mark.usefixtures("house")
async def test_a_mark_that_lies_ahead_as_after_a_restore_tells_a_gap_and_no_tenant(app_db):
    now = int((await store.changes_since(app_db, "")).mark)
    changes = await store.changes_since(app_db, str(now + 1_000_000))
    assert changes.gap
    assert changes.tenants == []


_MANY_TRANSACTIONS = """
    do $$ begin
      for i in 1..51000 loop perform pg_current_xact_id(); commit; end loop;
    end $$
"""


@pytest.mark.usefixtures("house")
async def test_the_serving_role_cannot_list_tenants_by_an_old_mark(database, app_db):
    mark = (await store.changes_since(app_db, "")).mark
    with psycopg.connect(database.superuser, autocommit=True) as behind:
        behind.execute(_MANY_TRANSACTIONS)
    changes = await store.changes_since(app_db, mark)
    for _ in range(200):  # until nobody's transaction, a vacuum's perhaps, is older than those
        if changes.gap:
            break
        await asyncio.sleep(0.1)
        changes = await store.changes_since(app_db, mark)
    assert changes.gap
    assert changes.tenants == []


@pytest.mark.parametrize("table", SWEPT)
def test_dead_rows_leave_in_batches_and_live_ones_stay(database, platform, seeded, table):
    before = _count(database, table)
    seeded(table, 3, sweep_after=PAST)
    seeded(table, 2)
    assert platform.execute("select insula.sweep_expired(%s, 2)", [table]).fetchone() == (2,)
    assert platform.execute("select insula.sweep_expired(%s, 2)", [table]).fetchone() == (1,)
    assert platform.execute("select insula.sweep_expired(%s, 2)", [table]).fetchone() == (0,)
    assert _count(database, table) == before + 2


@pytest.mark.parametrize("table", ["users", "tenants", "audit_events", "x; drop table users", None])
def test_nothing_else_can_be_swept(platform, table):
    with pytest.raises(psycopg.errors.RaiseException):
        platform.execute("select insula.sweep_expired(%s, 10)", [table])


def test_every_table_that_dies_is_swept(superuser):
    rows = superuser.execute("""
        select c.relname from pg_class c
          join pg_attribute a on a.attrelid = c.oid and a.attname = 'sweep_after'
         where c.relnamespace = 'insula'::regnamespace and c.relkind = 'r'
    """)
    assert {name for (name,) in rows} == set(SWEPT)


def test_the_copy_of_an_answer_is_forgotten_when_its_window_is_over(database, platform, seeded):
    (old,) = seeded("refresh_families", replay_copy=b"x", advanced_at=PAST)
    (new,) = seeded("refresh_families", replay_copy=b"x", advanced_at="2999-01-01T00:00:00Z")
    platform.execute("select insula.forget_replay_copies(1000)")
    with psycopg.connect(database.superuser) as db:
        kept = dict(
            db.execute(
                "select id, replay_copy is not null from insula.refresh_families"
                " where id = any(%s)",
                [[old["id"], new["id"]]],
            ).fetchall()
        )
    assert kept == {old["id"]: False, new["id"]: True}


def test_partitions_are_made_ahead_with_policies_of_their_own(superuser):
    superuser.execute("select insula.ensure_partitions(6)")
    children = superuser.execute("""
        select count(*), bool_and(c.relrowsecurity and c.relforcerowsecurity),
               min((select count(*) from pg_policy p where p.polrelid = c.oid)),
               bool_or(has_table_privilege('insula_app', c.oid, 'select'))
          from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent = 'insula.audit_events'::regclass
    """).fetchone()
    assert children == (7, True, 2, False)


def test_old_partitions_leave_and_the_others_stay(superuser):
    def months():
        return {
            name
            for (name,) in superuser.execute(
                "select inhrelid::regclass::text from pg_inherits"
                " where inhparent = 'insula.audit_events'::regclass"
            )
        }

    before = months()
    superuser.execute("""
        create table insula.audit_events_2001_01 partition of insula.audit_events
          for values from ('2001-01-01 00:00+00') to ('2001-02-01 00:00+00');
        alter table insula.audit_events_2001_01 owner to insula_definer
    """)
    superuser.execute("select insula.drop_old_partitions('audit_events', interval '10 years')")
    assert months() == before


@pytest.mark.parametrize(("table", "age"), [("users", "10 years"), ("audit_events", "1 hour")])
def test_a_table_without_a_retention_loses_nothing(platform, table, age):
    with pytest.raises(psycopg.errors.RaiseException):
        platform.execute("select insula.drop_old_partitions(%s, %s::interval)", [table, age])


def test_a_job_is_queued_for_the_bound_tenant_and_with_its_act(database, app):
    tenant = uuid4()
    task = "mail.send"
    enqueue = "select insula.enqueue_job(%s, 'mail', %s::jsonb, null, null)"
    pretending = '{"message_id": "1", "tenant_id": "00000000-0000-0000-0000-000000000000"}'
    with app.transaction():
        app.execute("select set_config('insula.tenant_id', %s, true)", [str(tenant)])
        (job,) = app.execute(enqueue, [task, pretending]).fetchone()
    with app.transaction() as act:
        app.execute("select set_config('insula.tenant_id', %s, true)", [str(tenant)])
        (undone,) = app.execute(enqueue, [task, pretending]).fetchone()
        raise psycopg.Rollback(act)
    with psycopg.connect(database.superuser) as db:
        jobs = dict(
            db.execute(
                "select id, args from insula_jobs.procrastinate_jobs where id = any(%s)",
                [[job, undone]],
            ).fetchall()
        )
    assert set(jobs) == {job}
    assert UUID(jobs[job]["tenant_id"]) == tenant


@pytest.mark.parametrize(
    ("task", "queue", "args"),
    [
        ("rm -rf", "mail", "{}"),
        ("mail.send", "mail; drop", "{}"),
        ("mail.send", "mail", '{"x": "' + "y" * 5000 + '"}'),
    ],
)
def test_an_ill_formed_job_is_refused(app, task, queue, args):
    with pytest.raises(psycopg.errors.RaiseException):
        app.execute("select insula.enqueue_job(%s, %s, %s::jsonb, null, null)", [task, queue, args])


async def test_tenants_whose_keys_are_due_are_named_to_the_platform_alone(
    database, platform, app, house
):
    def due():
        return {row[0] for row in platform.execute("select * from insula.tenants_with_keys_due()")}

    assert house.tenant.id in due()  # nobody has looked at its keys yet
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute(
            "update insula.signing_keys set planned_at = 'infinity' where tenant_id = %s",
            [house.tenant.id],
        )
        assert house.tenant.id not in due()
        db.execute(
            "update insula.signing_keys set due_at = now() where tenant_id = %s", [house.tenant.id]
        )
    assert house.tenant.id in due()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        app.execute("select * from insula.tenants_with_keys_due()")


def test_each_definer_function_is_written_down_with_a_fixed_search_path():
    text = (SQL / "functions.sql").read_text()
    assert text.count("security definer set search_path = ") == text.count("security definer set")
