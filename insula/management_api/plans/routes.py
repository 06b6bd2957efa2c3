"""…/plan: what is planned for a section, of a tenant or of the platform (features.md BEY-3)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from insula.management_api.guard import router_of
from insula.management_api.platform_settings.places import (
    place_of_bounds,
    place_of_defaults,
    place_of_tenant,
)
from insula.management_api.platform_settings.schemas import Bounds, Defaults
from insula.management_api.rules import needs
from insula.management_api.sections.places import Place, own_place
from insula.management_api.sections.planned import PlanDetail
from insula.management_api.sections.schemas import SectionState
from insula.management_api.versions import IfMatch

router = router_of("Settings")
platform_router = router_of("Platform settings")


@dataclass(frozen=True, slots=True)
class _Where:
    """
    One of the places that have plans, as its routes are described.

    *find* is what finds it for a call, *answer* what it tells of a section.
    """

    path: str
    find: Callable[..., Awaitable[Place[Any]]]
    answer: type[BaseModel]
    scope: str
    of: str
    suffix: str = ""
    shown: str = ""


def _serve(router: APIRouter, where: _Where) -> None:
    """Add the routes of a place: show what is planned, take it back, put it into effect."""
    reading, writing = f"{where.scope}:read", f"{where.scope}:write"

    @router.get(
        f"{where.path}/plan",
        name=f"show_plan{where.suffix}",
        summary=f"Read what is planned for {where.of}",
        description=where.shown,
        openapi_extra=needs(reading),
    )
    async def show_plan(
        place: Annotated[Place[Any], Depends(where.find)], response: Response
    ) -> PlanDetail:
        return await place.show_plan(response)

    @router.delete(
        f"{where.path}/plan",
        name=f"withdraw_plan{where.suffix}",
        summary=f"Take back what is planned for {where.of}",
        status_code=204,
        openapi_extra=needs(writing, tier="delete"),
    )
    async def withdraw_plan(
        place: Annotated[Place[Any], Depends(where.find)],
        if_match: IfMatch = None,
    ) -> None:
        await place.withdraw_plan(if_match)

    @router.post(
        f"{where.path}/plan/apply",
        name=f"apply_plan{where.suffix}",
        summary=f"Put into effect now what is planned for {where.of}",
        description="It goes the way of a save, and stays planned if that is refused.",
        response_model=where.answer,
        openapi_extra=needs(writing),
    )
    async def apply_plan(
        place: Annotated[Place[BaseModel], Depends(where.find)],
        response: Response,
        if_match: IfMatch = None,
    ) -> BaseModel:
        return await place.apply_plan(if_match, response)


_serve(
    router,
    _Where(
        "/settings/{section}", own_place, SectionState, "settings", "a section",
        shown="With whom it would shut out as things are now.",
    ),
)  # fmt: skip
_serve(
    platform_router,
    _Where(
        "/tenants/{slug}/config/{section}", place_of_tenant, SectionState, "cross-tenant",
        "a section of a tenant", "_of_tenant", "With whom it would shut out as things are now.",
    ),
)  # fmt: skip
_serve(
    platform_router,
    _Where(
        "/platform/defaults/{section}", place_of_defaults, Defaults, "cross-tenant",
        "what tenants inherit", "_of_defaults",
    ),
)  # fmt: skip
_serve(
    platform_router,
    _Where(
        "/platform/bounds/{section}", place_of_bounds, Bounds, "cross-tenant",
        "floors and ceilings", "_of_bounds",
        "With how many tenants it would clamp, and whom that shuts out, as things are now.",
    ),
)  # fmt: skip
