"""
A tenant's stylesheet: the block that `tokens.css` reserves for tenants, then its own pages'.

With nothing chosen but an accent it is the first alone.  Fonts and palettes are for the pages
where people sign in, whose body is `.auth`: the panels, which this file is loaded in too, are
Insula's own.  A part of such a page that has colours of its own, such as a plain button, has the
tokens bound anew, so that no rule of `insula.css` is repeated.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from insula.ui.accents import palette
from insula.ui.fonts import Fonts, stack
from insula.ui.palettes import clashes, complete
from insula.ui.tokens import THEMES, Pair

#: Chosen colours of one theme, by name.
Palette = tuple[tuple[str, str], ...]

_MESSAGES: Final = (".auth .alert-warn", ".auth :is(.alert-bad, .error-mark)")
#: Where a colour is shown, and by which tokens.
_PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "body.auth": {
        "primary": "brand tenant-tile", "primary_hover": "brand-hover",
        "on_primary": "on-brand on-tenant-tile",
        "accent": "accent", "background": "brand-bg", "glow": "brand-soft",
        "surface": "surface", "surface_raised": "surface-2", "muted": "surface-3",
        "border": "line", "border_strong": "line-2", "input_border": "line-control",
        "on_surface": "text", "on_muted": "text-2", "quiet": "text-3",
        "link": "brand-link link", "link_hover": "link-hover", "focus_ring": "focus",
        "danger": "bad bad-mark", "warning": "warn",
    },
    ".auth .btn-brand:active": {"primary_active": "brand brand-hover"},
    ".auth .btn:not(.btn-brand, .btn-ghost)": {
        "secondary": "surface", "secondary_hover": "surface-3", "on_secondary": "text",
    },
    ".auth .btn:not(.btn-brand, .btn-ghost):active": {"secondary_active": "surface surface-3"},
    ".auth .switch:checked": {"on_accent": "surface"},
    ".auth .switch:checked:hover": {"accent_hover": "accent"},
    ".auth .input": {"input_background": "surface"},
    ".auth-foot": {"on_background": "text-3", "page_link": "text-2", "page_ring": "focus"},
    ".auth .badge-info": {"info": "accent-soft", "on_info": "link"},
    **{
        selector: {
            f"{state}_fill": f"{token}-soft", f"{state}_edge": f"{token}-line",
            f"on_{state}": "text", f"{state}_more": "text-2", f"{state}_mark": token,
            f"{state}_link": "link link-hover",
        }
        for selector, state, token in zip(
            _MESSAGES, ("warning", "danger"), ("warn", "bad"), strict=True
        )
    },
}  # fmt: skip
#: The letters of Inter that `insula.css` asks for are others in another font.
_PLAIN_LETTERS: Final = "font-feature-settings: normal;"


class Style(NamedTuple):
    """All that a stylesheet depends on."""

    accent: str
    fonts: Fonts = Fonts()
    light: Palette = ()
    dark: Palette = ()


class Sheet(NamedTuple):
    """A stylesheet, and its address, which is named by its content."""

    body: bytes
    href: str


@lru_cache(maxsize=1024)
def sheet_of(style: Style) -> Sheet:
    """The stylesheet of a style whose accent may be used."""
    blocks = {":root": palette(style.accent), **_own_places(style)}
    lines = [*_blocks(blocks), *_faces(style.fonts)]
    # A custom property takes any value, so a browser without light-dark() would
    # keep these lines and paint nothing: it must be told the light theme again.
    light = {
        place: {token: Pair(pair.light, pair.light) for token, pair in tokens.items()}
        for place, tokens in blocks.items()
    }
    lines += ["@supports not (color: light-dark(#000, #fff)) {", *_blocks(light, "  "), "}", ""]
    body = "\n".join(lines).encode()
    return Sheet(body, f"/branding/{hashlib.sha256(body).hexdigest()[:12]}.css")


def _own_places(style: Style) -> dict[str, dict[str, Pair]]:
    """
    The tokens of a palette by place, those that are other than without it.

    A palette was legible when it was saved. What the platform decides may have changed under it
    since, and then its theme is derived from the accent alone.
    """
    chosen = [
        {} if clashes(style.accent, theme, dict(own)) else dict(own)
        for theme, own in zip(THEMES, (style.light, style.dark), strict=True)
    ]
    if not any(chosen):
        return {}
    both = zip(THEMES, chosen, strict=True)
    own = [complete(style.accent, theme, colours) for theme, colours in both]
    stock = [complete(style.accent, theme, {}) for theme in THEMES]
    found: dict[str, dict[str, Pair]] = {}
    for place, names in _PLACES.items():
        # messages stay as they are on a card of another colour, so their words are told again
        told = place in _MESSAGES
        for name, tokens in names.items():
            pair = Pair(own[0][name], own[1][name])
            if told or pair != Pair(stock[0][name], stock[1][name]):
                found.setdefault(place, {}).update(dict.fromkeys(tokens.split(), pair))
    return found


def _blocks(places: Mapping[str, Mapping[str, Pair]], indent: str = "") -> Iterator[str]:
    for place, tokens in places.items():
        yield f"{indent}{place} {{"
        for token, pair in tokens.items():
            value = (
                pair.light if pair.light == pair.dark else f"light-dark({pair.light}, {pair.dark})"
            )
            yield f"{indent}  --{token}: {value};"
        yield f"{indent}}}"


def _faces(fonts: Fonts) -> Iterator[str]:
    """Where the fonts are others than Insula's own."""
    usual = Fonts()
    told = [
        (token, stack(name, mono=token == "mono"))
        for token, name, own in zip(("heading", "sans", "mono"), fonts, usual, strict=True)
        if name != own
    ]
    if told:
        yield "body.auth {"
        yield from (f"  --{token}: {value};" for token, value in told)
        if fonts.body != usual.body:
            yield f"  {_PLAIN_LETTERS}"
        yield "}"
    if fonts.heading != usual.heading and fonts.body == usual.body:
        yield f".auth :is(h1, h2, h3) {{ {_PLAIN_LETTERS} }}"
