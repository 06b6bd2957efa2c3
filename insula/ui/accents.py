"""
What is derived from one accent, in OKLCH.

Every derived colour is checked against the surfaces it will stand on, in both
themes, before an accent is accepted: a person must be able to read the sign-in
page of any tenant.
"""

import hashlib
from functools import lru_cache
from typing import NamedTuple

from insula.ui.colour import Oklch, contrast, to_hex, to_oklch
from insula.ui.tokens import THEMES, Pair, Theme, colours

TEXT = 4.5  # WCAG 2.2, 1.4.3
GRAPHIC = 3.0  # WCAG 2.2, 1.4.11

# Each holds in both themes; a test proves it.
DEFAULT_ACCENTS = (
    "#0067b8",  # azure
    "#a8430a",  # rust
    "#1f6f54",  # pine
    "#5b4bb7",  # iris
    "#9b2c5c",  # mulberry
    "#0f6b78",  # teal
    "#7a5300",  # bronze
    "#3a5a9b",  # slate blue
    "#8a3aa0",  # orchid
    "#4c6618",  # olive
)

_STEP = 0.06  # of lightness, between a button and the same button under the pointer
_LINK_STEP = 0.03
_RAISED = 0.78  # lightness of the accent on dark surfaces
_SOFT = ((0.95, 0.016), (0.22, 0.035))  # lightness and most chroma, on light and on dark
_BACKGROUND = ((0.972, 0.005), (0.155, 0.006))
_WHITE = "#ffffff"
_INK_LIGHTNESS = 0.19  # near-black of the accent's own hue


class FailingPair(NamedTuple):
    """Two colours that are too close to be told apart or read."""

    theme: Theme
    foreground: str
    background: str
    ratio: float
    required: float


def default_accent(seed: str) -> str:
    """Choose an accent for a tenant that has not; the same seed gets the same one."""
    digest = hashlib.sha256(seed.encode()).digest()
    return DEFAULT_ACCENTS[int.from_bytes(digest[:4], "big") % len(DEFAULT_ACCENTS)]


@lru_cache(maxsize=256)
def palette(accent: str) -> dict[str, Pair]:
    """Derive the tenant's tokens from the accent, in OKLCH."""
    light = to_oklch(accent)
    dark = light._replace(lightness=max(light.lightness, _RAISED))
    ink = to_hex(Oklch(_INK_LIGHTNESS, min(light.chroma, 0.04), light.hue))
    on_light, on_dark = _on(accent, ink), _on(to_hex(dark), ink)
    return {
        "brand": Pair(accent, to_hex(dark)),
        "brand-hover": Pair(_hover(light, on_light), _hover(dark, on_dark)),
        "on-brand": Pair(on_light, on_dark),
        "brand-link": Pair(
            to_hex(light._replace(lightness=light.lightness - _LINK_STEP)),
            to_hex(dark._replace(lightness=dark.lightness + _LINK_STEP)),
        ),
        "brand-soft": _tint(light, _SOFT),
        "brand-bg": _tint(light, _BACKGROUND),
    }


def failing_pairs(accent: str) -> list[FailingPair]:
    """List the pairs that would be too hard to read with this accent; none means it may be used."""
    tokens = {**colours(), **palette(accent)}
    failing = []
    for theme in THEMES:
        for foreground, background, required in _PAIRS:
            ratio = contrast(tokens[foreground].in_theme(theme), tokens[background].in_theme(theme))
            if ratio < required:
                failing.append(FailingPair(theme, foreground, background, ratio, required))
    return failing


def nearest_accent(accent: str) -> str | None:
    """Find the colour of the same hue, nearest in lightness, that may be used; None for none."""
    wanted = to_oklch(accent)
    steps = sorted((n / 100 for n in range(101)), key=lambda at: abs(at - wanted.lightness))
    colours_near = (to_hex(wanted._replace(lightness=at)) for at in steps)
    return next((colour for colour in colours_near if not failing_pairs(colour)), None)


_PAIRS = (
    ("on-brand", "brand", TEXT),
    ("on-brand", "brand-hover", TEXT),
    *(("brand-link", on, TEXT) for on in ("surface", "brand-bg", "bad-soft", "warn-soft")),
    ("brand", "surface", GRAPHIC),
    *(
        (text, on, TEXT)
        for text in ("text", "text-2", "text-3")
        for on in ("brand-bg", "brand-soft")
    ),
)


def _on(background: str, ink: str) -> str:
    return max((_WHITE, ink), key=lambda text: contrast(text, background))


def _hover(brand: Oklch, text: str) -> str:
    """Move away from the text on the button, so that hovering never makes it harder to read."""
    step = -_STEP if text == _WHITE else _STEP
    return to_hex(brand._replace(lightness=brand.lightness + step))


def _tint(accent: Oklch, levels: tuple[tuple[float, float], tuple[float, float]]) -> Pair:
    light, dark = (
        to_hex(Oklch(lightness, min(accent.chroma, most_chroma), accent.hue))
        for lightness, most_chroma in levels
    )
    return Pair(light, dark)
