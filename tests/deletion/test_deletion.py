"""The end of a tenant: at once for people, undone within its grace, whole and certified after."""

import asyncio

import jwt
import psycopg
import pytest
from aged import add_lines, partitions_before
from psycopg import sql
from rows import BUILDERS, insert
from waiting import until_waited_for

from insula.audit import service as audit
from insula.audit.models import Actor
from insula.audit.settings import LogRetention
from insula.config_overrides import platform as platform_settings
from insula.config_overrides import service as config_overrides
from insula.config_overrides.saving import Saving
from insula.deletion import purge, service, store
from insula.deletion.errors import NoDeletion, TooLate
from insula.deletion.settings import Deployment
from insula.kernel.errors import Conflict
from insula.keys import service as keys
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants
from insula.tenants.errors import NoSuchTenant, SlugTaken, TenantProtected

OLGA = Actor("platform", "olga")


@pytest.fixture
async def home(houses, platform_door, envelope, rotation):
    await tenants.ensure_special(platform_door, envelope, rotation)
    return await houses.find(PLATFORMS)


@pytest.fixture
def behind(database):
    with psycopg.connect(database.superuser, autocommit=True) as db:
        yield db


@pytest.fixture
def purged(platform_door, home, envelope, behind):
    """Let the grace of a deletion be over, and purge."""

    async def purged(house):
        make_due(behind, house)
        return await purge.run(platform_door, home, envelope, house.tenant.id)

    return purged


@pytest.fixture
def certified(platform_door, home, envelope):
    """What the certificate of a deletion says, to whoever knows the platform's keys."""

    async def certified(slug):
        found = await service.find(platform_door, slug)
        ring = (await keys.load(home, envelope)).ring
        (public,) = [key for key in ring.published if key.alg == "ES256" and key.state == "active"]
        return jwt.decode(
            found.certificate, jwt.PyJWK.from_dict(dict(public.jwk)), algorithms=["ES256"],
            issuer=home.issuer,
        )  # fmt: skip

    return certified


def make_due(behind, house):
    behind.execute(
        "update insula.deletions set due_at = now() where subject = %s", [house.tenant.id]
    )


def first(tables, name):
    """*tables*, with one of them in front."""

    async def reordered(db):
        found = await tables(db)
        return [name, *(each for each in found if each != name)]

    return reordered


def rows_of(behind, tenant_id):
    """How many rows each table holds of a tenant."""
    return {
        table: behind.execute(
            sql.SQL("select count(*) from {} where tenant_id = %s").format(
                sql.Identifier("insula", table)
            ),
            [tenant_id],
        ).fetchone()[0]
        for table in BUILDERS
    }


@pytest.mark.spec("features D12", "features CR-7")
async def test_a_deletion_ends_access_at_once_and_is_undone_within_its_grace(
    house, houses, platform_door
):
    slug = house.tenant.slug
    due = await service.schedule(platform_door, slug, reason="contract ended", actor=OLGA)
    assert (await houses.find(slug)).status == "deleting"
    found = await service.find(platform_door, slug)
    assert (found.state, found.reason, found.requested_by["id"]) == (
        "scheduled", "contract ended", "olga",
    )  # fmt: skip
    assert (due - found.requested_at).days == 30
    with pytest.raises(Conflict):
        await service.schedule(platform_door, slug)

    assert await service.undo(platform_door, slug, actor=OLGA) == "active"
    assert (await houses.find(slug)).status == "active"
    assert (await service.find(platform_door, slug)).state == "undone"
    with pytest.raises(NoDeletion):
        await service.undo(platform_door, slug)
    async with house.tenant.transaction() as db:
        undone, scheduled = await audit.newest(db, 2)
    assert (scheduled.event, undone.event) == (
        "tenant.deletion_scheduled", "tenant.deletion_undone",
    )  # fmt: skip
    assert scheduled.metadata["reason"] == "contract ended"


async def test_an_undone_deletion_gives_back_the_status_of_before(house, houses, platform_door):
    slug = house.tenant.slug
    await tenants.set_status(platform_door, slug, "suspended")
    await service.schedule(platform_door, slug)
    assert await service.undo(platform_door, slug) == "suspended"
    assert (await houses.find(slug)).status == "suspended"


@pytest.mark.spec("features D09")
@pytest.mark.parametrize("slug", ["_platforms", "_ops", "default"])
async def test_what_belongs_to_the_installation_is_not_deleted(platform_door, home, slug):  # noqa: ARG001  (it makes them)
    with pytest.raises(TenantProtected):
        await service.schedule(platform_door, slug)


async def test_an_unknown_tenant_has_no_deletion(platform_door):
    for act in (service.schedule, service.undo, service.pause, service.resume):
        with pytest.raises(NoSuchTenant):
            await act(platform_door, "nobody")
    with pytest.raises(NoDeletion):
        await service.find(platform_door, "nobody")


async def test_the_grace_is_the_platforms_to_decide(house, platform_door, home):
    async def decide(days):
        async with platform_door.within(home.id) as db:
            await platform_settings.change_values(
                db, Deployment, {"tenant_delete_grace_days": days}, Saving()
            )

    await decide(7)
    try:
        due = await service.schedule(platform_door, house.tenant.slug)
        found = await service.find(platform_door, house.tenant.slug)
        assert (due - found.requested_at).days == 7
    finally:
        await decide(None)


async def test_nothing_is_purged_before_its_time(house, platform_door, home, envelope):
    assert not await purge.run(platform_door, home, envelope, house.tenant.id)
    await service.schedule(platform_door, house.tenant.slug)
    assert not await purge.run(platform_door, home, envelope, house.tenant.id)
    async with house.tenant.transaction() as db:
        assert await keys.has_data_key(db)


@pytest.mark.spec("features BEY-6", "features CR-9")
async def test_a_purge_takes_every_row_of_every_table_and_none_of_another_tenant(
    two_houses, platform_door, purged, certified, behind, home, monkeypatch
):
    a, b = two_houses
    for house in (a, b):
        with behind.transaction():
            behind.execute(
                "select set_config('insula.tenant_id', %s, true)", [str(house.tenant.id)]
            )
            for table in sorted(BUILDERS):
                if table not in ("tenant_data_keys", "tenant_counters"):
                    insert(behind, table)
    before = rows_of(behind, b.tenant.id)
    there = rows_of(behind, a.tenant.id)
    assert all(there.values())
    await service.schedule(platform_door, a.tenant.slug)
    monkeypatch.setattr(purge, "_BATCH", 2)
    monkeypatch.setattr(purge, "_REST", 0)
    assert await purged(a)

    assert set(rows_of(behind, a.tenant.id).values()) == {0}
    assert rows_of(behind, b.tenant.id) == before
    found = await service.find(platform_door, a.tenant.slug)
    assert (found.state, found.rows_deleted) == ("purged", found.rows_estimated)
    told = await certified(a.tenant.slug)
    assert (told["sub"], told["slug"]) == (str(a.tenant.id), a.tenant.slug)
    assert {table: told["rows"][table] for table in ("users", "sessions", "clients")} == {
        table: there[table] for table in ("users", "sessions", "clients")
    }
    assert told["data_key_destroyed"] is True
    async with home.transaction() as db:
        (line,) = await audit.newest(db, 1)
    assert (line.event, line.target_id) == ("tenant.purged", a.tenant.slug)


@pytest.mark.spec("features BEY-6")
async def test_the_slug_of_a_purged_tenant_is_not_given_away_for_a_while(
    house, platform_door, purged, behind, envelope, rotation
):
    slug = house.tenant.slug
    await service.schedule(platform_door, slug)
    assert await purged(house)

    async def create():
        await tenants.create(platform_door, envelope, rotation, slug=slug, display_name="Next")

    with pytest.raises(SlugTaken) as refused:
        await create()
    (free_at,) = behind.execute(
        "select slug_free_at from insula.deletions where slug = %s", [slug]
    ).fetchone()
    assert refused.value.free_at == free_at
    behind.execute("update insula.deletions set slug_free_at = now() where slug = %s", [slug])
    await create()


async def test_a_purge_that_was_interrupted_or_paused_goes_on_and_counts_nothing_twice(
    house, platform_door, purged, behind, monkeypatch
):
    slug = house.tenant.slug
    await service.schedule(platform_door, slug)
    take = store.purge
    calls = 0

    async def dies(*args):
        nonlocal calls
        calls += 1
        if calls == 4:
            raise RuntimeError("the worker was killed")
        return await take(*args)

    monkeypatch.setattr(store, "purge", dies)
    with pytest.raises(RuntimeError):
        await purged(house)
    with pytest.raises(TooLate):
        await service.undo(platform_door, slug)
    await service.pause(platform_door, slug, actor=OLGA)
    assert not await purged(house)
    assert (await service.find(platform_door, slug)).state == "paused"
    await service.resume(platform_door, slug, actor=OLGA)
    # what was written about the pause came after its table was emptied, maybe: then once more
    assert await purged(house) or await purged(house)
    found = await service.find(platform_door, slug)
    assert found.state == "purged"
    assert found.deleted["users"] == 2
    assert set(rows_of(behind, house.tenant.id).values()) == {0}


async def test_of_an_undo_and_a_purge_at_once_only_one_happens(
    house, houses, platform_door, home, envelope, behind
):
    slug = house.tenant.slug
    await service.schedule(platform_door, slug)
    make_due(behind, house)
    undone, gone = await asyncio.gather(
        service.undo(platform_door, slug),
        purge.run(platform_door, home, envelope, house.tenant.id),
        return_exceptions=True,
    )
    if undone == "active":
        assert gone is False
        assert (await houses.find(slug)).status == "active"
        assert rows_of(behind, house.tenant.id)["users"] == 2
    else:
        assert isinstance(undone, (TooLate, NoSuchTenant))
        assert gone is True


async def test_pauses_and_resumptions_at_once_leave_what_the_last_of_them_said(
    house, platform_door, purged, behind
):
    slug, tenant_id = house.tenant.slug, house.tenant.id
    await service.schedule(platform_door, slug)
    acts = [service.pause, service.resume] * 6

    await asyncio.gather(*(act(platform_door, slug, actor=OLGA) for act in acts))

    told = dict(
        behind.execute(
            "select metadata->>'purge', count(*) from insula.audit_events where tenant_id = %s"
            " and metadata ? 'purge' group by 1", [tenant_id]
        ).fetchall()
    )  # fmt: skip
    is_paused = (await service.find(platform_door, slug)).state == "paused"  # before it began, too
    assert told["paused"] - told.get("resumed", 0) == is_paused  # one for each change, by turns
    assert await purged(house) is not is_paused


@pytest.fixture
async def aged(two_houses, platform_door, behind):
    """A house whose record is older than it is kept, and which is to be purged now."""
    house, other = two_houses
    await config_overrides.change(house.tenant, LogRetention, {"audit_retention_days": 1})
    await service.schedule(platform_door, house.tenant.slug)
    make_due(behind, house)
    with partitions_before(behind, 1):
        for each in two_houses:
            add_lines(behind, each.tenant.id, 2, 300)
        yield house.tenant
        assert rows_of(behind, other.tenant.id)["audit_events"] >= 300


@pytest.mark.spec("features BEY-6", "features W04")
@pytest.mark.parametrize("others", ["trim_audit(180, 50)", "sweep_expired('seen_once', 50)"])
async def test_what_others_take_of_a_batch_does_not_keep_a_purge_from_the_rest(
    aged, platform_door, home, envelope, certified, behind, monkeypatch, others
):
    with behind.transaction():
        behind.execute("select set_config('insula.tenant_id', %s, true)", [str(aged.id)])
        for _ in range(60):
            insert(behind, "seen_once")
        behind.execute(
            "update insula.seen_once set sweep_after = '-infinity' where tenant_id = %s", [aged.id]
        )
    monkeypatch.setattr(purge, "_BATCH", 55)
    monkeypatch.setattr(purge, "_REST", 0)
    with behind.transaction():
        assert behind.execute(f"select insula.{others}").fetchone() == (50,)
        purging = asyncio.create_task(purge.run(platform_door, home, envelope, aged.id))
        await until_waited_for(behind)

    assert await purging
    assert set(rows_of(behind, aged.id).values()) == {0}
    rows = (await certified(aged.slug))["rows"]
    assert rows["audit_events"] + rows["seen_once"] >= 310


@pytest.mark.spec("features BEY-6", "features W04")
async def test_a_trim_and_a_purge_of_the_same_lines_do_not_wait_for_each_other(
    aged, platform_door, home, envelope, certified, behind, database, monkeypatch
):
    """As the planner may have it: one goes by the index, the other as the lines lie."""
    # so that the trim still knows how long the house keeps its record
    monkeypatch.setattr(store, "tables", first(store.tables, "audit_events"))
    by_index = " ".join(f"-c enable_{way}=off" for way in ("seqscan", "bitmapscan", "hashjoin"))
    async with await psycopg.AsyncConnection.connect(database.platform, options=by_index) as db:
        with behind.transaction():
            behind.execute(
                "select from insula.audit_events where tenant_id = %s and event = 'tests.aged'"
                " order by ctid offset 5 limit 1 for update", [aged.id]
            )  # fmt: skip
            purging = asyncio.create_task(purge.run(platform_door, home, envelope, aged.id))
            await until_waited_for(behind)
            trimming = asyncio.create_task(db.execute("select insula.trim_audit(180, 1000)"))
            await asyncio.wait([trimming], timeout=0.5)  # it waits too, for one or the other
        (trimmed,) = await (await trimming).fetchone()
        await db.commit()

    assert await purging
    assert set(rows_of(behind, aged.id).values()) == {0}
    assert (await certified(aged.slug))["rows"]["audit_events"] + trimmed >= 300


async def test_due_purges_are_queued_once_and_those_that_rest_are_left(
    two_houses, platform_door, behind
):
    for house in two_houses:
        await service.schedule(platform_door, house.tenant.slug)
        make_due(behind, house)
    await service.pause(platform_door, two_houses[1].tenant.slug)
    await service.queue_due(platform_door)
    await service.queue_due(platform_door)
    queued = [
        behind.execute(
            "select count(*) from insula_jobs.procrastinate_jobs where queueing_lock = %s",
            [f"deletion.purge:{house.tenant.id}"],
        ).fetchone()[0]
        for house in two_houses
    ]
    assert queued == [1, 0]


async def test_no_row_of_a_tenant_that_is_not_being_purged_can_be_taken(house, database):
    with psycopg.connect(database.platform, autocommit=True) as db:
        (n,) = db.execute(
            "select insula.purge_rows(%s, 'users', 1000)", [house.tenant.id]
        ).fetchone()
        assert n == 0
        assert db.execute("select insula.purge_tenant(%s)", [house.tenant.id]).fetchone() == (
            False,
        )
        for table in ("tenants", "schema_version", "users; drop table insula.users"):
            with pytest.raises(psycopg.errors.RaiseException):
                db.execute("select insula.purge_estimate(%s, %s, 10)", [house.tenant.id, table])
    with psycopg.connect(database.app) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
        db.execute("select insula.purge_rows(%s, 'users', 1)", [house.tenant.id])
