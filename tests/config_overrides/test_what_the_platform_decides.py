"""What the platform decides for all: inherited at once, bound, previewed, never half saved."""

import asyncio

import pytest

from insula.audit import service as audit
from insula.audit.models import Actor
from insula.config_overrides import history, platform, platform_history, service
from insula.config_overrides.errors import (
    BoundViolated,
    InvalidSetting,
    NotOverridable,
    VersionConflict,
    VersionUnknown,
)
from insula.config_overrides.models import etag
from insula.config_overrides.resolution import resolve
from insula.config_overrides.saving import Saving
from insula.platform.sections import CATALOGUE
from insula.providers.settings import ProtocolFeatures, TokenLifetimes
from insula.sign_in.settings import InteractionLife, SessionPolicy
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants

TTL = "oidc.ttl"
OLGA = Actor("platform", "olga")


@pytest.fixture
async def decide(houses, platform_door, envelope, rotation):
    """The platform's saves, undone afterwards: the database is the worker's."""
    await tenants.ensure_special(platform_door, envelope, rotation)
    home = await houses.find(PLATFORMS)

    async def save(act, section, changes, saving=None, **how):
        async with platform_door.within(home.id) as db:
            return await act(db, section, changes, saving or Saving(OLGA), **how)

    yield save
    for section in CATALOGUE:
        await save(platform.change_bounds, section, {}, replace=True)
        await save(platform.change_values, section, {}, replace=True)


async def holds(house, section):
    return resolve(section, await service.load(house.tenant))


@pytest.mark.spec("features C08")
async def test_what_the_platform_sets_every_tenant_inherits_that_has_not_decided(
    two_houses, decide, houses
):
    a, b = two_houses
    await service.change(a.tenant, TokenLifetimes, {"id_token": 300})
    await decide(platform.change_values, TokenLifetimes, {"id_token": 900})
    assert (await holds(a, TokenLifetimes)).id_token == 300
    assert (await holds(b, TokenLifetimes)).id_token == 900
    fresh = await houses.find(b.tenant.slug)
    assert service.of(fresh, TokenLifetimes).id_token == 900  # carried by the tenant's own object
    await decide(platform.change_values, TokenLifetimes, {"id_token": None})
    assert (await holds(b, TokenLifetimes)).id_token == 600


@pytest.mark.spec("features C05")
async def test_a_bound_clamps_what_is_stored_and_keeps_it(house, decide):
    await service.change(house.tenant, TokenLifetimes, {"id_token": 3600})
    await decide(platform.change_bounds, TokenLifetimes, {"id_token": 1200})
    assert (await holds(house, TokenLifetimes)).id_token == 1200
    (told,) = [
        each
        for each in service.explain(TokenLifetimes, await service.load(house.tenant))
        if each.name == "id_token"
    ]
    assert (told.source, told.own, told.effective) == ("clamped", 3600, 1200)
    assert told.bound_mark.by == {"type": "platform", "id": "olga"}
    await decide(platform.change_bounds, TokenLifetimes, {"id_token": None})
    assert (await holds(house, TokenLifetimes)).id_token == 3600


@pytest.mark.spec("features W01")
async def test_the_record_has_each_value_and_bound_before_and_after(decide, houses, platform_door):
    await decide(platform.change_values, TokenLifetimes, {"id_token": 600, "device_code": 90})
    await decide(platform.change_bounds, TokenLifetimes, {"id_token": 1200})
    await decide(platform.change_bounds, TokenLifetimes, {"id_token": 900})
    home = await houses.find(PLATFORMS)
    async with home.transaction() as db:
        last, first, values = await audit.newest(db, 3)
    assert {line.event for line in (first, last)} == {"config.bound_changed"}
    moved = {"part": "bounds", "field": "id_token"}
    assert first.metadata["changes"] == [{**moved, "before": None, "after": 1200}]
    assert last.metadata["changes"] == [{**moved, "before": 1200, "after": 900}]
    assert values.metadata["changes"] == [
        {"part": "values", "field": "device_code", "before": None, "after": 90},
        {"part": "values", "field": "id_token", "before": None, "after": 600},
    ]
    async with platform_door.within(home.id) as db:
        number = (await history.versions(db, scope="platform"))[1].number
        await platform_history.restore(db, CATALOGUE, number, Saving(OLGA))
        (line,) = await audit.newest(db, 1)
    assert (line.event, line.metadata["changes"]) == (
        "config.rolled_back", [{**moved, "before": 900, "after": 1200}],
    )  # fmt: skip


@pytest.mark.spec("features C05")
async def test_a_save_beyond_a_bound_is_refused_whole_and_told_who_set_it(house, decide):
    await decide(platform.change_bounds, TokenLifetimes, {"id_token": 1200, "access_token": 900})
    with pytest.raises(BoundViolated) as refusal:
        await service.change(
            house.tenant, TokenLifetimes, {"id_token": 1201, "access_token": 901, "device_code": 90}
        )
    named = {each.field: (each.value, each.bound) for each in refusal.value.violations}
    assert named == {"oidc.ttl.id_token": (1201, 1200), "oidc.ttl.access_token": (901, 900)}
    assert {each.mark.by["id"] for each in refusal.value.violations} == {"olga"}
    assert (await service.load(house.tenant)).own == {}


async def test_a_stored_value_that_a_bound_overtook_does_not_keep_others_from_being_saved(
    house, decide
):
    await service.change(house.tenant, TokenLifetimes, {"id_token": 3600})
    await decide(platform.change_bounds, TokenLifetimes, {"id_token": 1200})
    after = await service.change(house.tenant, TokenLifetimes, {"device_code": 90})
    assert (after.id_token, after.device_code) == (1200, 90)
    assert (await service.load(house.tenant)).own[TTL]["id_token"] == 3600


async def test_the_platform_does_not_inherit_tenants_what_it_forbids_them(decide):
    await decide(platform.change_bounds, TokenLifetimes, {"id_token": 1200})
    with pytest.raises(BoundViolated):
        await decide(platform.change_values, TokenLifetimes, {"id_token": 1201})


@pytest.mark.parametrize(
    ("act", "section", "changes", "field"),
    [
        (platform.change_values, TokenLifetimes, {"id_token": 1}, "oidc.ttl.id_token"),
        (platform.change_values, TokenLifetimes, {"made_up": 1}, "oidc.ttl.made_up"),
        (platform.change_bounds, TokenLifetimes, {"id_token": 1}, "oidc.ttl.id_token"),
        (
            platform.change_bounds, ProtocolFeatures, {"op_tos_uri": "https://x.example"},
            "oidc.features.op_tos_uri",
        ),
        (
            platform.change_bounds, InteractionLife, {"step_seconds": 60},
            "security.interaction.step_seconds",
        ),
    ],
)  # fmt: skip
async def test_what_is_no_value_or_takes_no_bound_is_refused(decide, act, section, changes, field):
    with pytest.raises((InvalidSetting, NotOverridable)) as refusal:
        await decide(act, section, changes)
    assert refusal.value.field == field


async def test_what_the_platform_decides_alone_reaches_tenants(house, decide):
    await decide(platform.change_values, InteractionLife, {"step_seconds": 120})
    assert (await holds(house, InteractionLife)).step_seconds == 120
    with pytest.raises(NotOverridable):
        await service.change(house.tenant, InteractionLife, {"step_seconds": 60})


@pytest.mark.spec("features BEY-3")
async def test_a_preview_says_whom_a_bound_would_clamp_and_saves_nothing(
    two_houses, platform_door, monkeypatch
):
    a, b = two_houses
    await service.change(a.tenant, TokenLifetimes, {"id_token": 3600})
    await service.change(b.tenant, TokenLifetimes, {"id_token": 300})
    monkeypatch.setattr(platform, "_BATCH", 1)
    reach = await platform.preview_bounds(platform_door, TokenLifetimes, {"id_token": 1200})
    named = {each.slug: each.fields for each in reach.named}
    assert named[a.tenant.slug] == {"id_token": (3600, 1200)}
    assert b.tenant.slug not in named
    assert reach.tenants == len(named)
    assert (await service.load(a.tenant)).bounds.get(TTL, {}) == {}


@pytest.mark.spec("features CR-4")
async def test_of_two_who_read_the_same_one_saves_and_the_other_hears_who_and_what(house):
    read = etag((await service.load(house.tenant)).own.get(TTL, {}))
    results = await asyncio.gather(
        *(
            service.change(
                house.tenant, TokenLifetimes, {"id_token": 300 + n},
                Saving(Actor("admin", f"admin-{n}"), expected=read),
            )
            for n in range(4)
        ),
        return_exceptions=True,
    )  # fmt: skip
    won = [n for n, result in enumerate(results) if not isinstance(result, Exception)]
    lost = [result for result in results if isinstance(result, VersionConflict)]
    assert (len(won), len(lost)) == (1, 3)
    assert {each.last.by["id"] for each in lost} == {f"admin-{won[0]}"}
    assert {each.last.changed for each in lost} == {("oidc.ttl.id_token",)}


@pytest.mark.spec("features J03")
async def test_a_version_is_restored_as_a_new_one_within_todays_bounds(house, decide):
    saving = Saving(Actor("admin", "ada"), reason="longer")
    await service.change(house.tenant, TokenLifetimes, {"id_token": 3600}, saving)
    await service.change(house.tenant, ProtocolFeatures, {"par": False}, Saving())
    await service.reset(house.tenant, TokenLifetimes)
    async with house.tenant.transaction() as db:
        found = await history.versions(db)
    assert [(v.number, v.act) for v in found] == [
        (3, "config.section_reset"), (2, "config.updated"), (1, "config.updated"),
    ]  # fmt: skip
    assert (found[2].reason, found[2].by["id"]) == ("longer", "ada")

    async with house.tenant.transaction() as db:
        changed = await history.restore(db, CATALOGUE.of_tenants(), 1, Saving())
    assert changed == ["oidc.features.par", "oidc.ttl.id_token"]
    assert (await service.load(house.tenant)).own == {TTL: {"id_token": 3600}}

    await service.reset(house.tenant, TokenLifetimes)
    await decide(platform.change_bounds, TokenLifetimes, {"id_token": 1200})
    with pytest.raises(BoundViolated):
        async with house.tenant.transaction() as db:
            await history.restore(db, CATALOGUE.of_tenants(), 1, Saving())
    with pytest.raises(VersionUnknown):
        async with house.tenant.transaction() as db:
            await history.restore(db, CATALOGUE.of_tenants(), 99, Saving())


@pytest.mark.spec("features J03")
async def test_the_newest_fifty_versions_are_kept(house):
    for n in range(52):
        await service.change(house.tenant, TokenLifetimes, {"id_token": 300 + n})
    async with house.tenant.transaction() as db:
        found = await history.versions(db, limit=100)
        older = await history.versions(db, before=found[1].number, limit=1)
    assert [found[0].number, found[-1].number, len(found)] == [52, 3, 50]
    assert older[0].number == found[2].number


async def test_a_whole_document_is_saved_at_once_or_not_at_all(house):
    await service.change(house.tenant, SessionPolicy, {"max_accounts_per_session": 2})
    sections = CATALOGUE.of_tenants()
    for bad in (
        {TTL: {"id_token": 300}, "oidc.features": {"par": "perhaps"}},
        {TTL: {"id_token": 300}, "made.up": {}},
        {TTL: {"id_token": 300}, "security.interaction": {"step_seconds": 60}},
    ):
        with pytest.raises((InvalidSetting, NotOverridable)):
            async with house.tenant.transaction() as db:
                await service.replace_all(db, sections, bad, Saving())
    assert set((await service.load(house.tenant)).own) == {"security.session"}
    async with house.tenant.transaction() as db:
        changed = await service.replace_all(db, sections, {TTL: {"id_token": 300}}, Saving())
        again = await service.replace_all(db, sections, {TTL: {"id_token": 300}}, Saving())
    assert (changed, again) == (
        ["oidc.ttl.id_token", "security.session.max_accounts_per_session"], [],
    )  # fmt: skip


async def test_the_platforms_saves_are_versions_and_lines_of_its_own_tenant(house, houses, decide):
    await decide(platform.change_bounds, TokenLifetimes, {"id_token": 1200})
    home = await houses.find(PLATFORMS)
    async with home.transaction() as db:
        newest = (await history.versions(db, scope="platform", limit=1))[0]
        (line,) = await audit.newest(db, 1)
    assert (newest.act, newest.changed) == ("config.bound_changed", ("oidc.ttl.id_token",))
    assert newest.snapshot["bounds"][TTL] == {"id_token": 1200}
    assert (line.event, line.target_type) == ("config.bound_changed", "platform_config")
    async with house.tenant.transaction() as db:
        assert await history.versions(db, scope="platform") == []
