"""
A tenant's own colours, one by one, over what is derived from its accent.

Each theme stands for itself.  A colour that is not chosen is derived: from the accent as ever, or,
where that could not be read on what was chosen, from what it stands on.  So a tenant that chooses
one colour need not choose thirty, and what is refused is a choice and never a derivation.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from insula.ui.accents import GRAPHIC, TEXT, palette
from insula.ui.colour import contrast, to_hex, to_oklch
from insula.ui.tokens import Theme, colours

#: What may be chosen, as a person looks for it.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "Brand": (
        "primary", "primary_hover", "primary_active", "on_primary",
        "secondary", "secondary_hover", "secondary_active", "on_secondary",
        "accent", "accent_hover", "on_accent",
    ),
    "Surfaces": ("background", "surface", "surface_raised", "muted", "border", "border_strong"),
    "Text": ("on_background", "on_surface", "on_muted", "link", "link_hover"),
    "Inputs": ("input_background", "input_border", "focus_ring"),
    "States": ("warning", "on_warning", "danger", "on_danger", "info", "on_info"),
}  # fmt: skip
NAMES: Final = tuple(name for names in GROUPS.values() for name in names)

#: Colours of one theme by name.
Chosen = Mapping[str, str]

#: What stands on what, and how much the two must differ.
_PAIRS: Final = (
    *(("on_primary", on, TEXT) for on in ("primary", "primary_hover", "primary_active")),
    *(("on_secondary", on, TEXT) for on in ("secondary", "secondary_hover", "secondary_active")),
    *(("on_accent", on, GRAPHIC) for on in ("accent", "accent_hover")),
    *(("on_surface", on, TEXT)
      for on in ("surface", "surface_raised", "muted", "input_background")),
    *(("on_muted", on, TEXT) for on in ("surface", "surface_raised", "muted")),
    *((link, on, TEXT) for link in ("link", "link_hover") for on in ("surface", "surface_raised")),
    ("on_background", "background", TEXT),
    ("on_warning", "warning_fill", TEXT),
    ("on_danger", "danger_fill", TEXT),
    ("on_info", "info", TEXT),
    ("danger", "surface", TEXT),
    *((mark, "surface", GRAPHIC) for mark in ("primary", "accent", "input_border", "focus_ring")),
)  # fmt: skip
#: A state by the token that it goes by.
_STATES: Final = {"warning": "warn", "danger": "bad"}
_DARK_WORDS, _LIGHT_WORDS = "#15171c", "#ffffff"
_MIDDLE = 0.5  # of lightness, between what gets darker and what gets lighter under the pointer


class Clash(NamedTuple):
    """A choice that cannot be read or seen; *name* is the colour to change."""

    theme: Theme
    name: str
    text: str


class _Mixing:
    """
    Colours of one theme while they are found: *found* grows, *stock* is from the accent.

    Where a card is dark in the light theme, what is derived may be as on the *other* one.
    """

    def __init__(self, accent: str, theme: Theme, chosen: Chosen) -> None:
        tokens = {**colours(), **palette(accent)}
        self.stock = {name: pair.in_theme(theme) for name, pair in tokens.items()}
        opposite: Theme = "dark" if theme == "light" else "light"
        self._other = {name: pair.in_theme(opposite) for name, pair in tokens.items()}
        self.chosen = chosen
        self.found: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self.found[name]

    def put(self, name: str, derived: str) -> None:
        self.found[name] = self.chosen.get(name, derived)

    def has(self, *names: str) -> bool:
        return any(name in self.chosen for name in names)

    def either(self, token: str) -> list[str]:
        return [self.stock[token], self._other[token]]

    def seen_on(self, *on: str, of: Iterable[str], least: float = TEXT) -> str:
        """The first *of* some colours that is seen on all of *on*; else black or white."""
        grounds = [self.found[name] for name in on]
        for colour in of:
            if all(contrast(colour, ground) >= least for ground in grounds):
                return colour
        return max(
            (_DARK_WORDS, _LIGHT_WORDS),
            key=lambda colour: min(contrast(colour, ground) for ground in grounds),
        )


def complete(accent: str, theme: Theme, chosen: Chosen) -> dict[str, str]:
    """Every colour of a theme: those of `NAMES`, and a few that only follow from them."""
    mix = _Mixing(accent, theme, chosen)
    _surfaces(mix)
    _words(mix)
    _brand(mix)
    _inputs(mix)
    _states(mix)
    return mix.found


def clashes(accent: str, theme: Theme, chosen: Chosen) -> list[Clash]:
    """What of a choice could not be read or seen: the pairs in which a chosen colour is."""
    if not chosen:
        return []
    found = complete(accent, theme, chosen)
    clashing = []
    for foreground, background, required in _PAIRS:
        over, under = foreground, background.removesuffix("_fill")
        name = over if over in chosen else under
        ratio = contrast(found[over], found[background])
        if name in chosen and ratio < required:
            # without the colours: an answer must not repeat what was sent to it
            told = " on ".join(
                each if each in chosen else f"{each} (derived)" for each in (over, under)
            )
            clashing.append(
                Clash(
                    theme, name,
                    f"{told} in the {theme} theme would have a contrast of {ratio:.1f} : 1 where "
                    f"{required} is needed",
                )
            )  # fmt: skip
    return clashing


def _surfaces(mix: _Mixing) -> None:
    stock = mix.stock
    mix.put("background", stock["brand-bg"])
    # the accent's glow would lie on a page that has another colour
    mix.found["glow"] = mix["background"] if mix.has("background") else stock["brand-soft"]
    mix.put("surface", stock["surface"])
    surface, own = mix["surface"], mix.has("surface")
    mix.put("surface_raised", _shade(surface, 0.02) if own else stock["surface-2"])
    mix.put("muted", _shade(surface, 0.05) if own else stock["surface-3"])
    mix.put("border", _shade(surface, 0.08) if own else stock["line"])
    mix.put("border_strong", _shade(surface, 0.15) if own else stock["line-2"])
    mix.put("input_background", surface)


def _words(mix: _Mixing) -> None:
    stock, wells = mix.stock, ("surface", "surface_raised", "muted")
    mix.put("on_surface", mix.seen_on(*wells, "input_background", of=mix.either("text")))
    mix.put("on_muted", mix.seen_on(*wells, of=[*mix.either("text-2"), mix["on_surface"]]))
    quiet = mix.seen_on(*wells, of=[*mix.either("text-3"), mix["on_muted"]])
    mix.found["quiet"] = mix["on_muted"] if mix.has("on_muted") else quiet
    mix.put("on_background", mix.seen_on("background", "glow", of=mix.either("text-3")))
    on = mix.has("on_background") or mix["on_background"] != stock["text-3"]
    mix.found["page_link"] = mix["on_background"] if on else stock["text-2"]
    links = [*mix.either("brand-link"), mix["on_surface"]]
    mix.put("link", mix.seen_on("surface", "surface_raised", of=links))
    mix.put("link_hover", mix["link"])


def _brand(mix: _Mixing) -> None:
    stock = mix.stock
    mix.put("primary", mix.seen_on("surface", of=mix.either("brand"), least=GRAPHIC))
    primary = mix["primary"]
    own = primary != stock["brand"]
    words = [] if own else [stock["on-brand"]]
    mix.put("on_primary", mix.seen_on("primary", of=words))
    mix.put("primary_hover", _away(primary, mix["on_primary"]) if own else stock["brand-hover"])
    mix.put("primary_active", mix["primary_hover"])

    mix.put("secondary", mix["surface"])
    own = mix.has("secondary")
    mix.put("secondary_hover", _shade(mix["secondary"], 0.05) if own else mix["muted"])
    mix.put("secondary_active", mix["secondary_hover"])
    grounds = ("secondary", "secondary_hover", "secondary_active")
    mix.put("on_secondary", mix.seen_on(*grounds, of=[mix["on_surface"]]))

    mix.put("accent", primary)
    mix.put("accent_hover", mix["accent"])
    mix.put("on_accent", mix.seen_on("accent", "accent_hover", of=[mix["surface"]], least=GRAPHIC))


def _inputs(mix: _Mixing) -> None:
    edges = mix.either("line-control")
    mix.put("input_border", mix.seen_on("surface", of=edges, least=GRAPHIC))
    mix.put(
        "focus_ring", mix.seen_on("surface", of=[mix["link"], mix["on_surface"]], least=GRAPHIC)
    )
    # below the card a ring stands on the page, which may be as dark as the card is light
    rings = [mix["focus_ring"], mix["on_background"]]
    mix.found["page_ring"] = mix.seen_on("background", of=rings, least=GRAPHIC)


def _states(mix: _Mixing) -> None:
    """
    A state's colour fills its messages, with words in one colour on it.

    Until one of the two is chosen a message is a tint, with a mark in the state's colour.
    """
    stock = mix.stock
    for name, token in _STATES.items():
        mix.put(name, mix.seen_on("surface", of=mix.either(token)))
        own = mix.has(name)
        fill = mix.found[f"{name}_fill"] = mix[name] if own else stock[f"{token}-soft"]
        mix.found[f"{name}_edge"] = fill if own else stock[f"{token}-line"]
        words = mix.seen_on(f"{name}_fill", of=[] if own else [stock["text"]])
        mix.put(f"on_{name}", words)
        one = mix[f"on_{name}"] if mix.has(name, f"on_{name}") else None
        mix.found[f"{name}_more"] = one or stock["text-2"]
        mix.found[f"{name}_mark"] = one or stock[token]
        mix.found[f"{name}_link"] = one or stock["brand-link"]
    mix.put("info", mix["surface_raised"])
    mix.put("on_info", mix.seen_on("info", of=[mix["link"]]))


def _shade(colour: str, by: float) -> str:
    """A little darker where it is light, a little lighter where it is dark."""
    lch = to_oklch(colour)
    step = -by if lch.lightness > _MIDDLE else by
    return to_hex(lch._replace(lightness=lch.lightness + step))


def _away(colour: str, words: str) -> str:
    """Further from the words on it, as a button under the pointer."""
    lch = to_oklch(colour)
    step = 0.06 if to_oklch(words).lightness < _MIDDLE else -0.06
    return to_hex(lch._replace(lightness=lch.lightness + step))
