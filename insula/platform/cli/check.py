"""insula check: everything an operator would ask, each finding with its remedy."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from insula.data_keys.errors import REMEDY
from insula.kernel.crypto import DoesNotOpen
from insula.kernel.db import Database
from insula.kernel.errors import InsulaError
from insula.keys import service as keys
from insula.platform import deployment, environment, migrations
from insula.platform.cli.output import Json, err, fail, show_rows
from insula.platform.context import Context, opened
from insula.platform.findings import Finding
from insula.tenancy import health
from insula.tenancy.checks import RoleTooStrong, refuse_strong_role
from insula.tenancy.models import DEFAULT, PLATFORMS

_OLDEST = 150014  # security.md section 6: fixes of CVE-2025-8713

app = typer.Typer(help="Ask everything an operator would ask.", invoke_without_command=True)


async def _configuration(here: Context) -> Finding:
    found = environment.warnings(here.settings)
    if not found:
        return Finding("configuration", "ok", here.settings.env)
    return Finding("configuration", "warning", "; ".join(found), "See docs/configuration.md.")


async def _database(here: Context) -> Finding:
    number = await health.server_version(here.database)
    shown = f"PostgreSQL {number // 10000}.{number % 10000}"
    if number < _OLDEST:
        return Finding("database", "failed", shown, "Use PostgreSQL 15.14 or newer.")
    return Finding("database", "ok", shown)


async def _schema(here: Context) -> Finding:
    found = await health.revision(here.database)
    if migrations.is_behind(found):
        return Finding(
            "schema", "failed", f"at {found}, needs {migrations.head()}", "Run `insula migrate`."
        )
    ahead = "" if found == migrations.head() else f", newer than this release's {migrations.head()}"
    return Finding("schema", "ok", f"at {found}{ahead}")


async def _role(here: Context) -> Finding:
    remedy = "Use insula_app for INSULA_DATABASE_URL."
    return await _strength("role", here.database, remedy)


async def _platform_role(here: Context) -> Finding:
    remedy = "Use insula_platform for INSULA_DATABASE_PLATFORM_URL."
    return await _strength("platform_role", here.platform_database, remedy)


async def _strength(check: str, database: Database, remedy: str) -> Finding:
    try:
        await refuse_strong_role(database)
    except RoleTooStrong as refusal:
        return Finding(check, "failed", refusal.description, remedy)
    return Finding(check, "ok", "row-level security holds it")


async def _clock(here: Context) -> Finding:
    ahead = await health.drift(here.database)
    if abs(ahead) > 5:  # noqa: PLR2004  (security.md F-17: 5 s are invisible)
        return Finding("clock", "warning", f"{ahead:+.1f} s off the database's", "Run NTP on both.")
    return Finding("clock", "ok", f"{ahead:+.2f} s off the database's")


async def _events(here: Context) -> Finding:
    url = here.settings.redis_url_text()
    if not url:
        return Finding(
            "events",
            "warning",
            "not configured",
            "Set INSULA_REDIS_URL; until then changes are polled.",
        )
    if await here.bus.answers():
        return Finding("events", "ok", "Valkey answers")
    return Finding("events", "warning", "Valkey is away", "Changes are polled until it returns.")


async def _keys(here: Context) -> Finding:
    for slug in (PLATFORMS if here.settings.naming().multi_tenant else DEFAULT,):
        try:
            await keys.load(await here.tenant(slug), here.envelope)
        except DoesNotOpen:
            return Finding("keys", "failed", f"the keys of {slug} do not open", REMEDY)
        except InsulaError as refusal:
            return Finding("keys", "warning", refusal.description, "Start `insula serve` once.")
    return Finding("keys", "ok", "they open")


Check = Callable[[Context], Awaitable[Finding]]

_CHECKS: tuple[Check, ...] = (
    _configuration,
    _database,
    _schema,
    _role,
    _platform_role,
    _clock,
    _events,
    _keys,
)
#: What a deployment stands on, asked before how the world reaches it.
_GROUND: tuple[Check, ...] = (_database, _schema, _role, _platform_role, _events)


async def _all(checks: Sequence[Check], step: Callable[[str], None]) -> list[Finding]:
    findings: list[Finding] = []
    async with opened(refuse_unfit=False) as here:
        for ask in checks:
            name = ask.__name__.removeprefix("_")
            step(name)
            missing = _NEEDS.get(name, frozenset()) & {
                f.check for f in findings if f.state == "failed"
            }
            if missing:
                why = f"not asked, since {' and '.join(sorted(missing))} failed"
                findings.append(Finding(name, "failed", why, _REMEDIES.get(name, "")))
                continue
            try:
                findings.append(await ask(here))
            except InsulaError as refusal:
                findings.append(
                    Finding(
                        name,
                        "failed",
                        refusal.detail or refusal.description,
                        _REMEDIES.get(name, ""),
                    )
                )
    return findings


#: What cannot be asked when something else has failed: it would wait in vain, or break.
_NEEDS = {
    "schema": frozenset({"database"}),
    "role": frozenset({"database"}),
    "clock": frozenset({"database"}),
    "keys": frozenset({"database", "schema"}),
}

_REMEDIES = {
    "database": "Is it running, and is INSULA_DATABASE_URL right?",
    "schema": "Run `insula migrate`.",
    "role": "Is the database running?",
    "platform_role": "Is it running, and is INSULA_DATABASE_PLATFORM_URL right?",
    "clock": "Is the database running?",
    "keys": "Is the database running, and migrated?",
}


@app.callback()
def check(context: typer.Context, *, json: Json = False) -> None:
    """Ask everything an operator would ask; exit code 1 if something must be done."""
    if context.invoked_subcommand is not None:
        return
    with _progress(json=json) as step:
        found = asyncio.run(_all(_CHECKS, step))
    _report(found, json=json)


Connect = Annotated[
    str | None,
    typer.Option(help="HOST:PORT of a proxy to ask, instead of where the base domain leads."),
]
Authorities = Annotated[
    Path | None,
    typer.Option("--ca", exists=True, dir_okay=False, help="Certificates in PEM to trust."),
]


@app.command("deployment")
def check_deployment(
    connect: Connect = None, authorities: Authorities = None, *, json: Json = False
) -> None:
    """Ask how the world reaches it: names, certificates, the proxy; and what it stands on."""
    with _progress(json=json) as step:
        settings = environment.load()
        found = asyncio.run(_all(_GROUND, step))
        for finding in deployment.findings(
            settings,
            connect=None if connect is None else _host_and_port(connect),
            ca_file=None if authorities is None else str(authorities),
        ):
            step(finding.check)
            found.append(finding)
    _report(found, json=json)


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):  # noqa: PLR2004  (clearer than a name)
        raise typer.BadParameter(f"'{text}' is not HOST:PORT", param_hint="--connect")
    return host.strip("[]"), int(port)


@contextmanager
def _progress(*, json: bool) -> Iterator[Callable[[str], None]]:
    """Show what is being asked; a configuration that cannot be used ends the command."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=err, disable=json, transient=True
    ) as progress:
        task = progress.add_task("Checking", total=None)
        try:
            yield lambda name: progress.update(task, description=f"Checking {name}")
        except environment.BadConfiguration as mistakes:
            fail(str(mistakes), json=json, code="configuration", status=2)


def _report(found: Sequence[Finding], *, json: bool) -> None:
    show_rows(
        [asdict(finding) for finding in found], ("check", "state", "found", "remedy"), json=json
    )
    if any(finding.state == "failed" for finding in found):
        raise typer.Exit(1)
