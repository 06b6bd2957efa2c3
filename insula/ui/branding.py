"""
A tenant's look, as its pages show it.

What can be seen is checked where it is chosen; here stands what is shown of it, and the one small
stylesheet that says so.
"""

from dataclasses import dataclass
from typing import NamedTuple

from insula.ui.colour import is_hex
from insula.ui.fonts import Fonts, are_bundled
from insula.ui.palettes import NAMES
from insula.ui.stylesheets import Palette, Style, sheet_of


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of this host; its size lets the page stand still while it is loaded."""

    url: str
    width: int | None = None
    height: int | None = None


class Mark(NamedTuple):
    """The same mark on light pages and on dark ones."""

    light: Picture
    dark: Picture


@dataclass(frozen=True)
class Branding:
    """
    What the tenant's own pages show of the tenant; *host* is where the person is.

    *logo* stands above the form, *icon* where there is room for a square.
    """

    name: str
    tile_letter: str
    accent: str
    host: str
    links: tuple[tuple[str, str], ...] = ()
    description: str = ""
    logo: Mark | None = None
    icon: Mark | None = None
    favicon: str | None = None
    touch_icon: str | None = None
    #: Where its stylesheet is, where the host is not the tenant's own.
    stylesheet_url: str | None = None
    fonts: Fonts = Fonts()
    palette_light: Palette = ()
    palette_dark: Palette = ()

    def __post_init__(self) -> None:
        # What is written into a stylesheet.
        if not is_hex(self.accent):
            raise ValueError(f"accent must be # and six lower-case hexadecimal digits: {self}")
        for name, colour in (*self.palette_light, *self.palette_dark):
            if name not in NAMES or not is_hex(colour):
                raise ValueError(f"palette must hold colours by their names: {self}")
        if not are_bundled(self.fonts):
            raise ValueError(f"fonts must be bundled: {self}")

    @property
    def style(self) -> Style:
        """What its stylesheet is made of."""
        return Style(self.accent, self.fonts, self.palette_light, self.palette_dark)


def stylesheet(branding: Branding) -> bytes:
    return sheet_of(branding.style).body


def branding_href(branding: Branding) -> str:
    """Name the stylesheet by its content, so that it can be cached for ever."""
    if branding.stylesheet_url is not None:
        return branding.stylesheet_url
    return sheet_of(branding.style).href
