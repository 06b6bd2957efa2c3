import asyncio
import json
import secrets
from dataclasses import dataclass
from functools import cache

import pytest
import typer.main
import typer.testing
from serving import environment
from typer.testing import CliRunner

from insula.platform.cli.main import app
from insula.platform.context import opened
from insula.tenants import service as tenants


@dataclass
class Outcome:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def variables(database, cluster, monkeypatch, tmp_path):
    """The environment of a development installation; a test may change it."""
    found = environment(database.app, database.platform, cluster.valkey_url, 8000)
    for name, text in found.items():
        if name.startswith("INSULA_"):
            monkeypatch.setenv(name, text)
    monkeypatch.chdir(tmp_path)  # no .env of whoever runs the tests
    return found


@pytest.fixture(scope="session", autouse=True)
def _one_tree_of_commands():
    """The tree of all commands is made once; to make it anew costs as much as a command does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


@pytest.fixture
def run(variables):  # noqa: ARG001  (they are what commands read)
    """Run a command as a person does."""
    runner = CliRunner()

    def run(*words, stdin=""):
        done = runner.invoke(app, list(words), input=stdin)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Outcome(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def insula(run):
    """Run a command as a program does: with --json, and what it answers."""

    def insula(*words, status=0, stdin="", after=()):
        done = run(*words, "--json", *after, stdin=stdin)
        assert done.status == status, done.out + done.err
        said = [line for line in done.err.splitlines() if "events.publish_failed" not in line]
        assert said == []  # but for what a busy machine leaves to the poll
        return done.json

    return insula


@pytest.fixture
def slug(insula):
    """A tenant of its own for every test."""
    slug = f"t-{secrets.token_hex(5)}"
    insula("tenant", "create", slug, "--name", "Acme Ltd")
    return slug


@pytest.fixture
def platform(insula, variables):  # noqa: ARG001  (they are what commands read)
    """Run a command about what all tenants inherit; it is taken back afterwards."""

    async def make_special():
        async with opened() as here:
            await tenants.ensure_special(here.platform, here.envelope, here.rotation)

    asyncio.run(make_special())
    changed = set()

    def platform(act, *words, **options):
        changed.update((act, *pair) for word in words if "=" in word for pair in [(words[0], word)])
        return insula("platform", act, *words, **options)

    yield platform
    for act, section, pair in changed:
        if act in ("set", "bound"):
            insula("platform", act, section, f"{pair.partition('=')[0]}=null")


@pytest.fixture
def here(insula, slug):
    """Run a command in that tenant."""

    def here(*words, **options):
        return insula(*words, "--tenant", slug, **options)

    return here
