"""What a tenant decides for itself: read over what is built in, changed without losing anything."""

import asyncio
from dataclasses import fields
from typing import ClassVar

import psycopg
import pytest
from pydantic import ValidationError

from insula.audit import service as audit
from insula.audit.models import Actor
from insula.config_overrides import service
from insula.config_overrides.errors import InvalidSetting, NotOverridable
from insula.config_overrides.models import Layers
from insula.config_overrides.resolution import resolve
from insula.config_overrides.saving import Saving
from insula.kernel.settings import DecidedBy, Section
from insula.oidc.models import Features, Lifetimes
from insula.providers.settings import ProtocolFeatures, TokenLifetimes
from insula.sign_in.settings import InteractionLife

TTL = "oidc.ttl"


async def stored(house, section):
    return resolve(section, await service.load(house.tenant))


def own(**sections):
    return Layers(own={key.replace("_", "."): values for key, values in sections.items()})


async def decided(house):
    return (await service.load(house.tenant)).own


async def version(houses, house):
    return (await houses.find(house.tenant.slug)).version


# --- reading


def test_what_is_not_stored_is_as_built_in():
    assert resolve(TokenLifetimes, Layers()) == TokenLifetimes()
    assert resolve(TokenLifetimes, own(oidc_ttl={})) == TokenLifetimes()
    assert resolve(TokenLifetimes, own(oidc_ttl={"id_token": 300})).id_token == 300


@pytest.mark.parametrize("bad", [5, 86401, "soon", None, [300], {"seconds": 300}])
def test_a_stored_value_that_is_no_longer_valid_falls_back_alone(bad):
    given = own(oidc_ttl={"id_token": bad, "access_token": 120, "gone": 1})
    assert resolve(TokenLifetimes, given) == TokenLifetimes(access_token=120)


def test_values_that_are_valid_apart_and_not_together_fall_back_together():
    class Span(Section):
        key: ClassVar[str] = "test.span"
        decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT
        low: int = 1
        high: int = 9

        def model_post_init(self, _context):
            if self.low > self.high:
                raise ValueError("low is not above high")

    assert resolve(Span, own(test_span={"low": 8, "high": 2})) == Span()


# --- changing


async def test_a_change_holds_for_one_tenant_alone(two_houses):
    a, b = two_houses
    after = await service.change(a.tenant, TokenLifetimes, {"id_token": 300})
    assert after == TokenLifetimes(id_token=300)
    assert await stored(a, TokenLifetimes) == after
    assert await stored(b, TokenLifetimes) == TokenLifetimes()


async def test_what_is_decided_is_stored_though_it_is_the_built_in_value(house):
    await service.change(house.tenant, TokenLifetimes, {"id_token": 300, "access_token": 600})
    assert await decided(house) == {TTL: {"id_token": 300, "access_token": 600}}
    await service.change(house.tenant, TokenLifetimes, {"id_token": None, "access_token": None})
    assert await decided(house) == {}


async def test_what_a_later_release_stored_survives_a_change(house, database):
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute(
            "insert into insula.tenant_settings (tenant_id, section, value)"
            " values (%s, %s, '{\"from_the_future\": 1}')",
            [house.tenant.id, TTL],
        )
    await service.change(house.tenant, TokenLifetimes, {"id_token": 300})
    assert await decided(house) == {TTL: {"from_the_future": 1, "id_token": 300}}


async def test_two_changes_at_once_are_both_kept(house):
    changes = [{"id_token": 300}, {"access_token": 120}, {"device_code": 90}, {"pushed_request": 9}]
    await asyncio.gather(
        *(service.change(house.tenant, TokenLifetimes, change) for change in changes)
    )
    assert await stored(house, TokenLifetimes) == TokenLifetimes(
        id_token=300, access_token=120, device_code=90, pushed_request=9
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id_token": 59}, "oidc.ttl.id_token"),
        ({"id_token": "soon"}, "oidc.ttl.id_token"),
        ({"access_token": 120, "pushed_request": 91}, "oidc.ttl.pushed_request"),
        ({"device_code": 1801}, "oidc.ttl.device_code"),
        ({"access_token": 120, "made_up": 1}, "oidc.ttl.made_up"),
    ],
)
async def test_a_change_with_one_mistake_is_refused_whole_and_named(house, changes, field):
    with pytest.raises((InvalidSetting, NotOverridable)) as refusal:
        await service.change(house.tenant, TokenLifetimes, changes)
    assert refusal.value.field == field
    assert await decided(house) == {}


async def test_what_the_platform_decides_is_not_a_tenants_to_change(house):
    for act in (
        service.change(house.tenant, InteractionLife, {"step_seconds": 60}),
        service.reset(house.tenant, InteractionLife),
    ):
        with pytest.raises(NotOverridable) as refusal:
            await act
        assert refusal.value.code == "field_not_overridable"


async def test_a_field_or_a_section_goes_back_to_what_is_built_in(house):
    await service.change(house.tenant, TokenLifetimes, {"id_token": 300, "access_token": 120})
    after = await service.reset(house.tenant, TokenLifetimes, "id_token")
    assert after == TokenLifetimes(access_token=120)
    assert await service.reset(house.tenant, TokenLifetimes) == TokenLifetimes()
    assert await decided(house) == {}
    with pytest.raises(NotOverridable):
        await service.reset(house.tenant, TokenLifetimes, "made_up")


async def test_a_change_is_recorded_and_raises_the_version_and_no_change_does_not(house, houses):
    ada = Actor("admin", str(house.admin.id))
    before = await version(houses, house)
    await service.change(house.tenant, TokenLifetimes, {"id_token": 300}, Saving(ada))
    changed = await version(houses, house)
    await service.change(house.tenant, TokenLifetimes, {"id_token": 300}, Saving(ada))
    await service.reset(house.tenant, ProtocolFeatures, saving=Saving(ada))
    assert before < changed == await version(houses, house)
    assert set(await decided(house)) == {TTL}
    await service.reset(house.tenant, TokenLifetimes, saving=Saving(ada))
    assert await version(houses, house) > changed
    async with house.tenant.transaction() as db:
        last, first = await audit.newest(db, 2)
    assert (first.event, last.event) == ("config.updated", "config.section_reset")
    assert (first.actor_id, first.target_id) == (str(house.admin.id), TTL)
    assert (first.metadata, last.metadata) == (
        {
            "changed": ["id_token"], "version": 1,
            "changes": [{"field": "id_token", "before": None, "after": 300}],
        },
        {
            "changed": ["id_token"], "version": 2,
            "changes": [{"field": "id_token", "before": 300, "after": None}],
        },
    )  # fmt: skip


def test_which_fields_a_tenant_has_set():
    given = own(oidc_ttl={"id_token": 300, "access_token": 600, "device_code": 1})
    assert service.overridden(given, TokenLifetimes) == {"id_token", "access_token"}


# --- the sections of the provider


def test_every_feature_of_the_engine_is_a_setting_with_the_engines_default():
    assert list(ProtocolFeatures.model_fields) == [field.name for field in fields(Features)]
    assert ProtocolFeatures().features() == Features()
    changed = ProtocolFeatures(front_channel_tokens=True, registration="token").features()
    assert changed == Features(front_channel_tokens=True, registration="token")


def test_every_life_of_the_engine_is_a_setting_with_the_engines_default():
    assert TokenLifetimes().lifetimes() == Lifetimes()
    assert TokenLifetimes(pushed_request=9, device_code=90).lifetimes() == Lifetimes(
        pushed_request=9, device_code=90
    )


@pytest.mark.parametrize("field", ["service_documentation", "op_policy_uri", "op_tos_uri"])
def test_a_page_of_the_metadata_is_https(field):
    good = "https://www.example.com/help?x=1"
    assert getattr(ProtocolFeatures(**{field: good}), field) == good
    for bad in (
        "http://www.example.com", "javascript:alert(1)", "https://", "https://a b", "//x",
        "https://user@x.example", "https://[::1",
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            ProtocolFeatures(**{field: bad})
