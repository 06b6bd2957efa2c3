"""
insula plan, apply and drift: an installation as files say.

A folder holds `platform.yaml` (what all tenants inherit, and their bounds) and a tenant's document
in `tenants/{slug}.yaml`; each may be missing, and a part that is missing is not touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from insula.audit.models import SYSTEM
from insula.config_overrides import platform, service
from insula.config_overrides.masks import mask
from insula.config_overrides.models import Layers
from insula.config_overrides.saving import Saving
from insula.configuration.applying import Applied, Applying, apply
from insula.configuration.models import Difference, Document, parse_document
from insula.kernel.errors import Invalid
from insula.platform.cli.output import Json, out, run, show
from insula.platform.context import Context, opened
from insula.platform.sections import CATALOGUE
from insula.tenancy.db import Connection
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
DRIFTED = 1


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice: one of the two would be lost without a word."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(
                None, None, f"“{key}” stands twice", node.start_mark
            )
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


@dataclass(frozen=True, slots=True)
class Files:
    """What a folder says: of the platform (*values* and *bounds* by section), and of tenants."""

    tenants: Mapping[str, Document]
    values: Mapping[str, Mapping[str, Any]] | None = None
    bounds: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(slots=True)
class Outcome:
    """What differs or was changed, by `platform` or slug, and secrets that were made."""

    found: dict[str, list[Difference]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not any(self.found.values())


def read_folder(folder: Path) -> Files:
    """Read a folder. Raises `Invalid` with the file and the line or place."""
    tenants = {}
    for file in sorted((folder / "tenants").glob("*.y*ml")):
        try:
            tenants[file.stem] = parse_document(_read(file))
        except Invalid as refusal:
            raise Invalid(refusal.description, field=f"{file.name}: {refusal.field}") from refusal
    file = folder / "platform.yaml"
    if not file.exists():
        if not tenants:
            raise Invalid(f"{folder} has neither platform.yaml nor tenants/*.yaml")
        return Files(tenants)
    content = _read(file)
    for part in content:
        if part not in ("values", "bounds") or not _is_sections(content[part]):
            raise Invalid(
                "platform.yaml has `values` and `bounds`, each with sections and their fields",
                field=part, example="bounds: {oidc.ttl: {id_token: 900}}",
            )  # fmt: skip
    return Files(tenants, content.get("values"), content.get("bounds"))


def _is_sections(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(fields, dict) for fields in value.values())


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.load(file.read_text(), _Strict)  # noqa: S506  (a SafeLoader, stricter)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(f"{file.name} is not YAML: {' '.join(str(error).split())}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Invalid(f"{file.name} must be a mapping")
    return content


async def reconcile(here: Context, files: Files, how: Applying) -> Outcome:
    """Compare, and unless it is a dry run make the installation as the files say."""
    outcome = Outcome()
    if files.values is not None or files.bounds is not None:
        found = await _platform(here, files, how)
        outcome.found["platform"] = found
    for slug, document in files.tenants.items():
        done = await _tenant(here, slug, document, how)
        outcome.found[slug] = list(done.differences)
        if done.secrets:
            outcome.secrets[slug] = dict(done.secrets)
    return outcome


async def _tenant(here: Context, slug: str, document: Document, how: Applying) -> Applied:
    tenant = await here.tenant(slug)
    return await apply(tenant, CATALOGUE.of_tenants(), document, how)


class _DryError(Exception):
    """Takes a dry run back."""

    def __init__(self, found: list[Difference]) -> None:
        super().__init__()
        self.found = found


async def _platform(here: Context, files: Files, how: Applying) -> list[Difference]:
    """Bounds first: what tenants inherit must lie inside them."""
    home = await here.tenant(PLATFORMS)
    before = await service.load(home)
    for given in (files.values or {}, files.bounds or {}):
        for key in given:
            CATALOGUE.get(key)
    try:
        async with here.platform.within(home.id) as db:
            await _put_platform(db, files, Saving(how.actor, how.reason, envelope=how.envelope))
            return _finish(_between(before, await service.load_in(db)), how)
    except _DryError as dry:
        return dry.found


async def _put_platform(db: Connection, files: Files, saving: Saving) -> None:
    for section in CATALOGUE:
        if files.bounds is not None:
            bounds = files.bounds.get(section.key, {})
            await platform.change_bounds(db, section, bounds, saving, replace=True)
        if files.values is not None:
            values = files.values.get(section.key, {})
            await platform.change_values(db, section, values, saving, replace=True)


def _finish(found: list[Difference], how: Applying) -> list[Difference]:
    """Leave the transaction by its end, or, after a dry run, by taking it back."""
    if how.dry_run:
        raise _DryError(found)
    return found


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

    run(work, json=json)
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
    Make the installation as the files say; a tenant's part is done whole or not at all.

    Settings that the files own go on being theirs, with or without --own.
    """
    _run(folder, reason, dry_run=False, json=json, nothing="no change", own=own, source=source)


def drift(folder: Folder, *, json: Json = False) -> None:
    """Whether somebody changed or released by hand what the files say; exit code 1 if so."""
    outcome = _run(folder, dry_run=True, json=json, nothing="no drift")
    if not outcome.is_empty:
        raise typer.Exit(DRIFTED)
