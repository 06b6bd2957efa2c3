import re

import pytest

from insula.ui.assets import STATIC
from insula.ui.colour import contrast
from insula.ui.tokens import THEMES, colours

SURFACES = ("bg", "surface", "surface-2", "surface-3", "overlay")

READ = [
    *((text, on) for text in ("text", "text-2", "text-3") for on in SURFACES),
    *((link, on) for link in ("link", "link-hover") for on in (*SURFACES, "accent-soft")),
    *((state, on) for state in ("ok", "warn", "bad") for on in (f"{state}-soft", "surface")),
    *(
        (text, on)
        for text in ("text", "text-2", "link")
        for on in ("ok-soft", "warn-soft", "bad-soft")
    ),
    *(("on-primary", on) for on in ("primary", "primary-hover")),
    *(("on-danger", on) for on in ("danger", "danger-hover")),
    *(("on-brand", on) for on in ("brand", "brand-hover")),
    *(("brand-link", on) for on in ("surface", "bg", "bad-soft", "warn-soft")),
    *((text, "brand-soft") for text in ("text", "text-2", "text-3")),
    ("platform", "platform-soft"),
    *((text, on) for text in ("platform-text", "platform-text-2")
      for on in ("platform-ink", "platform-ink-2")),
]  # fmt: skip
SEEN = [
    *(("line-control", on) for on in ("bg", "surface", "surface-2")),
    *(("focus", on) for on in SURFACES),
    *((f"{state}-mark", "surface") for state in ("ok", "warn", "bad")),
    *((mark, "surface") for mark in ("accent", "brand", "chart-1", "chart-2")),
    ("platform", "bg"),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("foreground", "background", "required"),
    [*((*pair, 4.5) for pair in READ), *((*pair, 3.0) for pair in SEEN)],
)
def test_text_can_be_read_and_edges_and_marks_can_be_seen(theme, foreground, background, required):
    tokens = colours()

    ratio = contrast(tokens[foreground].in_theme(theme), tokens[background].in_theme(theme))

    assert ratio >= required


def test_browsers_without_light_dark_get_exactly_the_light_theme():
    css = (STATIC / "tokens.css").read_text()
    fallback = css.partition("@supports not")[2].partition("\n}")[0]
    told = {
        name: value if len(value) == 7 else "#" + "".join(digit * 2 for digit in value[1:])
        for name, value in re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6});", fallback)
    }

    assert told == {name: pair.light for name, pair in colours().items() if pair.light != pair.dark}
