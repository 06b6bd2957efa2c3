import json

import pytest

from insula.ui import build
from insula.ui.fonts import BUNDLED
from insula.ui.icons import NAMED_BY_CODE

DRAWING = """<!--
tags: [person]
-->
<svg
  xmlns="http://www.w3.org/2000/svg"
  stroke-width="2"
>
  <path d="M8 7a4 4 0 1 0 8 0" />
  <path d="M6 21v-2" />
</svg>
"""


@pytest.fixture
def icons(tmp_path):
    for style in ("outline", "filled"):
        (tmp_path / style).mkdir()
        (tmp_path / style / "user.svg").write_text(DRAWING)
    return tmp_path


def test_the_sprite_holds_the_drawings_that_were_named_and_nothing_else(icons):
    sprite = build.sprite({"user"}, icons)

    assert sprite.count("<symbol") == 1
    assert (
        '<symbol id="user" viewBox="0 0 24 24" stroke-linecap="round" stroke-linejoin="round">'
        '<path d="M8 7a4 4 0 1 0 8 0" /><path d="M6 21v-2" /></symbol>' in sprite
    )


def test_a_filled_icon_is_filled(icons):
    assert 'fill="currentColor" stroke="none"' in build.sprite({"user-filled"}, icons)


def test_an_icon_that_does_not_exist_stops_the_build_by_name(icons):
    with pytest.raises(SystemExit, match="'usr'"):
        build.sprite({"usr"}, icons)


def test_icons_are_found_in_templates_and_in_code():
    named = build.icons_named()

    assert {"alert-circle", "arrows-left-right", "copy"} <= named
    assert named >= NAMED_BY_CODE


def test_the_lock_pins_every_package_by_its_hash_and_names_no_registry():
    lock = json.loads((build.NPM / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}

    assert len(packages) == len(BUNDLED) + 1  # the fonts, and the icons
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
    assert lock["packages"][""]["dependencies"] == {
        name.removeprefix("node_modules/"): entry["version"] for name, entry in packages.items()
    }


def test_a_build_with_nothing_new_asks_npm_for_nothing(monkeypatch):
    monkeypatch.setattr(build, "_install", lambda: pytest.fail("npm was asked"))

    build.main()
