"""A change that is planned, as the pages of its section tell of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from insula.config_overrides.marks import Plan
from insula.kernel.settings import Section
from insula.platform_admin.configuration.changes import Row, rows
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
