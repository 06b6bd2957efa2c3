"""Colours over those of the accent: each is seen somewhere, and none makes a page unreadable."""

import dataclasses
import re

import pytest
from ui_pages import ACME

from insula.ui.accents import DEFAULT_ACCENTS
from insula.ui.assets import STATIC
from insula.ui.branding import branding_href, stylesheet
from insula.ui.colour import contrast
from insula.ui.fonts import BUNDLED, Fonts
from insula.ui.palettes import NAMES, clashes, complete
from insula.ui.tokens import THEMES

ACCENT = ACME.accent
#: What a card and a page may be painted in: papers, inks, and loud ones.
GROUNDS = ("#ffffff", "#fffaf0", "#e8f0ff", "#ffe45c", "#0b1f3a", "#2a1140", "#000000", "#123d2b")


def _css(**changes):
    return stylesheet(dataclasses.replace(ACME, **changes)).decode()


def _in(theme, **chosen):
    return {f"palette_{theme}": tuple(chosen.items())}


def _near(colour):
    """Another colour that nobody could tell from it."""
    last = int(colour[-2:], 16)
    return f"{colour[:-2]}{last - 1 if last > 128 else last + 1:02x}"


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", NAMES)
def test_every_colour_shows_on_a_page_of_its_theme(theme, name):
    wanted = _near(complete(ACCENT, theme, {})[name])
    assert clashes(ACCENT, theme, {name: wanted}) == []

    painted = _css(**_in(theme, **{name: wanted}))

    place = {
        "light": rf"({wanted};|light-dark\({wanted}, )",
        "dark": rf"light-dark\(#\w+, {wanted}",
    }
    assert re.search(place[theme], painted)
    assert wanted not in _css()


def test_without_a_choice_a_palette_is_what_the_pages_are_anyway():
    light = complete(ACCENT, "light", {})

    assert (light["primary"], light["surface"], light["border"]) == (ACCENT, "#ffffff", "#e7e8eb")
    assert "body.auth" not in _css()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("accent", [DEFAULT_ACCENTS[0], DEFAULT_ACCENTS[6]])
def test_what_is_derived_can_be_read_on_whatever_is_chosen_alone(theme, accent):
    for name in ("surface", "background", "primary", "secondary", "info"):
        refused = [
            clash.text
            for ground in GROUNDS
            for clash in clashes(accent, theme, {name: ground})
            # a button in the colour of the card is not seen, whatever is derived
            if not clash.text.startswith("primary on surface")
        ]
        assert refused == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("over", "under", "required"),
    [
        ("on_primary", "primary", 4.5), ("on_primary", "primary_active", 4.5),
        ("on_secondary", "secondary_hover", 4.5), ("on_accent", "accent", 3.0),
        ("on_background", "background", 4.5), ("on_surface", "surface_raised", 4.5),
        ("on_surface", "input_background", 4.5), ("on_muted", "muted", 4.5),
        ("link", "surface", 4.5), ("link_hover", "surface_raised", 4.5),
        ("danger", "surface", 4.5), ("on_danger", "danger", 4.5), ("on_warning", "warning", 4.5),
        ("on_info", "info", 4.5), ("primary", "surface", 3.0), ("input_border", "surface", 3.0),
        ("focus_ring", "surface", 3.0),
    ],
)  # fmt: skip
def test_two_colours_that_are_too_close_are_refused_by_name_and_ratio(theme, over, under, required):
    ground = complete(ACCENT, theme, {})[under]
    close = {over: "#7a7a7a", under: "#8a8a8a"} if over != "danger" else {over: ground}

    told = {(each.name, each.text) for each in clashes(ACCENT, theme, close)}

    said = f"{over} on {under}{'' if under in close else ' (derived)'} in the {theme} theme"
    (text,) = [text for name, text in told if name == over and text.startswith(said)]
    assert text.endswith(f" : 1 where {required} is needed")


def test_a_choice_is_judged_in_its_own_theme_only():
    assert clashes(ACCENT, "dark", {"danger": "#ff9b9b"}) == []
    assert [each.theme for each in clashes(ACCENT, "light", {"danger": "#ff9b9b"})] == ["light"]


def test_a_theme_that_has_become_unreadable_is_derived_from_the_accent_again():
    gone = _in("light", on_primary="#a8430a") | _in("dark", background="#12001f")

    css = _css(**gone)

    assert "--brand-bg: light-dark(#f9f5f3, #12001f)" in css
    assert "--on-brand: light-dark(#a8430a" not in css


def test_messages_keep_their_words_on_a_card_of_the_other_kind():
    css = _css(**_in("light", surface="#0b1f3a"))
    (words,) = re.findall(
        r"alert-bad, \.error-mark\) \{.*?--text: light-dark\((#\w+)", css, re.DOTALL
    )

    assert contrast(words, "#fdeeee") > 4.5


def test_a_stylesheet_stays_small_and_its_address_follows_it():
    whole = {
        f"palette_{theme}": tuple((n, _near(c)) for n, c in complete(ACCENT, theme, {}).items()
                                  if n in NAMES)
        for theme in THEMES
    }  # fmt: skip
    painted = dataclasses.replace(ACME, **whole, fonts=Fonts("Lora", "IBM Plex Sans", "system"))

    assert len(stylesheet(painted)) < 8_000
    assert branding_href(painted) != branding_href(ACME)


def test_fonts_are_for_the_pages_of_the_tenant_and_not_for_panels():
    css = _css(fonts=Fonts("Lora", "Source Sans 3", "system"))

    own = css.partition("body.auth {")[2].partition("}")[0]
    assert '--heading: "Lora Variable", ui-serif' in own
    assert '--sans: "Source Sans 3 Variable", ui-sans-serif' in own
    assert "--mono: ui-monospace" in own
    assert css.count("--sans") == 1
    assert "--heading" not in _css(fonts=Fonts(body="Lora"))


@pytest.mark.parametrize(
    "change",
    [
        {"fonts": Fonts("Comic Sans", "Inter", "JetBrains Mono")},
        {"fonts": Fonts("Inter", "Inter", 'x"; } body {')},
        {"palette_light": (("primary", "red"),)},
        {"palette_dark": (("primary", "#aabbcc;}"),)},
        {"palette_dark": (("success", "#aabbcc"),)},
    ],
)
def test_nothing_but_a_bundled_font_or_a_known_colour_gets_into_the_stylesheet(change):
    with pytest.raises(ValueError, match=r"palette|fonts"):
        dataclasses.replace(ACME, **change)


def test_every_font_that_may_be_chosen_is_declared():
    faces = (STATIC / "vendor" / "fonts.css").read_text()
    declared = set(re.findall(r"font-family: '(.+?) Variable'", faces))

    assert declared == set(BUNDLED)
