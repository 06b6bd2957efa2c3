import dataclasses
import re
from datetime import UTC, datetime

import pytest
from ui_pages import ACME

from insula.ui.accents import DEFAULT_ACCENTS, default_accent, failing_pairs
from insula.ui.assets import STATIC
from insula.ui.branding import Branding, Mark, Picture, branding_href, stylesheet
from insula.ui.pages import render

AN_ERROR = {
    "code": "not_found", "title": "Not found", "text": "Nothing.", "request_id": "r",
    "at": datetime(2026, 1, 1, tzinfo=UTC), "action_label": None, "action_url": None,
    "cancel_host": None,
}  # fmt: skip


@pytest.mark.parametrize("accent", DEFAULT_ACCENTS)
def test_every_accent_we_choose_ourselves_is_readable_in_both_themes(accent):
    assert failing_pairs(accent) == []


def test_an_accent_too_light_for_white_paper_is_refused_by_name_and_ratio():
    failing = failing_pairs("#ffee00")

    assert ("brand-link", "surface") in {(pair.foreground, pair.background) for pair in failing}
    assert all(pair.theme == "light" and pair.ratio < pair.required for pair in failing)


def test_a_bright_accent_gets_dark_letters_and_a_deep_one_white():
    assert "--on-brand: light-dark(#ffffff" in _css("#0067b8")
    assert "--on-brand: light-dark(#ffffff" not in _css("#ffee00")


def test_a_tenant_that_has_not_chosen_always_gets_the_same_accent():
    assert default_accent("acme") == default_accent("acme")
    assert {default_accent(f"tenant-{n}") for n in range(200)} == set(DEFAULT_ACCENTS)


def test_the_stylesheet_sets_nothing_but_the_block_reserved_for_tenants():
    tokens = (STATIC / "tokens.css").read_text()
    reserved = tokens.partition("2 TENANT")[2].partition("3 type")[0]

    assert set(_names(_css("#a8430a"))) <= set(_names(reserved))


def test_browsers_without_light_dark_keep_the_tenants_light_colours():
    modern, _, old = _css("#a8430a").partition("@supports not (color: light-dark(#000, #fff))")

    assert _names(old) == _names(modern)
    assert "light-dark" not in old


def test_the_address_of_a_stylesheet_changes_with_its_content_only():
    renamed = dataclasses.replace(ACME, name="Apex")
    repainted = dataclasses.replace(ACME, accent="#0067b8")

    assert re.fullmatch(r"/branding/[0-9a-f]{12}\.css", branding_href(ACME))
    assert branding_href(renamed) == branding_href(ACME)
    assert branding_href(repainted) != branding_href(ACME)


@pytest.mark.parametrize("accent", ["red", "#FFF", "#a8430a;}", "#a8430a\n", "url(//x)"])
def test_nothing_but_a_colour_can_get_into_the_stylesheet(accent):
    with pytest.raises(ValueError, match="accent"):
        Branding("Acme", "A", accent, "id.acme.example")


def _css(accent):
    return stylesheet(dataclasses.replace(ACME, accent=accent)).decode()


def _names(css):
    return re.findall(r"--([a-z-]+):", css)


@pytest.mark.spec("features J11")
@pytest.mark.parametrize(
    ("theme", "first", "is_choosing"),
    [("light", "/img/light", False), ("dark", "/img/dark", False), (None, "/img/light", True)],
)
def test_a_mark_is_that_of_the_theme_that_was_chosen_or_follows_the_device(
    theme, first, is_choosing
):
    logo = Mark(Picture("/img/light", 240, 72), Picture("/img/dark", 200, 60))
    html = render(
        "ui/error.html", theme=theme, branding=dataclasses.replace(ACME, logo=logo), **AN_ERROR
    )
    assert f'<img src="{first}" alt="{ACME.name}" width=' in html
    found = '<source media="(prefers-color-scheme: dark)" srcset="/img/dark" width="200"' in html
    assert found is is_choosing
    one = dataclasses.replace(ACME, logo=Mark(logo.dark, logo.dark))
    alone = render("ui/error.html", theme=None, branding=one, **AN_ERROR)
    assert "<picture>" not in alone
