"""A change that is planned, as the pages of its section tell of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from insula.config_overrides import plans
from insula.config_overrides.marks import Plan
from insula.config_overrides.masks import mask
from insula.config_overrides.models import Layers
from insula.kernel.settings import Section
from insula.platform_admin.configuration.changes import Row, rows
from insula.platform_admin.configuration.controls import controls, shown
from insula.platform_admin.configuration.lines import Line
from insula.platform_admin.people import Names, who
from insula.ui.pages import day


@dataclass(frozen=True, slots=True)
class Planned:
    """
    A plan in words. *becomes* is what it makes of each field, by name.

    *failure* says why it could not be put into effect, *waits* why it will not be on its day.
    """

    id: str
    by: str
    planned_at: datetime
    due_at: datetime
    reason: str
    rows: list[Row]
    becomes: dict[str, str]
    failure: str
    waits: str


def of_plan(
    section: type[Section], plan: Plan, lines: Iterable[Line], known: Names, status: str
) -> Planned:
    """A plan over the *lines* of its section; *status* is its tenant's."""
    found = rows(section, lines, plan.changes)
    name = len(section.key) + 1
    return Planned(
        str(plan.id),
        who(plan.by, known),
        plan.planned_at,
        plan.due_at,
        plan.reason,
        found,
        {each.place[name:]: each.after for each in found},
        plan.failure,
        "" if status == "active" else f"The tenant is {status}, and the change waits until it is"
        " active again.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coming:
    """
    What the platform plans for all, as it touches one tenant.

    *values* are what it decides then, by label; *effects* what that changes in force here.
    """

    is_bound: bool
    by: str
    due_at: datetime
    values: list[tuple[str, str]]
    effects: list[tuple[str, str, str]]


def of_coming(section: type[Section], layers: Layers, known: Names) -> list[Coming]:
    """What of it is for a section of the tenant of *layers*."""
    said = {c.name: c for c in controls(section)}
    return [
        Coming(
            plan.scope == "bounds",
            who(plan.by, known),
            plan.due_at,
            [
                (said[name].label, shown(said[name], mask(value)))
                for name, value in plan.changes.items()
                if name in said
            ],
            [
                (said[name].label, shown(said[name], before), shown(said[name], after))
                for name, before, after in plans.effects_of(section, layers, plan)
            ],
        )
        for plan in layers.coming
        if plan.section == section.key
    ]


def marked(lines: list[Line], planned: Planned | None) -> list[Line]:
    """The lines again, each with what it will become."""
    if planned is None or planned.failure:
        return lines
    on = day(planned.due_at)
    return [
        replace(line, planned=f"{planned.becomes[name]} on {on}")
        if (name := line.control.name) in planned.becomes
        else line
        for line in lines
    ]
