"""Changes that are planned: shown, taken back, put into effect once, and never by halves."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, ClassVar
from uuid import uuid4

import psycopg
import pytest
from at_rest import put_to_rest
from psycopg.rows import namedtuple_row
from waiting import at_once

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor
from insula.config_overrides import history, ownership, plans, platform, service
from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.errors import (
    BoundViolated,
    InvalidSetting,
    NotOverridable,
    OwnedByGit,
    PlanUnknown,
    VersionConflict,
)
from insula.config_overrides.masks import SEALED
from insula.config_overrides.models import etag
from insula.config_overrides.saving import Claim, Saving
from insula.kernel.settings import MASK, DecidedBy, Secret, Section
from insula.outbound.door import Door
from insula.outbound.settings import OutboundRules
from insula.platform.sections import CATALOGUE
from insula.platform.tasks import Tasks
from insula.providers.settings import ProtocolFeatures, TokenLifetimes
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants
from insula.tenants.domains.proofs import Prover
from insula.tenants.domains.txt_records import TxtRecords

TTL = "oidc.ttl"
ANN = Saving(Actor("admin", "ann"), "The audit asks for it")
OLGA = Saving(Actor("platform", "olga"))

pytestmark = pytest.mark.spec("features BEY-3")


class Post(Section):
    """Known to these tests alone."""

    key: ClassVar[str] = "test.post"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT
    host: str = ""
    password: Annotated[str, Secret(longest=40)] = ""


@pytest.fixture
def behind(database):
    with psycopg.connect(database.superuser, autocommit=True, row_factory=namedtuple_row) as db:
        yield db


@pytest.fixture
def make_due(behind):
    """Its time has come, for everything that a tenant has planned."""

    def make_due(tenant):
        behind.execute(
            "update insula.config_plans set due_at = now() - interval '1 second'"
            " where tenant_id = %s",
            [tenant.id],
        )

    return make_due


@pytest.fixture
def tasks(platform_door, directory, envelope, app_db, front):
    door = Door(OutboundRules())
    prover = Prover(door, TxtRecords())
    return Tasks(platform_door, directory, envelope, door, prover, app_db, front)


@pytest.fixture
def plan(envelope):
    """Plans a change of a house's section, a week from now unless *days* says otherwise."""

    async def plan(house, section, changes, saving=ANN, days=7, **how):
        async with house.tenant.transaction() as db:
            saving = replace(saving, envelope=envelope)
            return await plans.make(db, "tenant", section, changes, saving, days, **how)

    return plan


@pytest.fixture
def carry_out(platform_door, envelope):
    async def carry_out(house, plan, catalogue=CATALOGUE):
        return await plans.carry_out(platform_door, catalogue, envelope, house.tenant.id, plan.id)

    return carry_out


@pytest.fixture
async def home(houses, platform_door, envelope, rotation):
    """The platform's own tenant; afterwards nothing is decided or planned there."""
    await tenants.ensure_special(platform_door, envelope, rotation)
    home = await houses.find(PLATFORMS)
    yield home
    async with platform_door.within(home.id) as db:
        for scope, key in (await service.load_in(db)).plans:
            await plans.withdraw(db, scope, key, OLGA)
        for section in CATALOGUE:
            await platform.change_bounds(db, section, {}, OLGA, replace=True)
            await platform.change_values(db, section, {}, OLGA, replace=True)


async def own(house, key=TTL):
    return (await service.load(house.tenant)).own.get(key, {})


async def planned(house, key=TTL):
    return (await service.load(house.tenant)).plan("tenant", key)


async def lines(house, n=1):
    async with house.tenant.transaction() as db:
        return await audit.newest(db, n)


async def test_a_plan_is_kept_told_and_put_into_effect_at_its_time_as_whoever_planned_it(
    two_houses, houses, plan, tasks, make_due, database, behind
):
    house, other = two_houses
    put_to_rest(behind)
    await service.change(house.tenant, TokenLifetimes, {"id_token": 600})
    made = await plan(house, TokenLifetimes, {"access_token": 300, "id_token": 600})
    await plan(other, TokenLifetimes, {"access_token": 120})
    assert made.changes == {"access_token": 300}  # what is stored so already is not planned
    found = await planned(house)
    assert (found.due_at - found.planned_at) == timedelta(days=7)
    assert (found, await own(house)) == (made, {"id_token": 600})
    (line,) = await lines(house)
    assert (line.event, line.actor_id, line.target_id) == ("config.change_planned", "ann", TTL)
    assert line.metadata["planned"] == ["access_token"]
    assert line.metadata["reason"] == "The audit asks for it"

    make_due(house.tenant)
    for _ in range(2):
        await tasks.find_due_plans()
    (job,) = behind.execute(
        "select args from insula_jobs.procrastinate_jobs where task_name = 'settings.carry_out'"
    ).fetchall()
    assert job.args == {"tenant_id": str(house.tenant.id), "plan": str(made.id)}
    before = (await houses.find(house.tenant.slug)).version
    await tasks.queue(database.platform).work_off()

    fresh = await houses.find(house.tenant.slug)
    assert fresh.version == before + 1  # every process hears of it
    assert service.of(fresh, TokenLifetimes).access_token == 300
    assert await planned(house) is None
    assert await own(other) == {}
    (line,) = await lines(house)
    assert (line.event, line.actor_type, line.status) == ("config.updated", "system", "success")
    assert line.metadata["planned_by"] == {"type": "admin", "id": "ann"}
    async with house.tenant.transaction() as db:
        (version, *_) = await history.versions(db)
    assert (version.by, version.reason) == (
        {"type": "admin", "id": "ann"}, "The audit asks for it",
    )  # fmt: skip
    mark = (await service.load(house.tenant)).own_marks[f"{TTL}.access_token"]
    assert mark.by == {"type": "admin", "id": "ann"}


async def test_two_workers_put_a_plan_into_effect_once(house, plan, carry_out, make_due):
    made = await plan(house, TokenLifetimes, {"access_token": 300})
    make_due(house.tenant)

    done = await asyncio.gather(*(carry_out(house, made) for _ in range(4)))

    assert sorted(each is None for each in done) == [False, True, True, True]
    async with house.tenant.transaction() as db:
        assert [each.number for each in await history.versions(db)] == [1]
    assert [line.event for line in await lines(house, 2)] == [
        "config.updated", "config.change_planned",
    ]  # fmt: skip


@pytest.mark.parametrize("scope", ["tenant", "defaults"])
@pytest.mark.parametrize(
    "acts", ["withdraw apply", "apply withdraw", "withdraw job", "job withdraw"]
)
async def test_of_a_withdrawal_and_a_carrying_out_at_once_exactly_one_happens(
    house, home, platform_door, envelope, behind, scope, acts
):
    bound = house.tenant.id if scope == "tenant" else home.id

    async def do(act):
        if act == "job":
            return await plans.carry_out(platform_door, CATALOGUE, envelope, bound, made.id)
        async with platform_door.within(bound) as db:
            if act == "withdraw":
                return await plans.withdraw(db, scope, TTL, OLGA)
            return await plans.apply(db, scope, TokenLifetimes, OLGA)

    async def last_save(db):
        saves = await history.versions(db, scope="tenant" if scope == "tenant" else "platform")
        return saves[0].number if saves else 0

    async with platform_door.within(bound) as db:
        made = await plans.make(db, scope, TokenLifetimes, {"access_token": 300}, ANN, 7)
        saved, recorded = await last_save(db), {line.id for line in await audit.newest(db)}

    answers = dict(
        zip(acts.split(), await at_once(behind, bound, *map(do, acts.split())), strict=True)
    )

    withdrawal = answers.pop("withdraw")
    (carrying_out,) = answers.values()
    is_withdrawn = withdrawal == made
    if is_withdrawn:
        assert carrying_out is None or type(carrying_out) is PlanUnknown
    else:
        assert type(withdrawal) is PlanUnknown
        assert carrying_out == made or carrying_out.stored(scope, TTL) == {"access_token": 300}
    async with platform_door.within(bound) as db:
        layers = await service.load_in(db)
        (line,) = [line for line in await audit.newest(db) if line.id not in recorded]
        assert (await last_save(db) > saved) is not is_withdrawn
    assert layers.plan(scope, TTL) is None
    assert layers.stored(scope, TTL) == ({} if is_withdrawn else {"access_token": 300})
    assert line.event == ("config.plan_withdrawn" if is_withdrawn else "config.updated")
    assert line.metadata["planned_by"]["id"] == "ann"


async def test_a_plan_is_checked_like_a_save(house, plan, home, platform_door):
    async with platform_door.within(home.id) as db:
        await platform.change_bounds(db, TokenLifetimes, {"id_token": 1200}, OLGA)
    await service.change(house.tenant, TokenLifetimes, {"device_code": 90})
    for changes, error, field in (
        ({"id_token": 1}, InvalidSetting, "oidc.ttl.id_token"),
        ({"id_token": 1201}, BoundViolated, "oidc.ttl.id_token"),
        ({"made_up": 1}, NotOverridable, "oidc.ttl.made_up"),
        ({"device_code": 90, "id_token": None}, InvalidSetting, TTL),
    ):
        with pytest.raises(error) as refusal:
            await plan(house, TokenLifetimes, changes)
        assert refusal.value.field == field
    for days in (-1, 0, 31):
        with pytest.raises(InvalidSetting):
            await plan(house, TokenLifetimes, {"id_token": 300}, days=days)
    claim = Saving(Actor("client", "git"), claim=Claim())
    await service.change(house.tenant, TokenLifetimes, {"access_token": 200}, claim)
    with pytest.raises(OwnedByGit):
        await plan(house, TokenLifetimes, {"access_token": 300})
    assert await planned(house) is None


async def test_planning_again_replaces_and_whoever_read_before_is_told_who_was_faster(house, plan):
    read = etag((await service.load(house.tenant)).seen("tenant", TTL))
    await service.change(house.tenant, TokenLifetimes, {"device_code": 90})
    with pytest.raises(VersionConflict):
        await plan(house, TokenLifetimes, {"access_token": 300}, replace(ANN, expected=read))
    read = etag((await service.load(house.tenant)).seen("tenant", TTL))
    first = await plan(house, TokenLifetimes, {"access_token": 300}, replace(ANN, expected=read))
    late = Saving(Actor("admin", "bob"), expected=read)
    for act in (
        plan(house, TokenLifetimes, {"id_token": 300}, late),
        service.change(house.tenant, TokenLifetimes, {"id_token": 300}, late),
        service.reset(house.tenant, TokenLifetimes, saving=late),
    ):
        with pytest.raises(VersionConflict, match=r"admin ann at .* planned to change") as refusal:
            await act
        assert refusal.value.last.changed == ("oidc.ttl.access_token",)

    second = await plan(house, TokenLifetimes, {}, Saving(), 30, replaces=True)
    assert (second.changes, second.by["type"]) == ({"device_code": None}, "system")
    assert await planned(house) == second != first
    (line,) = await lines(house)
    assert line.metadata["replaced"] == ["access_token"]
    async with house.tenant.transaction() as db:
        with pytest.raises(VersionConflict):
            await plans.withdraw(db, "tenant", TTL, replace(late, expected=str(first.id)))
        await plans.withdraw(db, "tenant", TTL, replace(late, expected=str(second.id)))
        for act in (plans.withdraw(db, "tenant", TTL, late), plans.find(db, "tenant", TTL),
                    plans.apply(db, "tenant", TokenLifetimes, late)):  # fmt: skip
            with pytest.raises(PlanUnknown):
                await act
    (line,) = await lines(house)
    assert (line.event, line.actor_id) == ("config.plan_withdrawn", "bob")
    assert await own(house) == {"device_code": 90}


async def test_a_save_meanwhile_stands_but_for_the_fields_that_are_planned(house, plan, carry_out):
    made = await plan(house, TokenLifetimes, {"access_token": 300})
    await service.change(house.tenant, TokenLifetimes, {"access_token": 900, "id_token": 900})
    layers = await service.load(house.tenant)
    assert plans.differences_of(TokenLifetimes, layers, await planned(house)) == [
        ("access_token", 900, 300)
    ]
    assert await carry_out(house, made) == made
    assert await own(house) == {"access_token": 300, "id_token": 900}

    made = await plan(house, TokenLifetimes, {"access_token": None})
    await service.reset(house.tenant, TokenLifetimes, "access_token")
    assert await carry_out(house, made) is not None
    (line,) = await lines(house)  # nothing was left to change: that is told too
    assert (line.event, line.status, line.metadata["changed"]) == ("config.updated", "info", [])


async def test_put_into_effect_at_once_it_is_the_act_of_whoever_does_it(house, plan, carry_out):
    made = await plan(house, TokenLifetimes, {"access_token": 300})
    async with house.tenant.transaction() as db:
        await plans.apply(db, "tenant", TokenLifetimes, Saving(Actor("admin", "bob")))
    (line,) = await lines(house)
    assert (line.event, line.actor_id) == ("config.updated", "bob")
    assert line.metadata["planned_by"]["id"] == "ann"
    assert line.metadata["reason"] == "The audit asks for it"
    mark = (await service.load(house.tenant)).own_marks[f"{TTL}.access_token"]
    assert mark.by["id"] == "bob"
    assert await carry_out(house, made) is None


@pytest.mark.parametrize("obstacle", ["bound", "git", "field", "section"])
async def test_what_cannot_be_any_more_is_not_done_by_halves_and_waits_for_somebody(
    house, plan, carry_out, home, platform_door, behind, obstacle
):
    made = await plan(house, TokenLifetimes, {"access_token": 300, "id_token": 1500})
    if obstacle == "bound":
        async with platform_door.within(home.id) as db:
            await platform.change_bounds(db, TokenLifetimes, {"id_token": 1200}, OLGA)
    elif obstacle == "git":
        claim = Saving(Actor("client", "git"), claim=Claim())
        await service.change(house.tenant, TokenLifetimes, {"id_token": 800}, claim)
    elif obstacle == "field":
        behind.execute(
            "update insula.config_plans set changes = changes || '{\"of_old\": 1}' where id = %s",
            [made.id],
        )
    catalogue = Catalogue([ProtocolFeatures]) if obstacle == "section" else CATALOGUE
    before = await own(house)

    failed = await carry_out(house, made, catalogue)

    assert await own(house) == before
    why = {
        "bound": "oidc.ttl.id_token: The platform allows no “1500” here",
        "git": "Owned by Git: oidc.ttl.id_token",
        "field": "oidc.ttl.of_old: no such field",
        "section": "There is no such section",
    }[obstacle]
    assert failed.failure.startswith(why)
    kept = await planned(house)
    assert kept.failed_at is not None
    assert kept.failure == failed.failure
    (line,) = await lines(house)
    assert (line.event, line.status, line.actor_type) == ("config.plan_failed", "failed", "system")
    assert line.metadata["why"].startswith(why)
    assert await carry_out(house, made, catalogue) is None  # nobody tries again by itself

    if obstacle == "git":
        async with house.tenant.transaction() as db:
            with pytest.raises(OwnedByGit):
                await plans.apply(db, "tenant", TokenLifetimes, ANN)
        async with house.tenant.transaction() as db:
            await ownership.release_in(db, TokenLifetimes, ["id_token"], ANN)
            await plans.apply(db, "tenant", TokenLifetimes, ANN)
        assert await own(house) == {"access_token": 300, "id_token": 1500}
    elif obstacle == "bound":
        again = await plan(house, TokenLifetimes, {"access_token": 300})
        assert (await planned(house), again.failed_at) == (again, None)
    else:
        async with house.tenant.transaction() as db:
            await plans.withdraw(db, "tenant", TTL, ANN)


async def test_a_secret_is_planned_sealed_and_never_told(house, plan, carry_out, behind):
    made = await plan(house, Post, {"host": "mail.example", "password": "a-Secret-of-Acme"})
    (row,) = behind.execute(
        "select changes, p::text as whole from insula.config_plans p where id = %s", [made.id]
    ).fetchall()
    assert row.changes["password"].startswith(SEALED)
    assert "a-Secret" not in row.whole
    assert "a-Secret" not in json.dumps([dict(each.metadata) for each in await lines(house, 5)])
    layers = await service.load(house.tenant)
    told = plans.differences_of(Post, layers, made)
    assert told == [("host", "", "mail.example"), ("password", "", MASK)]

    assert not (await carry_out(house, made, Catalogue([Post]))).failure
    assert (await own(house, Post.key)) == row.changes
    with pytest.raises(InvalidSetting):  # the mask keeps what is stored: nothing would change
        await plan(house, Post, {"password": MASK})


@pytest.mark.parametrize("status", ["suspended", "archived"])
async def test_a_tenant_that_is_not_active_waits_and_one_that_is_gone_has_no_plans(
    house, plan, tasks, make_due, behind, platform_door, status
):
    made = await plan(house, TokenLifetimes, {"access_token": 300})
    make_due(house.tenant)
    behind.execute(
        "update insula.tenants set status = %s, version = version + 1 where id = %s",
        [status, house.tenant.id],
    )

    assert made.id not in {row.id for row in await plans.due(platform_door)}
    await tasks.carry_out_plan(house.tenant.id, made.id)  # queued just before
    assert await planned(house) is not None

    behind.execute(
        "update insula.tenants set status = 'active', version = version + 1 where id = %s",
        [house.tenant.id],
    )
    assert made.id in {row.id for row in await plans.due(platform_door)}
    behind.execute("delete from insula.tenants where id = %s", [house.tenant.id])
    assert made.id not in {row.id for row in await plans.due(platform_door)}
    await tasks.carry_out_plan(house.tenant.id, made.id)
    await tasks.carry_out_plan(uuid4(), made.id)


async def test_the_platforms_own_changes_are_planned_alike_and_hold_everywhere(
    house, houses, home, platform_door, tasks, database, behind, make_due
):
    async def planning(scope, changes, **how):
        async with platform_door.within(home.id) as db:
            how_saved = replace(OLGA, reason="ours alone")
            return await plans.make(db, scope, TokenLifetimes, changes, how_saved, 3, **how)

    await planning("defaults", {"access_token": 300})
    await planning("bounds", {"id_token": 500})
    with pytest.raises(InvalidSetting):
        await planning("bounds", {"id_token": 1})
    with pytest.raises(InvalidSetting):
        await planning("defaults", {}, replaces=True)
    theirs = await service.load(house.tenant)
    assert theirs.plans == {}  # no tenant's to act on
    assert [(each.scope, each.reason) for each in theirs.coming] == [
        ("defaults", ""), ("bounds", ""),
    ]  # fmt: skip
    assert plans.effects_of(TokenLifetimes, theirs, theirs.coming[1]) == [("id_token", 600, 500)]
    async with platform_door.within(home.id) as db:
        bounds, layers = await plans.find(db, "bounds", TTL)
    assert plans.differences_of(TokenLifetimes, layers, bounds) == [("id_token", None, 500)]
    assert plans.in_effect(layers, bounds).bounds[TTL] == {"id_token": 500}
    put_to_rest(behind)
    make_due(home)
    await tasks.queue(database.platform).work_off()

    fresh = service.of(await houses.find(house.tenant.slug), TokenLifetimes)
    assert (fresh.access_token, fresh.id_token) == (300, 500)
    async with platform_door.within(home.id) as db:
        newest = [line for line in await audit.newest(db, 10) if line.event.startswith("config")]
        assert {line.event for line in newest[:2]} == {"config.updated", "config.bound_changed"}
        assert {line.metadata["planned_by"]["id"] for line in newest[:2]} == {"olga"}
        assert (await history.versions(db, scope="platform"))[0].by == OLGA.signature()
        made = await plans.make(db, "defaults", TokenLifetimes, {"id_token": 450}, OLGA, 3)
        await platform.change_bounds(db, TokenLifetimes, {"id_token": 400}, OLGA)
    failed = await plans.carry_out(
        platform_door, CATALOGUE, tasks._envelope, home.id, made.id  # noqa: SLF001  (the tasks' own)
    )  # fmt: skip
    assert failed.failure.startswith("oidc.ttl.id_token")
    assert (await service.load(house.tenant)).coming == ()
    async with platform_door.within(home.id) as db:
        (line,) = await audit.newest(db, 1)
    assert (line.event, line.target_type) == ("config.plan_failed", "platform_config")
    assert Saving(SYSTEM, plan=made).signature() == OLGA.signature()
