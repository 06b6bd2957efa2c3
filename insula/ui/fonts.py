"""
The fonts that a tenant may choose from; each is a package that the build fetches.

A name is what settings say and what `@font-face` is for: a browser loads a file only once text
is set in it, so that a page costs what its tenant has chosen and no more.
"""

from typing import Final, Literal, NamedTuple, get_args

#: For running text and headings; "system" loads nothing.
TextFont = Literal[
    "Inter",
    "Source Sans 3",
    "IBM Plex Sans",
    "Atkinson Hyperlegible Next",
    "Lora",
    "Source Serif 4",
    "system",
]
#: For codes and ids.
MonoFont = Literal["JetBrains Mono", "Source Code Pro", "system"]

_SANS: Final = (
    'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'
)
_SERIF: Final = 'ui-serif, Georgia, Cambria, "Times New Roman", serif'
_MONO: Final = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace'
_SERIFS: Final = frozenset({"Lora", "Source Serif 4"})

#: Those of Insula's own pages, in every script that they have.
OWN: Final = ("Inter", "JetBrains Mono")
BUNDLED: Final = tuple(
    dict.fromkeys(
        (*OWN, *(name for name in (*get_args(TextFont), *get_args(MonoFont)) if name != "system"))
    )
)


class Fonts(NamedTuple):
    """What a tenant's pages are set in."""

    heading: TextFont = "Inter"
    body: TextFont = "Inter"
    mono: MonoFont = "JetBrains Mono"


def package(name: str) -> str:
    """The name of a font in the registry, and of its files."""
    return name.lower().replace(" ", "-")


def stack(name: str, *, mono: bool = False) -> str:
    """A font with what stands in for it, as CSS writes it."""
    instead = _MONO if mono else _SERIF if name in _SERIFS else _SANS
    return instead if name == "system" else f'"{name} Variable", {instead}'


def are_bundled(fonts: Fonts) -> bool:
    """Whether each is one that there is."""
    text, mono = get_args(TextFont), get_args(MonoFont)
    return fonts.heading in text and fonts.body in text and fonts.mono in mono
