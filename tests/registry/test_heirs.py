"""Who inherits what the platform may change: told in numbers, before anything is saved."""

import pytest

from insula.clients import service as clients
from insula.config_overrides import platform, reach, service
from insula.config_overrides.impacts import Impact
from insula.config_overrides.models import Layers
from insula.config_overrides.reach import Sum
from insula.platform.sections import CATALOGUE
from insula.providers.settings import ProtocolFeatures, TokenLifetimes
from insula.registry import heirs
from insula.registry import service as registry
from insula.sign_in.settings import InteractionLife

pytestmark = pytest.mark.spec("features BEY-3")

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def held(platform_door):
    """Who is held to bounds of a section by what they inherit."""

    async def held(section, bounds, layers=None):
        found = await platform.preview_bounds(platform_door, section, bounds)
        layers = Layers() if layers is None else layers
        return await heirs.of_bounds(platform_door, CATALOGUE, section, layers, found)

    return held


@pytest.fixture
async def television(house):
    """A tenant with an application that relies on the device grant."""
    asked = {"grant_types": (DEVICE,), "redirect_uris": ()}
    metadata = clients.parse_metadata(asked, development=True)
    await clients.register(house.tenant, "Television", metadata)
    return house


async def test_tenants_that_decided_for_themselves_are_not_among_those_that_inherit(
    two_houses, held, platform_door
):
    a, b = two_houses
    all_of_them = sum((await registry.totals(platform_door)).values())
    before = await held(ProtocolFeatures, {"device": False, "par": False})
    assert before.moved == {"device": (True, False), "par": (True, False)}
    assert before.tenants <= all_of_them
    await service.change(a.tenant, ProtocolFeatures, {"device": True, "par": True})
    await service.change(b.tenant, ProtocolFeatures, {"device": True})  # and inherits the other

    after = await held(ProtocolFeatures, {"device": False, "par": False})

    assert after.tenants == before.tenants - 1
    assert (await held(TokenLifetimes, {"id_token": 86400})).tenants == 0  # moves nothing


async def test_applications_of_tenants_that_inherit_are_counted(
    television, held, platform_door, monkeypatch
):
    monkeypatch.setattr(heirs, "_LOOKED_AT", 10**6)  # whatever other tests have left
    monkeypatch.setattr(heirs, "_SECONDS", 60)
    (some,) = (await held(ProtocolFeatures, {"device": False})).sums
    assert "could not use the device grant any more" in some.sentence
    await service.change(television.tenant, ProtocolFeatures, {"device": True})
    fewer = (await held(ProtocolFeatures, {"device": False})).sums

    assert sum(each.tenants for each in fewer) == some.tenants - 1  # named, and counted there
    args = (platform_door, CATALOGUE, ProtocolFeatures, Layers())
    lost = await heirs.of_defaults(*args, {"device": False})
    assert sum(each.tenants for each in lost.sums) == some.tenants - 1  # it decided otherwise
    assert lost.moved == {"device": (True, False)}
    back = Layers(platform={ProtocolFeatures.key: {"device": False}})
    again = await heirs.of_defaults(*args[:-1], back, {"device": None})
    assert (again.moved, again.sums) == ({"device": (False, True)}, ())


async def test_what_the_platform_alone_decides_is_inherited_by_nobody(platform_door):
    args = (platform_door, CATALOGUE, InteractionLife, Layers())
    assert (await heirs.of_defaults(*args, {"step_seconds": 60})).tenants == 0


@pytest.mark.usefixtures("television")
async def test_where_not_all_were_looked_at_numbers_are_at_least(held, platform_door, monkeypatch):
    all_of_them = sum((await registry.totals(platform_door)).values())
    monkeypatch.setattr(heirs, "_LOOKED_AT", all_of_them)  # there may be more, for what it knows
    monkeypatch.setattr(heirs, "_SECONDS", 60)
    (found,) = (await held(ProtocolFeatures, {"device": False})).sums
    assert found.sentence.startswith("In at least ")
    assert not found.impact.is_exact

    monkeypatch.setattr(heirs, "_SECONDS", -1)
    none = await held(ProtocolFeatures, {"device": False})
    assert (none.looked_at, none.sums) == (0, ())
    assert none.tenants > 0


def test_a_sum_says_whether_it_is_all():
    impact = Impact("f", "application", "would wait", 1, 2)
    assert Sum(1, impact).sentence == "In 1 tenant, 1 of 2 applications would wait"
    some = Sum(1200, impact, all=False)
    assert some.sentence == "In at least 1,200 tenants, at least 1 application would wait"


async def test_the_number_that_decide_is_of_all_the_fields(two_houses, platform_door):
    a, b = two_houses

    async def decide():
        fields = ("id_token", "device_code")
        return await reach.how_many_decide(platform_door, TokenLifetimes, fields)

    before = await decide()
    await service.change(a.tenant, TokenLifetimes, {"id_token": 300, "device_code": 90})
    await service.change(b.tenant, TokenLifetimes, {"id_token": 300})
    assert await decide() == before + 1
