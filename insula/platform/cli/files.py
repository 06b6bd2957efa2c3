"""
insula plan, apply and drift: an installation as the files of a folder say.

Nothing is saved before all was tried: the platform's part first, and each tenant's as if the
platform's were saved. What was tried is taken back.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from insula.audit.models import SYSTEM
from insula.config_overrides import platform, service
from insula.config_overrides.masks import mask
from insula.config_overrides.models import Layers
from insula.config_overrides.saving import Saving
from insula.configuration.applying import Applied, Applying, apply
from insula.configuration.models import Difference, Document
from insula.kernel.errors import Invalid
from insula.platform.cli.folder import Files, PlatformFile, naming, read_folder
from insula.platform.cli.output import REFUSED, Json, out, run, show
from insula.platform.context import Context, opened
from insula.platform.sections import CATALOGUE
from insula.tenancy.db import Connection, PlatformSettings
from insula.tenancy.models import PLATFORMS

Folder = Annotated[
    Path,
    typer.Argument(help="A folder with platform.yaml and tenants/.", exists=True, file_okay=False),
]
Reason = Annotated[str, typer.Option("--reason", help="Kept with every save.")]
Own = Annotated[
    bool,
    typer.Option("--own", help="The files own the settings that they set: hands are refused."),
]
Source = Annotated[
    str, typer.Option("--source", help="Where the files are from, such as a commit; shown.")
]
LONGEST_SOURCE = 200
#: How `drift` ends: what differs, as `diff` says it, and a mistake, which is no drift.
DRIFTED, FAILED = 1, 2


@dataclass(slots=True)
class Outcome:
    """What differs or was changed, by `platform` or slug, and secrets that were made."""

    found: dict[str, list[Difference]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not any(self.found.values())


async def reconcile(here: Context, files: Files, how: Applying) -> Outcome:
    """Compare, and unless it is a dry run make the installation as the files say."""
    outcome = Outcome()
    supposed = None
    if files.platform is not None:
        with naming(files.platform.name):
            found, after = await _platform(here, files.platform, how)
        outcome.found["platform"] = found
        supposed = after if how.dry_run else None  # else it is what is stored by now
    for slug, file in files.tenants.items():
        with naming(file.name):
            done = await _tenant(here, slug, file.document, how, supposed)
        outcome.found[slug] = list(done.differences)
        if done.secrets:
            outcome.secrets[slug] = dict(done.secrets)
    return outcome


async def _tenant(
    here: Context,
    slug: str,
    document: Document,
    how: Applying,
    supposed: PlatformSettings | None,
) -> Applied:
    tenant = await here.tenant(slug)
    if supposed is not None:
        tenant = tenant.supposing(supposed)
    return await apply(tenant, CATALOGUE.of_tenants(), document, how)


class _DryError(Exception):
    """Takes a dry run back."""

    def __init__(self, after: Layers) -> None:
        super().__init__()
        self.after = after


async def _platform(
    here: Context, file: PlatformFile, how: Applying
) -> tuple[list[Difference], PlatformSettings]:
    """What differs, and all that the platform has decided then."""
    home = await here.tenant(PLATFORMS)
    before = await service.load(home)
    for given in (file.values or {}, file.bounds or {}):
        for key in given:
            CATALOGUE.get(key)
    try:
        async with here.platform.within(home.id) as db:
            await _put_platform(db, file, Saving(how.actor, how.reason, envelope=how.envelope))
            after = _finish(await service.load_in(db), how)
    except _DryError as dry:
        after = dry.after
    return _between(before, after), {
        key: {"value": after.platform.get(key, {}), "bounds": after.bounds.get(key, {})}
        for key in {*after.platform, *after.bounds}
    }


async def _put_platform(db: Connection, file: PlatformFile, saving: Saving) -> None:
    """Bounds first: what tenants inherit must lie inside them."""
    for section in CATALOGUE:
        if file.bounds is not None:
            bounds = file.bounds.get(section.key, {})
            await platform.change_bounds(db, section, bounds, saving, replace=True)
        if file.values is not None:
            values = file.values.get(section.key, {})
            await platform.change_values(db, section, values, saving, replace=True)


def _finish(after: Layers, how: Applying) -> Layers:
    """Leave the transaction by its end, or, after a dry run, by taking it back."""
    if how.dry_run:
        raise _DryError(after)
    return after


def _between(before: Layers, after: Layers) -> list[Difference]:
    pairs = (("values", before.platform, after.platform), ("bounds", before.bounds, after.bounds))
    return [
        Difference(
            f"{part}/{key}/{name}",
            mask(old.get(key, {}).get(name)),
            mask(new.get(key, {}).get(name)),
        )
        for part, old, new in pairs
        for key in sorted({*old, *new})
        for name in sorted({*old.get(key, {}), *new.get(key, {})})
        if old.get(key, {}).get(name) != new.get(key, {}).get(name)
    ]


def _told(outcome: Outcome) -> dict[str, Any]:
    return {
        "changes": {
            place: [
                {"path": each.path, "before": each.before, "after": each.after} for each in found
            ]
            for place, found in outcome.found.items()
            if found
        },
        "secrets": outcome.secrets,
    }


def _print(outcome: Outcome, *, nothing: str) -> None:
    if outcome.is_empty:
        out.print(nothing)
    for place, found in outcome.found.items():
        if found:
            out.print(place, style="bold", highlight=False)
            for each in found:
                out.print(f"  {each}", markup=False, highlight=False)
    for slug, secrets in outcome.secrets.items():
        for client_id, secret in secrets.items():
            out.print(f"secret of {slug}/{client_id}, shown once: {secret}", markup=False)


def _run(  # noqa: PLR0913  (each by its name)
    folder: Path,
    reason: str = "",
    *,
    dry_run: bool,
    json: bool,
    nothing: str,
    own: bool = False,
    source: str = "",
    refused: int = REFUSED,
) -> Outcome:
    outcome = Outcome()

    async def work() -> None:
        nonlocal outcome
        if len(source) > LONGEST_SOURCE:
            raise Invalid(f"at most {LONGEST_SOURCE} characters", field="--source")
        files = read_folder(folder)
        async with opened() as here:
            development = here.settings.env == "development"
            tried = Applying(
                SYSTEM, reason, dry_run=True, development=development, envelope=here.envelope,
                own=own, source=source,
            )  # fmt: skip
            outcome = await reconcile(here, files, tried)  # a mistake anywhere, and nothing is done
            if not dry_run:
                outcome = await reconcile(here, files, replace(tried, dry_run=False))

    run(work, json=json, refused=refused)
    if json:
        show(_told(outcome), json=True)
    else:
        _print(outcome, nothing=nothing)
    return outcome


def plan(folder: Folder, *, own: Own = False, json: Json = False) -> None:
    """What `apply` would change; everything is tried and taken back."""
    _run(folder, dry_run=True, json=json, nothing="no change", own=own)


def apply_files(
    folder: Folder,
    reason: Reason = "",
    source: Source = "",
    *,
    own: Own = False,
    json: Json = False,
) -> None:
    """
    Make the installation as the files say; nothing is saved before all was tried.

    Settings that the files own go on being theirs, with or without --own.
    """
    _run(folder, reason, dry_run=False, json=json, nothing="no change", own=own, source=source)


def drift(folder: Folder, *, json: Json = False) -> None:
    """
    Whether somebody changed or released by hand what the files say; exit code 1 if so.

    A mistake in the files, or whatever else keeps from comparing, is another code: 2 or 3.
    """
    outcome = _run(folder, dry_run=True, json=json, nothing="no drift", refused=FAILED)
    if not outcome.is_empty:
        raise typer.Exit(DRIFTED)
