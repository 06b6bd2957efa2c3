"""insula platform: what all tenants inherit, and the floors and ceilings of what they decide."""

from typing import Annotated

import typer

from insula.config_overrides import plans, platform, reach, service
from insula.config_overrides.marks import Plan, PlanScope
from insula.config_overrides.masks import masked
from insula.config_overrides.models import Layers, Values
from insula.config_overrides.saving import Saving
from insula.platform.cli import templates
from insula.platform.cli.output import Json, run, show, show_rows
from insula.platform.cli.pairs import read_pairs
from insula.platform.cli.settings import (
    COLUMNS,
    PLANNED,
    InDays,
    Reason,
    planned_row,
    rows,
    show_planned,
)
from insula.platform.context import opened
from insula.platform.sections import CATALOGUE
from insula.registry import heirs
from insula.tenancy.models import PLATFORMS

app = typer.Typer(
    help="See and change what every tenant inherits, and bind what tenants decide.",
    no_args_is_help=True,
)

app.add_typer(templates.app, name="template")

SectionKey = Annotated[str, typer.Argument(help=f"One of {', '.join(s.key for s in CATALOGUE)}.")]
Pairs = Annotated[list[str], typer.Argument(help="name=value, one or more; null takes it back.")]
OfBounds = Annotated[
    bool, typer.Option("--bounds", help="Of its floors and ceilings, not of what is inherited.")
]


@app.command("list")
def list_settings(*, json: Json = False) -> None:
    """Every setting as a tenant has it that decides nothing."""

    async def work() -> None:
        async with opened() as here:
            layers = await service.load(await here.tenant(PLATFORMS))
        inherited = Layers(
            platform=layers.platform,
            bounds=layers.bounds,
            platform_marks=layers.platform_marks,
            bound_marks=layers.bound_marks,
        )
        show_rows(rows(CATALOGUE, inherited), COLUMNS, json=json)

    run(work, json=json)


async def _save(
    scope: PlanScope, section: str, values: Values, reason: str, in_days: int
) -> Plan | Layers:
    """What holds then, or what is planned."""
    async with opened() as here:
        home = await here.tenant(PLATFORMS)
        async with here.platform.within(home.id) as db:
            saving = Saving(reason=reason, envelope=here.envelope)
            kind = CATALOGUE.get(section)
            plan = await plans.save(db, scope, kind, values, saving, in_days)
            return plan or await service.load_in(db)


@app.command("set")
def set_values(
    section: SectionKey,
    pairs: Pairs,
    reason: Reason = "",
    in_days: InDays = 0,
    *,
    json: Json = False,
) -> None:
    """Set what every tenant inherits that has not decided otherwise."""

    async def work() -> None:
        after = await _save("defaults", section, read_pairs(pairs), reason, in_days)
        if isinstance(after, Plan):
            show_planned(after, json=json)
            return
        show(
            masked(after.platform.get(section, {})),
            json=json,
            text=f"{section} is changed for all.",
        )

    run(work, json=json)


@app.command()
def bound(
    section: SectionKey,
    pairs: Pairs,
    reason: Reason = "",
    in_days: InDays = 0,
    *,
    json: Json = False,
) -> None:
    """Set floors and ceilings; what tenants have stored beyond them is clamped, not lost."""

    async def work() -> None:
        after = await _save("bounds", section, read_pairs(pairs), reason, in_days)
        if isinstance(after, Plan):
            show_planned(after, json=json)
            return
        show(after.bounds.get(section, {}), json=json, text=f"The bounds of {section} are set.")

    run(work, json=json)


@app.command("planned")
def list_planned(*, json: Json = False) -> None:
    """Changes for all that are planned for a later day, or could not be put into effect."""

    async def work() -> None:
        async with opened() as here:
            layers = await service.load(await here.tenant(PLATFORMS))
        found = sorted(layers.plans.values(), key=lambda plan: plan.due_at)
        ours = ({"of": p.scope, **planned_row(p)} for p in found if p.scope != "tenant")
        show_rows(ours, ("of", *PLANNED), json=json, empty="Nothing is planned.")

    run(work, json=json)


@app.command("withdraw")
def withdraw_plan(section: SectionKey, *, bounds: OfBounds = False, json: Json = False) -> None:
    """Take back what is planned for what a section's tenants inherit, or for its bounds."""

    async def work() -> None:
        scope: PlanScope = "bounds" if bounds else "defaults"
        async with opened() as here:
            home = await here.tenant(PLATFORMS)
            async with here.platform.within(home.id) as db:
                plan = await plans.withdraw(db, scope, section, Saving())
        text = f"Nothing is planned for the {scope} of {section} any more."
        show(planned_row(plan), json=json, text=text)

    run(work, json=json)


@app.command()
def preview(section: SectionKey, pairs: Pairs, *, json: Json = False) -> None:
    """Whom such bounds would touch and shut out; nothing is saved."""

    async def work() -> None:
        kind, values = CATALOGUE.get(section), read_pairs(pairs)
        async with opened() as here:
            touched = await platform.preview_bounds(here.platform, kind, values)
            shut_out = await reach.shut_out(here.platform, CATALOGUE, kind, touched)
            layers = await service.load(await here.tenant(PLATFORMS))
            held = await heirs.of_bounds(here.platform, CATALOGUE, kind, layers, touched)
        found = [
            {"tenant": each.slug, "field": name, "stored": stored, "would_hold": inside}
            for each in touched.named
            for name, (stored, inside) in each.fields.items()
        ]
        if json:
            lost = [each.sentence for each in (*shut_out, *held.sums)]
            facts = {"tenants": touched.tenants, "inheriting": held.tenants, "named": found}
            show({**facts, "shut_out": lost}, json=True)
            return
        show(None, json=False, text=f"{touched.tenants} tenants would be clamped.")
        text = f"{held.tenants} tenants that inherit would be held to it."
        show(None, json=False, text=text)
        for each in (*shut_out, *held.sums):
            show(None, json=False, text=f"{each.sentence}.")
        if found:
            show_rows(found, ("tenant", "field", "stored", "would_hold"), json=False)

    run(work, json=json)
