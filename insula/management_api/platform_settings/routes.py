"""/platform/defaults, /platform/bounds and /tenants/{slug}/config (features.md C05, C07, D08)."""

from fastapi import Response

from insula.config_overrides import platform, reach, service
from insula.management_api.across import platform_actor, within
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.platform_settings.places import OfBounds, OfDefaults, OfTenant
from insula.management_api.platform_settings.schemas import (
    Affected,
    Bounds,
    BoundsPreview,
    Defaults,
    ProposedBounds,
)
from insula.management_api.rules import needs
from insula.management_api.sections.acts import Acts, saving
from insula.management_api.sections.places import MAY_PLAN, Asking, SectionKey
from insula.management_api.sections.routes import Explain, Values
from insula.management_api.sections.schemas import Release, Sections, SectionState
from insula.management_api.sections.told import Inheriting
from insula.management_api.tenants.routes import Slug
from insula.registry import heirs
from insula.tenants import registry

router = router_of("Platform settings")


async def _acts(caller: Caller, slug: str) -> Acts:
    return Acts(await within(caller, slug))


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
async def replace_section(
    place: OfTenant, values: Values, asked: Asking, response: Response
) -> SectionState | Response:
    """What is not named is inherited; `If-Match` is required, `*` for whatever there is."""
    return await place.save(values, asked, response, replace=True)


@router.patch(
    "/tenants/{slug}/config/{section}",
    summary="Change a section of a tenant",
    response_model=SectionState,
    responses=MAY_PLAN,
    openapi_extra=needs("cross-tenant:write"),
)
async def change_section(
    place: OfTenant, values: Values, asked: Asking, response: Response
) -> SectionState | Response:
    """What is not named stays."""
    return await place.save(values, asked, response, replace=False)


@router.delete(
    "/tenants/{slug}/config/{section}",
    summary="Reset a section of a tenant",
    response_model=SectionState,
    responses=MAY_PLAN,
    openapi_extra=needs("cross-tenant:write", tier="delete"),
)
async def reset_section(
    place: OfTenant, asked: Asking, response: Response
) -> SectionState | Response:
    """Everything in it is inherited again."""
    return await place.save(None, asked, response, replace=False)


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


@router.get(
    "/platform/defaults/{section}",
    summary="Read what tenants inherit",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_defaults(place: OfDefaults, response: Response) -> Defaults:
    return await place.show(response)


@router.put(
    "/platform/defaults/{section}",
    summary="Decide what tenants inherit",
    response_model=Defaults,
    responses=MAY_PLAN,
    openapi_extra=needs("cross-tenant:write"),
)
async def replace_defaults(
    place: OfDefaults, values: Values, asked: Asking, response: Response
) -> Defaults | Response:
    """What is not named is as built in; `If-Match` is required, `*` for whatever there is."""
    return await place.save(values, asked, response, replace=True)


@router.get(
    "/platform/bounds/{section}",
    summary="Read floors and ceilings",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_bounds(place: OfBounds, response: Response) -> Bounds:
    return await place.show(response)


@router.put(
    "/platform/bounds/{section}",
    summary="Set floors and ceilings",
    response_model=Bounds,
    responses=MAY_PLAN,
    openapi_extra=needs("cross-tenant:write"),
)
async def replace_bounds(
    place: OfBounds, values: Values, asked: Asking, response: Response
) -> Bounds | Response:
    """What tenants have stored beyond them is kept and clamped; preview it first."""
    return await place.save(values, asked, response, replace=True)


@router.post(
    "/platform/bounds/preview",
    summary="Preview bounds",
    openapi_extra=needs("cross-tenant:read"),
)
async def preview_bounds(caller: Calling, wanted: ProposedBounds) -> BoundsPreview:
    """
    Whom they would clamp, and whom that shuts out in the tenants that are named.

    With them, how many tenants would be held by what they inherit, and whom that shuts out there.
    Nothing is saved.
    """
    parts = caller.parts
    kind = parts.catalogue.get(wanted.section)
    found = await platform.preview_bounds(parts.platform, kind, wanted.bounds)
    shut_out = await reach.shut_out(parts.platform, parts.catalogue, kind, found)
    async with parts.platform.within(caller.tenant.id) as db:
        layers = await service.load_in(db)
    held = await heirs.of_bounds(parts.platform, parts.catalogue, kind, layers, found)
    affected = Affected.of(found, shut_out)
    return BoundsPreview(**dict(affected), inheriting=Inheriting.of(kind, held))
