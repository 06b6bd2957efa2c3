"""insula check: everything an operator would ask, each finding with its remedy."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Literal

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn

from insula.kernel.crypto import DoesNotOpen
from insula.kernel.db import Database
from insula.kernel.errors import InsulaError
from insula.keys import service as keys
from insula.platform import environment, migrations
from insula.platform.cli.output import Json, err, fail, show_rows
from insula.platform.context import Context, opened
from insula.tenancy import health
from insula.tenancy.checks import RoleTooStrong, refuse_strong_role
from insula.tenancy.models import DEFAULT, PLATFORMS

_OLDEST = 150014  # security.md section 6: fixes of CVE-2025-8713


@dataclass(frozen=True, slots=True)
class Finding:
    """One question and its answer; *remedy* where something must be done."""

    check: str
    state: Literal["ok", "warning", "failed"]
    found: str
    remedy: str = ""


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
            return Finding(
                "keys", "failed", f"the keys of {slug} do not open",
                "INSULA_SECRETS_KEY is not the one they were sealed with; add it to "
                "INSULA_SECRETS_KEY_PREVIOUS.",
            )  # fmt: skip
        except InsulaError as refusal:
            return Finding("keys", "warning", refusal.description, "Start `insula serve` once.")
    return Finding("keys", "ok", "they open")


_CHECKS: tuple[Callable[[Context], Awaitable[Finding]], ...] = (
    _configuration,
    _database,
    _schema,
    _role,
    _platform_role,
    _clock,
    _events,
    _keys,
)


async def _all(step: Callable[[str], None]) -> list[Finding]:
    findings: list[Finding] = []
    async with opened(refuse_unfit=False) as here:
        for ask in _CHECKS:
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


def check(*, json: Json = False) -> None:
    """Ask everything an operator would ask; exit code 1 if something must be done."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=err, disable=json, transient=True
    ) as progress:
        task = progress.add_task("Checking", total=len(_CHECKS))
        try:
            findings = asyncio.run(
                _all(lambda name: progress.update(task, description=f"Checking {name}", advance=1))
            )
        except environment.BadConfiguration as mistakes:
            fail(str(mistakes), json=json, code="configuration", status=2)
    show_rows(
        [asdict(finding) for finding in findings], ("check", "state", "found", "remedy"), json=json
    )
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(1)
