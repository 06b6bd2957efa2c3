"""Changes that are planned, as they are told."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from insula.config_overrides import plans
from insula.config_overrides.marks import Plan, PlanScope
from insula.config_overrides.masks import masked
from insula.config_overrides.models import Layers
from insula.kernel.settings import Section as Kind
from insula.management_api.sections.told import Change, Inheriting, SetBy, ShutOut, Value


class Planned(BaseModel):
    """A change that is put into effect on a later day; null takes a field back."""

    values: dict[str, Value]
    changes: list[Change] = Field(description="What holds now, and what would.")
    planned_by: SetBy
    reason: str
    due_at: datetime
    failed_at: datetime | None = Field(
        None, description="It could not be put into effect, and waits for somebody."
    )
    failure: str | None = None

    @classmethod
    def of(cls, section: type[Kind], layers: Layers, scope: PlanScope) -> "Planned | None":
        plan = layers.plan(scope, section.key)
        return None if plan is None else cls(**facts_of(section, layers, plan))


class Coming(BaseModel):
    """What the platform plans for all that inherit or are bound; null takes it back."""

    part: Literal["defaults", "bounds"]
    values: dict[str, Value]
    changes: list[Change] = Field(description="What it changes in force for this tenant.")
    planned_by: SetBy
    due_at: datetime

    @classmethod
    def of(cls, section: type[Kind], layers: Layers, plan: Plan) -> "Coming":
        return cls(
            part="bounds" if plan.scope == "bounds" else "defaults",
            values=masked(plan.changes),
            changes=[
                Change(field=f"{section.key}.{name}", before=before, after=after)
                for name, before, after in plans.effects_of(section, layers, plan)
            ],
            planned_by=SetBy(**SetBy.facts(plan.by, plan.planned_at)),
            due_at=plan.due_at,
        )


class PlanDetail(Planned):
    """A plan, and whom it would shut out if it were put into effect now."""

    shut_out: list[ShutOut]
    clamped_tenants: int | None = Field(
        None, description="Of bounds: how many tenants have stored something beyond them."
    )
    inheriting: Inheriting | None = Field(
        None, description="Of defaults and bounds: tenants that inherit what would change."
    )

    @classmethod
    def told(  # noqa: PLR0913  (what it is made of)
        cls,
        section: type[Kind],
        layers: Layers,
        plan: Plan,
        shut_out: Iterable[ShutOut],
        clamped: int | None,
        inheriting: Inheriting | None,
    ) -> "PlanDetail":
        return cls(
            **facts_of(section, layers, plan),
            shut_out=list(shut_out),
            clamped_tenants=clamped,
            inheriting=inheriting,
        )


def facts_of(section: type[Kind], layers: Layers, plan: Plan) -> dict[str, Any]:
    return {
        "values": masked(plan.changes),
        "changes": [
            Change(field=f"{section.key}.{name}", before=before, after=after)
            for name, before, after in plans.differences_of(section, layers, plan)
        ],
        "planned_by": SetBy(**SetBy.facts(plan.by, plan.planned_at)),
        "reason": plan.reason,
        "due_at": plan.due_at,
        "failed_at": plan.failed_at,
        "failure": plan.failure or None,
    }
