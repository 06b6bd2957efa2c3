"""…/plan: what is planned for a section, of a tenant or of the platform (features.md BEY-3)."""

from fastapi import Response

from insula.management_api.across import at_home, platform_actor, within
from insula.management_api.guard import Calling, router_of
from insula.management_api.platform_settings.routes import told_bounds, told_defaults
from insula.management_api.platform_settings.schemas import Bounds, Defaults
from insula.management_api.rules import needs
from insula.management_api.sections.acts import saving, tag
from insula.management_api.sections.planned import PlanDetail
from insula.management_api.sections.planning import PlanActs
from insula.management_api.sections.routes import SectionKey
from insula.management_api.sections.schemas import SectionState
from insula.management_api.tenants.routes import Slug
from insula.management_api.versions import IfMatch

router = router_of("Settings")
platform_router = router_of("Platform settings")


@router.get(
    "/settings/{section}/plan",
    summary="Read what is planned for a section",
    openapi_extra=needs("settings:read"),
)
async def show_plan(caller: Calling, section: SectionKey, response: Response) -> PlanDetail:
    """With whom it would shut out as things are now."""
    kind = caller.parts.catalogue.of_tenant(section)
    return await PlanActs(caller.parts, caller.tenant.transaction).show(kind, response)


@router.delete(
    "/settings/{section}/plan",
    summary="Take back what is planned for a section",
    status_code=204,
    openapi_extra=needs("settings:write", tier="delete"),
)
async def withdraw_plan(caller: Calling, section: SectionKey, if_match: IfMatch = None) -> None:
    kind = caller.parts.catalogue.of_tenant(section)
    how = saving(caller.parts.envelope, caller.actor, if_match)
    await PlanActs(caller.parts, caller.tenant.transaction).withdraw(kind, how)


@router.post(
    "/settings/{section}/plan/apply",
    summary="Put into effect now what is planned for a section",
    openapi_extra=needs("settings:write"),
)
async def apply_plan(
    caller: Calling, section: SectionKey, response: Response, if_match: IfMatch = None
) -> SectionState:
    """It goes the way of a save, and stays planned if that is refused."""
    kind = caller.parts.catalogue.of_tenant(section)
    how = saving(caller.parts.envelope, caller.actor, if_match)
    layers = await PlanActs(caller.parts, caller.tenant.transaction).apply(kind, how)
    tag(response, layers.seen("tenant", kind.key))
    return SectionState.of(kind, layers)


@platform_router.get(
    "/tenants/{slug}/config/{section}/plan",
    summary="Read what is planned for a section of a tenant",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_plan_of_tenant(
    caller: Calling, slug: Slug, section: SectionKey, response: Response
) -> PlanDetail:
    """With whom it would shut out as things are now."""
    kind = caller.parts.catalogue.of_tenant(section)
    return await PlanActs(caller.parts, await within(caller, slug)).show(kind, response)


@platform_router.delete(
    "/tenants/{slug}/config/{section}/plan",
    summary="Take back what is planned for a section of a tenant",
    status_code=204,
    openapi_extra=needs("cross-tenant:write", tier="delete"),
)
async def withdraw_plan_of_tenant(
    caller: Calling, slug: Slug, section: SectionKey, if_match: IfMatch = None
) -> None:
    kind = caller.parts.catalogue.of_tenant(section)
    how = saving(caller.parts.envelope, platform_actor(caller), if_match)
    await PlanActs(caller.parts, await within(caller, slug)).withdraw(kind, how)


@platform_router.post(
    "/tenants/{slug}/config/{section}/plan/apply",
    summary="Put into effect now what is planned for a section of a tenant",
    openapi_extra=needs("cross-tenant:write"),
)
async def apply_plan_of_tenant(
    caller: Calling, slug: Slug, section: SectionKey, response: Response, if_match: IfMatch = None
) -> SectionState:
    """It goes the way of a save, and stays planned if that is refused."""
    kind = caller.parts.catalogue.of_tenant(section)
    how = saving(caller.parts.envelope, platform_actor(caller), if_match)
    layers = await PlanActs(caller.parts, await within(caller, slug)).apply(kind, how)
    tag(response, layers.seen("tenant", kind.key))
    return SectionState.of(kind, layers)


@platform_router.get(
    "/platform/defaults/{section}/plan",
    summary="Read what is planned for what tenants inherit",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_plan_of_defaults(
    caller: Calling, section: SectionKey, response: Response
) -> PlanDetail:
    kind = caller.parts.catalogue.get(section)
    return await PlanActs(caller.parts, at_home(caller), "defaults").show(kind, response)


@platform_router.delete(
    "/platform/defaults/{section}/plan",
    summary="Take back what is planned for what tenants inherit",
    status_code=204,
    openapi_extra=needs("cross-tenant:write", tier="delete"),
)
async def withdraw_plan_of_defaults(
    caller: Calling, section: SectionKey, if_match: IfMatch = None
) -> None:
    kind = caller.parts.catalogue.get(section)
    how = saving(caller.parts.envelope, platform_actor(caller), if_match)
    await PlanActs(caller.parts, at_home(caller), "defaults").withdraw(kind, how)


@platform_router.post(
    "/platform/defaults/{section}/plan/apply",
    summary="Put into effect now what is planned for what tenants inherit",
    openapi_extra=needs("cross-tenant:write"),
)
async def apply_plan_of_defaults(
    caller: Calling, section: SectionKey, response: Response, if_match: IfMatch = None
) -> Defaults:
    """It goes the way of a save, and stays planned if that is refused."""
    kind = caller.parts.catalogue.get(section)
    how = saving(caller.parts.envelope, platform_actor(caller), if_match)
    layers = await PlanActs(caller.parts, at_home(caller), "defaults").apply(kind, how)
    return told_defaults(kind, layers, response)


@platform_router.get(
    "/platform/bounds/{section}/plan",
    summary="Read what is planned for floors and ceilings",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_plan_of_bounds(
    caller: Calling, section: SectionKey, response: Response
) -> PlanDetail:
    """With how many tenants it would clamp, and whom that shuts out, as things are now."""
    kind = caller.parts.catalogue.get(section)
    return await PlanActs(caller.parts, at_home(caller), "bounds").show(kind, response)


@platform_router.delete(
    "/platform/bounds/{section}/plan",
    summary="Take back what is planned for floors and ceilings",
    status_code=204,
    openapi_extra=needs("cross-tenant:write", tier="delete"),
)
async def withdraw_plan_of_bounds(
    caller: Calling, section: SectionKey, if_match: IfMatch = None
) -> None:
    kind = caller.parts.catalogue.get(section)
    how = saving(caller.parts.envelope, platform_actor(caller), if_match)
    await PlanActs(caller.parts, at_home(caller), "bounds").withdraw(kind, how)


@platform_router.post(
    "/platform/bounds/{section}/plan/apply",
    summary="Put into effect now what is planned for floors and ceilings",
    openapi_extra=needs("cross-tenant:write"),
)
async def apply_plan_of_bounds(
    caller: Calling, section: SectionKey, response: Response, if_match: IfMatch = None
) -> Bounds:
    """It goes the way of a save, and stays planned if that is refused."""
    kind = caller.parts.catalogue.get(section)
    how = saving(caller.parts.envelope, platform_actor(caller), if_match)
    layers = await PlanActs(caller.parts, at_home(caller), "bounds").apply(kind, how)
    return told_bounds(kind, layers, response)
