"""Every command that a page names is there."""

import re
import shlex

import pytest
import typer
from serving import ROOT

from insula.platform.cli.main import app

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs" / "how-to").glob("*.md")))
ALL = typer.main.get_command(app)


def named(page):
    """The `insula` commands of a page, in its sentences and in its pieces of shell."""
    written = page.read_text().replace("\\\n", " ")
    blocks = re.findall(r"```sh\n(.*?)```", written, re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    spans = [" ".join(span.split()) for span in re.findall(r"(?<!`)`(insula [^`]+)`", written)]
    return [line for line in [*lines, *spans] if line.startswith("insula ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_is_one(page):
    for line in named(page):
        place = ALL
        for word in shlex.split(line, comments=True)[1:]:
            if not hasattr(place, "commands") or word.startswith("-"):
                break
            assert word in place.commands, line
            place = place.commands[word]
