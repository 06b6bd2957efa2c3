"""A tenant's fonts and single colours: kept by the field, and refused together."""

import pytest
from psycopg.types.json import Jsonb

from insula.branding.look import branding_of
from insula.branding.settings import Look
from insula.config_overrides import service
from insula.config_overrides.errors import InvalidSetting
from insula.config_overrides.resolution import explain
from insula.ui.branding import stylesheet


@pytest.mark.spec("features C01", "features C09", "features J01")
async def test_colours_and_fonts_are_shown_and_taken_back_one_by_one(house, houses):
    tenant = house.tenant
    await service.change(
        tenant, Look,
        {"font_body": "Lora", "palette_light_surface": "#FFFAF0",
         "palette_light_border": "#e8d5b5"},
    )  # fmt: skip
    look = branding_of(await houses.find(tenant.slug))
    assert look.fonts.body == "Lora"
    assert dict(look.palette_light) == {"surface": "#fffaf0", "border": "#e8d5b5"}
    assert b"--surface: light-dark(#fffaf0, #131418)" in stylesheet(look)

    await service.change(tenant, Look, {"palette_light_surface": None})
    told = {each.name: each for each in explain(Look, await service.load(tenant))}
    assert told["palette_light_surface"].source == "default"
    assert (told["palette_light_border"].source, told["palette_light_border"].own) == (
        "tenant", "#e8d5b5",
    )  # fmt: skip
    assert told["font_heading"].effective == "Inter"
    left = await service.reset(tenant, Look)
    assert (left.font_body, left.palette_light_border) == ("Inter", "")


@pytest.mark.spec("features J08")
async def test_colours_that_cannot_be_read_together_are_refused_with_their_pair(house):
    with pytest.raises(
        InvalidSetting, match=r"on_primary on primary in the dark .* 4\.5"
    ) as refusal:
        await service.change(
            house.tenant, Look,
            {"palette_dark_primary": "#222222", "palette_dark_on_primary": "#333333"},
        )  # fmt: skip
    assert refusal.value.field == "branding.palette_dark_on_primary"
    await service.change(house.tenant, Look, {"palette_dark_on_primary": "#000000"})
    # what is chosen stands, so it is the accent's button that must be read under it
    with pytest.raises(InvalidSetting, match=r"on_primary on primary \(derived\) in the light"):
        await service.change(house.tenant, Look, {"palette_light_on_primary": "#000000"})
    await service.change(
        house.tenant, Look,
        {"palette_light_on_primary": "#000000", "palette_light_primary": "#e07b00",
         "palette_light_accent": "#0067b8", "palette_light_surface": "#111111"},
    )  # fmt: skip
    for changes in ({"font_mono": "Lora"}, {"palette_light_link": "red"}, {"font_body": "Arial"}):
        with pytest.raises(InvalidSetting):
            await service.change(house.tenant, Look, changes)


async def test_an_accent_is_judged_with_the_colours_that_are_chosen(house):
    chosen = {"accent_color": "#0067b8", "palette_dark_on_primary": "#00264d"}
    await service.change(house.tenant, Look, chosen)
    with pytest.raises(InvalidSetting, match=r"on_primary on primary \(derived\) in the dark"):
        await service.change(
            house.tenant, Look, {"palette_dark_on_primary": "#ffffff", "accent_color": "#1f6f54"}
        )
    kept = (await service.load(house.tenant)).own["branding"]
    assert kept == chosen


async def test_a_clash_that_came_of_others_keeps_nobody_from_changing_the_rest(house, superuser):
    clashing = {"palette_dark_on_primary": "#000000", "palette_dark_primary": "#222222"}
    await service.change(house.tenant, Look, {"palette_dark_on_primary": "#000000"})
    superuser.execute(  # as when what it inherits has become another
        "update insula.tenant_settings set value = value || %s"
        " where tenant_id = %s and section = 'branding'",
        [Jsonb(clashing), house.tenant.id],
    )
    superuser.commit()

    changed = await service.change(house.tenant, Look, {"company_name": "Acme"})
    assert (changed.company_name, changed.palette_dark_primary) == ("Acme", "#222222")
    with pytest.raises(InvalidSetting, match="on_primary on primary in the dark"):
        await service.change(house.tenant, Look, {"palette_dark_on_primary": "#010101"})
    with pytest.raises(InvalidSetting, match="on_muted"):
        await service.change(house.tenant, Look, {"palette_dark_on_muted": "#131418"})
    mended = await service.change(house.tenant, Look, {"palette_dark_primary": None})
    assert mended.palette_dark_on_primary == "#000000"
