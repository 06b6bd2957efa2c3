import gzip
import re
from pathlib import Path

import pytest

from insula.ui.assets import Assets, AssetsMissing, assets

SPRITE = '<svg xmlns="http://www.w3.org/2000/svg"><symbol id="user"><path/></symbol></svg>'


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "tokens.css").write_text("one")
    (tmp_path / "vendor" / "fonts.css").write_text("two")
    (tmp_path / "vendor" / "icons.svg").write_text(SPRITE)
    (tmp_path / "vendor" / ".stamp").write_text("ours")
    return tmp_path


async def ask(app, path, method="GET", **headers):
    """Send *path* as it is: an HTTP client would tidy up the very paths that matter here."""
    sent = []

    async def send(message):
        sent.append(message)

    await app(
        {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
            ],
        },
        None,
        send,
    )
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(part.get("body", b"") for part in sent[1:])


async def test_a_file_may_be_kept_for_ever_and_is_never_guessed_at(folder):
    app = Assets(folder)

    status, headers, body = await ask(app, app.url("tokens.css"))

    assert (status, body) == (200, b"one")
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["content-type"] == "text/css; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-length"] == "3"


async def test_a_changed_file_changes_every_address(folder):
    before = Assets(folder)
    (folder / "vendor" / "fonts.css").write_text("three")
    after = Assets(folder)

    assert before.url("tokens.css") != after.url("tokens.css")
    assert (await ask(after, before.url("tokens.css")))[0] == 404


async def test_a_copy_that_is_still_good_is_not_sent_again(folder):
    app = Assets(folder)
    _, headers, _ = await ask(app, app.url("tokens.css"))

    status, _, body = await ask(app, app.url("tokens.css"), if_none_match=headers["etag"])

    assert (status, body) == (304, b"")


async def test_head_tells_the_length_and_sends_nothing(folder):
    app = Assets(folder)

    status, headers, body = await ask(app, app.url("tokens.css"), "HEAD")

    assert (status, headers["content-length"], body) == (200, "3", b"")


async def test_files_can_only_be_read(folder):
    app = Assets(folder)

    status, headers, _ = await ask(app, app.url("tokens.css"), "POST")

    assert (status, headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "name",
    [
        "../assets.py",
        "../../pyproject.toml",
        "..%2fassets.py",
        "vendor/../tokens.css",
        "vendor/.stamp",
        "/etc/passwd",
        "",
        "tokens.css\0",
        "TOKENS.CSS",
    ],
)
async def test_only_the_exact_name_of_a_file_of_the_tree_is_answered(folder, name):
    app = Assets(folder)

    status, headers, body = await ask(app, app.url(name))

    assert (status, body) == (404, b"Not found")
    assert headers["cache-control"] == "no-store"


def test_fonts_and_icons_that_were_not_built_say_how_to_build_them(folder):
    (folder / "vendor" / "icons.svg").unlink()

    with pytest.raises(AssetsMissing, match=r"run `python -m insula\.ui\.build`"):
        Assets(folder)


def test_an_icon_that_is_not_in_the_sprite_is_refused_and_not_invisible(folder):
    app = Assets(folder)

    assert app.icon("user") == app.url("vendor/icons.svg") + "#user"
    with pytest.raises(AssetsMissing, match="'usr'"):
        app.icon("usr")


async def test_every_font_that_a_stylesheet_names_is_served():
    app = assets()
    _, _, css = await ask(app, app.url("vendor/fonts.css"))
    named = re.findall(r"url\(\./([^)]+)\)", css.decode())

    answers = [await ask(app, app.url(f"vendor/{name}")) for name in named]

    assert {headers["content-type"] for _, headers, _ in answers} == {"font/woff2"}
    assert len(named) > 10


async def test_our_own_stylesheets_stay_small():
    app = assets()
    bodies = [(await ask(app, app.url(name)))[2] for name in ("tokens.css", "insula.css")]

    assert sum(len(gzip.compress(body)) for body in bodies) < 16_000
