"""insula settings: what a tenant has decided for itself, what it inherits, and its saves."""

import json as jsonlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from insula.audit.models import SYSTEM
from insula.config_overrides import history, ownership, plans, service, taken_away
from insula.config_overrides.marks import Plan, called
from insula.config_overrides.masks import all_masked, masked
from insula.config_overrides.models import Layers, Values
from insula.config_overrides.resolution import explain, resolve
from insula.config_overrides.saving import Saving
from insula.kernel.errors import Invalid
from insula.kernel.settings import Section
from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.cli.pairs import read_pairs
from insula.platform.context import Context, opened
from insula.platform.sections import CATALOGUE
from insula.tenancy.db import Tenant

app = typer.Typer(
    help="See and change what a tenant decides for itself: docs/configuration.md has all fields.",
    no_args_is_help=True,
)

COLUMNS: Final = ("section", "field", "value", "source", "inherited", "bound", "set_by", "set_at")
PLANNED: Final = ("section", "due_at", "changes", "by", "reason", "failure")
_SAVES: Final = ("number", "at", "act", "by", "changed", "reason")

InTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="The tenant's slug.")]
SectionKey = Annotated[
    str, typer.Argument(help=f"One of {', '.join(s.key for s in CATALOGUE.of_tenants())}.")
]
Reason = Annotated[str, typer.Option("--reason", help="Kept with the save.")]
InDays = Annotated[
    int,
    typer.Option(
        "--in-days",
        min=0,
        max=plans.MOST_DAYS,
        help="Only plan it for so many days from now, in the place of what is planned.",
    ),
]


def _saving(here: Context, reason: str) -> Saving:
    return Saving(reason=reason, envelope=here.envelope)


def rows(sections: Iterable[type[Section]], layers: Layers) -> Iterator[dict[str, Any]]:
    """A row for each field: what holds, where it comes from, and who said so."""
    for section in sections:
        for each in explain(section, layers):
            owner = each.own_mark.owner if each.own_mark else None
            yield {
                "section": section.key,
                "field": each.name,
                "value": each.effective,
                "source": each.source,
                "inherited": each.inherited,
                "default": each.default,
                "bound": each.bound,
                "set_by": called(each.mark.by) if each.mark else None,
                "set_at": each.mark.at if each.mark else None,
                "owned_by": called(owner.by) if owner else None,
                "source_of_owner": owner.source or None if owner else None,
            }


def planned_row(plan: Plan) -> dict[str, Any]:
    """What is planned for a section: secrets are masked, null takes a field back."""
    return {
        "section": plan.section,
        "due_at": plan.due_at,
        "changes": masked(plan.changes),
        "by": called(plan.by),
        "reason": plan.reason or None,
        "planned_at": plan.planned_at,
        "failed_at": plan.failed_at,
        "failure": plan.failure or None,
    }


def show_planned(plan: Plan, *, json: bool) -> None:
    """Say that a change is planned."""
    text = f"{plan.section} is to be changed on {plan.due_at:%Y-%m-%d at %H:%M} UTC."
    show(planned_row(plan), json=json, text=text)


@app.command("list")
def list_settings(tenant: InTenant = None, *, json: Json = False) -> None:
    """Every setting as it holds for a tenant, and where it comes from."""

    async def work() -> None:
        async with opened() as here:
            layers = await service.load(await here.tenant(tenant))
        show_rows(rows(CATALOGUE, layers), COLUMNS, json=json)

    run(work, json=json)


@app.command("show")
def show_section(section: SectionKey, tenant: InTenant = None, *, json: Json = False) -> None:
    """One section as it holds for a tenant."""

    async def work() -> None:
        kind = CATALOGUE.get(section)
        async with opened() as here:
            layers = await service.load(await here.tenant(tenant))
        show_rows(rows([kind], layers), COLUMNS, json=json)

    run(work, json=json)


async def _save(
    owner: Tenant, section: type[Section], changes: Values | None, how: Saving, in_days: int
) -> Plan | Section:
    """The section as it holds then, or what is planned for it."""
    async with owner.transaction() as db:
        plan = await plans.save(db, "tenant", section, changes, how, in_days)
        return plan or resolve(section, await service.load_in(db))


def _show_saved(after: Plan | Section, *, json: bool, text: str) -> None:
    if isinstance(after, Plan):
        show_planned(after, json=json)
    else:
        show(masked(after.model_dump(mode="json")), json=json, text=text)


@app.command("set")
def change(  # noqa: PLR0913  (words of the command)
    section: SectionKey,
    pairs: Annotated[list[str], typer.Argument(help="name=value, one or more; null inherits.")],
    tenant: InTenant = None,
    reason: Reason = "",
    in_days: InDays = 0,
    *,
    json: Json = False,
) -> None:
    """Set fields of a section; every process follows at once, or on the day it is planned for."""

    async def work() -> None:
        kind, values = CATALOGUE.get(section), read_pairs(pairs)
        async with opened() as here:
            owner = await here.tenant(tenant)
            after = await _save(owner, kind, values, _saving(here, reason), in_days)
        _show_saved(after, json=json, text=f"{section} is changed.")

    run(work, json=json)


@app.command()
def unset(  # noqa: PLR0913  (words of the command)
    section: SectionKey,
    field: Annotated[str | None, typer.Argument(help="One field; without it all of them.")] = None,
    tenant: InTenant = None,
    reason: Reason = "",
    in_days: InDays = 0,
    *,
    json: Json = False,
) -> None:
    """Go back to what the platform or the product says."""

    async def work() -> None:
        kind = CATALOGUE.get(section)
        async with opened() as here:
            owner = await here.tenant(tenant)
            changes = {field: None} if field else None
            after = await _save(owner, kind, changes, _saving(here, reason), in_days)
        name = f"{section}.{field}" if field else section
        _show_saved(after, json=json, text=f"{name} is inherited.")

    run(work, json=json)


@app.command("planned")
def list_planned(tenant: InTenant = None, *, json: Json = False) -> None:
    """Changes that are planned for a later day, and those that could not be put into effect."""

    async def work() -> None:
        async with opened() as here:
            layers = await service.load(await here.tenant(tenant))
        found = sorted(layers.plans.values(), key=lambda plan: plan.due_at)
        own = (planned_row(plan) for plan in found if plan.scope == "tenant")
        show_rows(own, PLANNED, json=json, empty="Nothing is planned.")

    run(work, json=json)


@app.command("withdraw")
def withdraw_plan(section: SectionKey, tenant: InTenant = None, *, json: Json = False) -> None:
    """Take back what is planned for a section."""

    async def work() -> None:
        async with opened() as here, (await here.tenant(tenant)).transaction() as db:
            plan = await plans.withdraw(db, "tenant", section, _saving(here, ""))
        show(planned_row(plan), json=json, text=f"Nothing is planned for {section} any more.")

    run(work, json=json)


@app.command()
def release(
    section: SectionKey,
    fields: Annotated[list[str], typer.Argument(help="Fields that files own, one or more.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; shown by `insula drift`.")],
    tenant: InTenant = None,
    *,
    json: Json = False,
) -> None:
    """Give fields that files own back to hands, until the files are applied again."""

    async def work() -> None:
        kind = CATALOGUE.get(section)
        async with opened() as here, (await here.tenant(tenant)).transaction() as db:
            await ownership.release_in(db, kind, fields, _saving(here, reason))
        shown = {"section": section, "released": fields}
        show(shown, json=json, text=f"Released: {', '.join(f'{section}.{f}' for f in fields)}.")

    run(work, json=json)


@app.command("history")
def show_history(
    tenant: InTenant = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 20,
    *,
    json: Json = False,
) -> None:
    """The tenant's saves, newest first: who, when, what and why."""

    async def work() -> None:
        async with opened() as here, (await here.tenant(tenant)).transaction() as db:
            found = await history.versions(db, limit=limit)
        show_rows(
            (
                {
                    "number": save.number,
                    "at": save.at,
                    "act": save.act,
                    "by": called(save.by),
                    "changed": save.changed,
                    "reason": save.reason or None,
                }
                for save in found
            ),
            _SAVES,
            json=json,
        )

    run(work, json=json)


@app.command()
def restore(
    number: Annotated[int, typer.Argument(help="The number of a save, as `history` shows it.")],
    tenant: InTenant = None,
    reason: Reason = "",
    *,
    json: Json = False,
) -> None:
    """Decide again what an earlier save had, within today's bounds."""

    async def work() -> None:
        async with opened() as here, (await here.tenant(tenant)).transaction() as db:
            changed = await history.restore(
                db, CATALOGUE.of_tenants(), number, _saving(here, reason)
            )
        show(changed, json=json, text=f"Changed: {', '.join(changed) or 'nothing'}.")

    run(work, json=json)


@app.command("export")
def export_settings(tenant: InTenant = None, *, json: Json = True) -> None:
    """Everything that the tenant has decided, as JSON; a mask stands for each secret."""

    async def work() -> None:
        async with opened() as here, (await here.tenant(tenant)).transaction() as db:
            own = await taken_away.export(db, SYSTEM)
        show(all_masked(own), json=True)

    run(work, json=json)


@app.command("import")
def import_settings(
    file: Annotated[Path, typer.Argument(help="What `export` wrote.", exists=True, dir_okay=False)],
    tenant: InTenant = None,
    reason: Reason = "",
    *,
    json: Json = False,
) -> None:
    """Make a file all that the tenant decides; what is not in it is inherited."""

    async def work() -> None:
        try:
            document = jsonlib.loads(file.read_text())
        except ValueError as error:
            raise Invalid(f"{file.name} is not JSON: {error}") from error
        if not isinstance(document, dict) or not all(
            isinstance(v, dict) for v in document.values()
        ):
            raise Invalid(f"{file.name} must be an object of sections", example='{"oidc.ttl": {}}')
        async with opened() as here, (await here.tenant(tenant)).transaction() as db:
            changed = await service.replace_all(
                db, CATALOGUE.of_tenants(), document, _saving(here, reason)
            )
        show(changed, json=json, text=f"Changed: {', '.join(changed) or 'nothing'}.")

    run(work, json=json)
