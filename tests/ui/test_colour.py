import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.ui.colour import Oklch, contrast, to_hex, to_oklch

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#767676", "#ffffff", 4.54), ("#ff0000", "#ffffff", 4.0)],
)
def test_contrast_is_that_of_wcag_in_either_order(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize(
    ("colour", "oklch"),
    [
        ("#ff0000", (0.62796, 0.25768, 29.23)),
        ("#00ff00", (0.86644, 0.29483, 142.50)),
        ("#0000ff", (0.45201, 0.31321, 264.05)),
    ],
)
def test_oklch_agrees_with_the_values_css_color_gives_for_the_primaries(colour, oklch):
    assert to_oklch(colour) == pytest.approx(oklch, abs=0.01)


@given(colours)
def test_a_colour_survives_the_way_to_oklch_and_back(colour):
    assert to_hex(to_oklch(colour)) == colour


@given(st.floats(0.1, 0.95), st.floats(0, 0.4), st.floats(0, 360))
def test_what_a_screen_cannot_show_keeps_its_lightness(lightness, chroma, hue):
    shown = to_oklch(to_hex(Oklch(lightness, chroma, hue)))

    assert shown.lightness == pytest.approx(lightness, abs=0.01)
    assert shown.chroma <= chroma + 0.01
