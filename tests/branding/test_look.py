"""A tenant's look: what it has chosen is shown, what nobody could read is refused."""

import re

import pytest

from insula.branding.look import branding_of
from insula.branding.settings import Application, Links, Look
from insula.config_overrides import service
from insula.config_overrides.errors import InvalidSetting
from insula.ui.accents import failing_pairs
from insula.ui.branding import stylesheet


@pytest.mark.spec("features J07")
async def test_a_tenant_that_has_chosen_nothing_shows_its_name_and_an_accent_of_its_own(house):
    look = branding_of(house.tenant)
    assert (look.name, look.tile_letter, look.links) == (house.tenant.display_name, "H", ())
    assert failing_pairs(look.accent) == []


@pytest.mark.spec("features J07", "features J08")
async def test_what_a_tenant_chooses_is_shown_at_once_and_to_nobody_else(two_houses, houses):
    a, b = two_houses
    await service.change(a.tenant, Application, {"title": "Acme ID", "description": "One door."})
    await service.change(a.tenant, Look, {"accent_color": "#1F6F54"})
    await service.change(a.tenant, Links, {"support": "https://acme.example/help"})
    look = branding_of(await houses.find(a.tenant.slug))
    assert (look.name, look.description, look.accent) == ("Acme ID", "One door.", "#1f6f54")
    assert look.links == (("Help", "https://acme.example/help"),)
    assert b"#1f6f54" in stylesheet(look)
    assert branding_of(await houses.find(b.tenant.slug)).name == b.tenant.display_name
    await service.change(a.tenant, Look, {"company_name": "Acme & Sons"})
    assert branding_of(await houses.find(a.tenant.slug)).name == "Acme & Sons"


@pytest.mark.spec("features J08")
@pytest.mark.parametrize("colour", ["#ffff00", "#f0f0f0", "#00ff00"])
def test_an_accent_that_cannot_be_read_is_refused_with_the_pair_and_the_nearest_that_can(colour):
    with pytest.raises(ValueError, match=r"contrast of \d+\.\d : 1") as refusal:
        Look(accent_color=colour)
    (offered,) = re.findall(r"nearest that passes is (#[0-9a-f]{6})", str(refusal.value))
    assert Look(accent_color=offered).accent_color == offered


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        (Look, {"accent_color": "red"}),
        (Look, {"accent_color": "#fff;}body{"}),
        (Look, {"company_name": "x" * 121}),
        (Application, {"title": "Acme\u202e"}),
        (Links, {"support": "javascript:alert(1)"}),
        (Links, {"website": "http://acme.example"}),
    ],
)
async def test_what_could_not_be_shown_is_refused(house, section, changes):
    with pytest.raises(InvalidSetting) as refusal:
        await service.change(house.tenant, section, changes)
    assert refusal.value.field == f"{section.key}.{next(iter(changes))}"
