"""
The colour tokens, read from the stylesheet that defines them.

`tokens.css` stays the only place where a colour is written; contrast is checked
against what a browser will see and not against a copy in Python.
"""

import re
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")

_STYLESHEET = Path(__file__).parent / "static" / "tokens.css"
_COLOUR = re.compile(
    r"--(?P<name>[a-z0-9-]+):\s*"
    r"(?:light-dark\((?P<light>#[0-9a-f]{6}), (?P<dark>#[0-9a-f]{6})\)|(?P<both>#[0-9a-f]{6}));"
)


class Pair(NamedTuple):
    """One token in both themes."""

    light: str
    dark: str

    def in_theme(self, theme: Theme) -> str:
        return self.light if theme == "light" else self.dark


@cache
def colours() -> dict[str, Pair]:
    """Give every colour token of the first block, by its name without the dashes."""
    block = _STYLESHEET.read_text(encoding="utf-8").partition(":root {")[2].partition("\n}")[0]
    return {
        found["name"]: Pair(found["light"] or found["both"], found["dark"] or found["both"])
        for found in _COLOUR.finditer(block)
    }
