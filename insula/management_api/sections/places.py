"""Where settings are kept: what is done to a section there, at once or on a later day."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Depends, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from insula.audit.models import Actor
from insula.config_overrides import plans, reach, service
from insula.config_overrides import platform as decisions
from insula.config_overrides.marks import Plan, PlanScope
from insula.config_overrides.models import Layers
from insula.config_overrides.saving import Saving
from insula.kernel.settings import Section
from insula.management_api.guard import Calling
from insula.management_api.parts import Parts
from insula.management_api.sections.acts import Open, named, saving, telling_fields, told
from insula.management_api.sections.planned import PlanDetail
from insula.management_api.sections.schemas import SectionState
from insula.management_api.sections.told import Inheriting, ShutOut
from insula.management_api.versions import IfMatch
from insula.registry import heirs
from insula.tenants.errors import TenantProtected

T = TypeVar("T", bound=BaseModel)

SectionKey = Annotated[
    str, Path(min_length=1, max_length=64, description="The section's key, as `/settings` has it.")
]
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
class Asked:
    """How a section is to be changed: when, why, and what had been read of it."""

    grace_days: GraceDays = 0
    reason: Reason = ""
    if_match: IfMatch = None


Asking = Annotated[Asked, Depends()]


@dataclass(frozen=True, slots=True)
class Place(Generic[T]):
    """
    A section of a tenant, or of a part of what the platform decides, and who acts there.

    Each act is a transaction of *opened*; *told* makes the answer, and gives it its ETag. Each
    raises `SectionUnknown` where there is no section of that *key*, and each that changes something
    `TenantProtected` where a tenant *is_stateless*.
    """

    parts: Parts
    actor: Actor
    key: str
    opened: Open
    told: Callable[[type[Section], Layers, Response], T]
    scope: PlanScope = "tenant"
    is_stateless: bool = False

    async def show(self, response: Response) -> T:
        section = self.parts.catalogue.get(self.key)
        async with self.opened() as db:
            layers = await service.load_in(db)
        return self.told(section, layers, response)

    async def save(
        self,
        values: Mapping[str, Any] | None,
        asked: Asked,
        response: Response,
        *,
        replace: bool,
    ) -> T | Response:
        """
        Save, or plan to where days are asked for: then the answer is 202.

        Without *values* the section is reset. To *replace* asks for `If-Match`.
        """
        section = self.parts.catalogue.get(self.key)
        how = self._saving(asked.if_match, required=replace, reason=asked.reason)
        changes = None if values is None else named(section, values)
        with telling_fields():
            async with self.opened() as db:
                plan = await plans.save(
                    db, self.scope, section, changes, how, asked.grace_days, replace=replace
                )
                layers = await service.load_in(db)
        if plan is None:
            return self.told(section, layers, response)
        plan, detail = await self._told_plan(section)
        return JSONResponse(detail.model_dump(mode="json"), 202, headers={"ETag": f'"{plan.id}"'})

    async def show_plan(self, response: Response) -> PlanDetail:
        plan, detail = await self._told_plan(self._plannable())
        response.headers["ETag"] = f'"{plan.id}"'
        return detail

    async def withdraw_plan(self, if_match: str | None) -> None:
        section, how = self._plannable(), self._saving(if_match)
        async with self.opened() as db:
            await plans.withdraw(db, self.scope, section.key, how)

    async def apply_plan(self, if_match: str | None, response: Response) -> T:
        """Put it into effect now."""
        section, how = self._plannable(), self._saving(if_match)
        with telling_fields():
            async with self.opened() as db:
                layers = await plans.apply(db, self.scope, section, how)
        return self.told(section, layers, response)

    def _plannable(self) -> type[Section]:
        return self.parts.catalogue.of_scope(self.scope, self.key)

    def _saving(self, if_match: str | None, *, required: bool = False, reason: str = "") -> Saving:
        if self.is_stateless:
            raise TenantProtected("This tenant is a name and no more; it decides nothing.")
        return saving(self.parts.envelope, self.actor, if_match, required=required, reason=reason)

    async def _told_plan(self, section: type[Section]) -> tuple[Plan, PlanDetail]:
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
        inheriting = None
        if self.scope == "defaults":
            held = await heirs.of_defaults(
                self.parts.platform, self.parts.catalogue, section, layers, plan.changes
            )
            inheriting = Inheriting.of(section, held)
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
            held = await heirs.of_bounds(
                self.parts.platform, self.parts.catalogue, section, layers, found
            )
            inheriting = Inheriting.of(section, held)
        return plan, PlanDetail.told(section, layers, plan, shut_out, clamped, inheriting)


async def own_place(caller: Calling, section: SectionKey) -> Place[SectionState]:
    """A section of the caller's own tenant."""
    return Place(caller.parts, caller.actor, section, caller.tenant.transaction, told)


Own = Annotated[Place[SectionState], Depends(own_place)]
