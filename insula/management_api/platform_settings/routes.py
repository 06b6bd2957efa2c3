"""/platform/defaults, /platform/bounds and /tenants/{slug}/config (features.md C05, C07, D08)."""

from fastapi import Response

from insula.config_overrides import platform, reach, service
from insula.config_overrides.masks import masked
from insula.config_overrides.models import Layers
from insula.config_overrides.resolution import can_be_bound, resolve
from insula.kernel.settings import Section
from insula.management_api.across import at_home, platform_actor, within
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.platform_settings.schemas import (
    Affected,
    Bounds,
    Defaults,
    ProposedBounds,
)
from insula.management_api.rules import needs
from insula.management_api.sections.acts import Acts, saving, tag, telling_fields
from insula.management_api.sections.planned import Planned
from insula.management_api.sections.planning import MAY_PLAN, GraceDays, PlanActs, Reason
from insula.management_api.sections.routes import Explain, SectionKey, Values
from insula.management_api.sections.schemas import Release, Sections, SectionState
from insula.management_api.tenants.routes import Slug
from insula.management_api.versions import IfMatch
from insula.tenants import registry

router = router_of("Platform settings")


async def _acts(caller: Caller, slug: str) -> Acts:
    return Acts(await within(caller, slug))


async def _plans(caller: Caller, slug: str) -> PlanActs:
    return PlanActs(caller.parts, await within(caller, slug))


@router.get(
    "/tenants/{slug}/config",
    summary="Read a tenant's settings",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_configuration(
    caller: Calling,
    slug: Slug,
    explain: Explain = False,  # noqa: FBT002  (a parameter of the query)
) -> Sections:
    entry = await registry.get(caller.parts.platform, slug)
    async with caller.parts.platform.within(entry.id) as db:
        layers = await service.load_in(db)
    sections = caller.parts.catalogue
    return Sections(data=[SectionState.of(each, layers, explained=explain) for each in sections])


@router.get(
    "/tenants/{slug}/config/{section}",
    summary="Read a section of a tenant",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_section(
    caller: Calling,
    slug: Slug,
    section: SectionKey,
    response: Response,
    explain: Explain = False,  # noqa: FBT002  (a parameter of the query)
) -> SectionState:
    kind = caller.parts.catalogue.get(section)
    return await (await _acts(caller, slug)).show(kind, response, explained=explain)


@router.put(
    "/tenants/{slug}/config/{section}",
    summary="Replace a section of a tenant",
    response_model=SectionState,
    responses=MAY_PLAN,
    openapi_extra=needs("cross-tenant:write"),
)
async def replace_section(  # noqa: PLR0913  (parts of the request)
    caller: Calling,
    slug: Slug,
    section: SectionKey,
    values: Values,
    response: Response,
    grace_days: GraceDays = 0,
    reason: Reason = "",
    if_match: IfMatch = None,
) -> SectionState | Response:
    """What is not named is inherited; `If-Match` is required, `*` for whatever there is."""
    kind = caller.parts.catalogue.get(section)
    how = saving(
        caller.parts.envelope, platform_actor(caller), if_match, required=True, reason=reason
    )
    if grace_days:
        plans = await _plans(caller, slug)
        return await plans.make(kind, values, how, grace_days, replaces=True)
    return await (await _acts(caller, slug)).save(kind, values, how, response, replace=True)


@router.patch(
    "/tenants/{slug}/config/{section}",
    summary="Change a section of a tenant",
    response_model=SectionState,
    responses=MAY_PLAN,
    openapi_extra=needs("cross-tenant:write"),
)
async def change_section(  # noqa: PLR0913  (parts of the request)
    caller: Calling,
    slug: Slug,
    section: SectionKey,
    values: Values,
    response: Response,
    grace_days: GraceDays = 0,
    reason: Reason = "",
    if_match: IfMatch = None,
) -> SectionState | Response:
    """What is not named stays."""
    kind = caller.parts.catalogue.get(section)
    how = saving(caller.parts.envelope, platform_actor(caller), if_match, reason=reason)
    if grace_days:
        plans = await _plans(caller, slug)
        return await plans.make(kind, values, how, grace_days, replaces=False)
    return await (await _acts(caller, slug)).save(kind, values, how, response, replace=False)


@router.delete(
    "/tenants/{slug}/config/{section}",
    summary="Reset a section of a tenant",
    response_model=SectionState,
    responses=MAY_PLAN,
    openapi_extra=needs("cross-tenant:write", tier="delete"),
)
async def reset_section(  # noqa: PLR0913  (parts of the request)
    caller: Calling,
    slug: Slug,
    section: SectionKey,
    response: Response,
    grace_days: GraceDays = 0,
    reason: Reason = "",
    if_match: IfMatch = None,
) -> SectionState | Response:
    """Everything in it is inherited again."""
    kind = caller.parts.catalogue.get(section)
    how = saving(caller.parts.envelope, platform_actor(caller), if_match, reason=reason)
    if grace_days:
        plans = await _plans(caller, slug)
        return await plans.make(kind, {}, how, grace_days, replaces=True)
    return await (await _acts(caller, slug)).reset(kind, how, response)


@router.post(
    "/tenants/{slug}/config/{section}/release",
    summary="Release fields of a tenant that documents own",
    openapi_extra=needs("cross-tenant:write", dangerous=True),
)
async def release_fields(
    caller: Calling, slug: Slug, section: SectionKey, wanted: Release, response: Response
) -> SectionState:
    """They may be changed by hand, until the documents are applied again."""
    kind = caller.parts.catalogue.get(section)
    how = saving(caller.parts.envelope, platform_actor(caller), None, reason=wanted.reason)
    return await (await _acts(caller, slug)).release(kind, wanted.fields, how, response)


def told_defaults(section: type[Section], layers: Layers, response: Response) -> Defaults:
    """What tenants inherit of a section, with its ETag."""
    own = layers.platform.get(section.key, {})
    tag(response, layers.seen("defaults", section.key))
    inherited = resolve(section, Layers(platform=layers.platform, bounds=layers.bounds))
    return Defaults(
        section=section.key,
        values=masked(inherited.model_dump(mode="json")),
        own=masked(own),
        planned=Planned.of(section, layers, "defaults"),
    )


def told_bounds(section: type[Section], layers: Layers, response: Response) -> Bounds:
    """Floors and ceilings of a section, with their ETag."""
    bounds = layers.bounds.get(section.key, {})
    tag(response, layers.seen("bounds", section.key))
    kinds = {
        name: section.kind(name).value
        for name in section.model_fields
        if can_be_bound(section, name)
    }
    return Bounds(
        section=section.key,
        bounds=dict(bounds),
        kinds=kinds,
        planned=Planned.of(section, layers, "bounds"),
    )


@router.get(
    "/platform/defaults/{section}",
    summary="Read what tenants inherit",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_defaults(caller: Calling, section: SectionKey, response: Response) -> Defaults:
    kind = caller.parts.catalogue.get(section)
    return told_defaults(kind, await service.load(caller.tenant), response)


@router.put(
    "/platform/defaults/{section}",
    summary="Decide what tenants inherit",
    response_model=Defaults,
    responses=MAY_PLAN,
    openapi_extra=needs("cross-tenant:write"),
)
async def replace_defaults(  # noqa: PLR0913  (parts of the request)
    caller: Calling,
    section: SectionKey,
    values: Values,
    response: Response,
    grace_days: GraceDays = 0,
    reason: Reason = "",
    if_match: IfMatch = None,
) -> Defaults | Response:
    """What is not named is as built in; `If-Match` is required, `*` for whatever there is."""
    kind = caller.parts.catalogue.get(section)
    how = saving(
        caller.parts.envelope, platform_actor(caller), if_match, required=True, reason=reason
    )
    if grace_days:
        plans = PlanActs(caller.parts, at_home(caller), "defaults")
        return await plans.make(kind, values, how, grace_days, replaces=True)
    with telling_fields():
        async with caller.parts.platform.within(caller.tenant.id) as db:
            layers = await platform.change_values(db, kind, values, how, replace=True)
    return told_defaults(kind, layers, response)


@router.get(
    "/platform/bounds/{section}",
    summary="Read floors and ceilings",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_bounds(caller: Calling, section: SectionKey, response: Response) -> Bounds:
    kind = caller.parts.catalogue.get(section)
    return told_bounds(kind, await service.load(caller.tenant), response)


@router.put(
    "/platform/bounds/{section}",
    summary="Set floors and ceilings",
    response_model=Bounds,
    responses=MAY_PLAN,
    openapi_extra=needs("cross-tenant:write"),
)
async def replace_bounds(  # noqa: PLR0913  (parts of the request)
    caller: Calling,
    section: SectionKey,
    values: Values,
    response: Response,
    grace_days: GraceDays = 0,
    reason: Reason = "",
    if_match: IfMatch = None,
) -> Bounds | Response:
    """What tenants have stored beyond them is kept and clamped; preview it first."""
    kind = caller.parts.catalogue.get(section)
    how = saving(
        caller.parts.envelope, platform_actor(caller), if_match, required=True, reason=reason
    )
    if grace_days:
        plans = PlanActs(caller.parts, at_home(caller), "bounds")
        return await plans.make(kind, values, how, grace_days, replaces=True)
    async with caller.parts.platform.within(caller.tenant.id) as db:
        layers = await platform.change_bounds(db, kind, values, how, replace=True)
    return told_bounds(kind, layers, response)


@router.post(
    "/platform/bounds/preview",
    summary="Preview bounds",
    openapi_extra=needs("cross-tenant:read"),
)
async def preview_bounds(caller: Calling, wanted: ProposedBounds) -> Affected:
    """
    Whom they would clamp, and whom that shuts out in the tenants that are named.

    Nothing is saved.
    """
    parts = caller.parts
    kind = parts.catalogue.get(wanted.section)
    found = await platform.preview_bounds(parts.platform, kind, wanted.bounds)
    shut_out = await reach.shut_out(parts.platform, parts.catalogue, kind, found)
    return Affected.of(found, shut_out)
