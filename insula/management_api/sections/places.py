"""What is done with plans, the same for a tenant's settings and for what the platform decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from insula.config_overrides import plans, reach
from insula.config_overrides import platform as decisions
from insula.config_overrides.marks import Plan, PlanScope
from insula.config_overrides.models import Layers
from insula.config_overrides.saving import Saving
from insula.kernel.settings import Section
from insula.management_api.parts import Parts
from insula.management_api.sections.acts import Open, named, telling_fields
from insula.management_api.sections.planned import PlanDetail
from insula.management_api.sections.told import ShutOut

GraceDays = Annotated[
    int,
    Query(
        ge=0,
        le=plans.MOST_DAYS,
        description="Days until it is put into effect; above 0 the answer is 202 and what is"
        " planned, in the place of what was.",
    ),
]
Reason = Annotated[str, Query(max_length=500, description="Why; kept with the save or the plan.")]
#: Of a route that saves: what it answers instead when days are given.
MAY_PLAN: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "It is planned.", "model": PlanDetail}
}


@dataclass(frozen=True, slots=True)
class PlanActs:
    """The acts on plans, of one tenant or of the platform; each is a transaction of *opened*."""

    parts: Parts
    opened: Open
    scope: PlanScope = "tenant"

    async def make(
        self,
        section: type[Section],
        values: Mapping[str, Any],
        how: Saving,
        days: int,
        *,
        replaces: bool,
    ) -> Response:
        """Plan a change, and answer so."""
        with telling_fields():
            async with self.opened() as db:
                await plans.make(
                    db, self.scope, section, named(section, values), how, days, replaces=replaces
                )
        plan, detail = await self._told(section)
        return JSONResponse(detail.model_dump(mode="json"), 202, headers={"ETag": f'"{plan.id}"'})

    async def show(self, section: type[Section], response: Response) -> PlanDetail:
        plan, detail = await self._told(section)
        response.headers["ETag"] = f'"{plan.id}"'
        return detail

    async def withdraw(self, section: type[Section], how: Saving) -> None:
        async with self.opened() as db:
            await plans.withdraw(db, self.scope, section.key, how)

    async def apply(self, section: type[Section], how: Saving) -> Layers:
        """Put it into effect now; the layers then."""
        with telling_fields():
            async with self.opened() as db:
                return await plans.apply(db, self.scope, section, how)

    async def _told(self, section: type[Section]) -> tuple[Plan, PlanDetail]:
        """The plan, and whom it would shut out as things are now."""
        async with self.opened() as db:
            plan, layers = await plans.find(db, self.scope, section.key)
            impacts = (
                await self.parts.catalogue.impacts(
                    db, section, layers, plans.in_effect(layers, plan)
                )
                if self.scope == "tenant"
                else []
            )
        shut_out = [ShutOut.told(each) for each in impacts]
        clamped = None
        if self.scope == "bounds":
            bounds = {name: v for name, v in plan.changes.items() if v is not None}
            found = await decisions.preview_bounds(self.parts.platform, section, bounds)
            clamped = found.tenants
            shut_out = [
                ShutOut.told(each.impact, each.sentence)
                for each in await reach.shut_out(
                    self.parts.platform, self.parts.catalogue, section, found
                )
            ]
        return plan, PlanDetail.told(section, layers, plan, shut_out, clamped)
