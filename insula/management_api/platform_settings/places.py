"""Where settings are kept that the platform changes: any tenant's, its defaults, its bounds."""

from typing import Annotated

from fastapi import Depends, Response

from insula.config_overrides.masks import masked
from insula.config_overrides.models import Layers
from insula.config_overrides.resolution import can_be_bound, resolve
from insula.kernel.settings import Section
from insula.management_api.across import at_home, platform_actor, within
from insula.management_api.guard import Calling
from insula.management_api.platform_settings.schemas import Bounds, Defaults
from insula.management_api.sections.acts import tag, told
from insula.management_api.sections.places import Place, SectionKey
from insula.management_api.sections.planned import Planned
from insula.management_api.sections.schemas import SectionState
from insula.management_api.tenants.routes import Slug
from insula.tenancy.models import OPS


async def place_of_tenant(caller: Calling, slug: Slug, section: SectionKey) -> Place[SectionState]:
    """A section of any tenant; the gateway's has none of its own (A11). Raises `NotFound`."""
    return Place(
        caller.parts, platform_actor(caller), section, await within(caller, slug), told,
        is_stateless=slug == OPS,
    )  # fmt: skip


async def place_of_defaults(caller: Calling, section: SectionKey) -> Place[Defaults]:
    """What tenants inherit."""
    return Place(
        caller.parts, platform_actor(caller), section, at_home(caller), _told_defaults, "defaults"
    )


async def place_of_bounds(caller: Calling, section: SectionKey) -> Place[Bounds]:
    """Floors and ceilings."""
    return Place(
        caller.parts, platform_actor(caller), section, at_home(caller), _told_bounds, "bounds"
    )


OfTenant = Annotated[Place[SectionState], Depends(place_of_tenant)]
OfDefaults = Annotated[Place[Defaults], Depends(place_of_defaults)]
OfBounds = Annotated[Place[Bounds], Depends(place_of_bounds)]


def _told_defaults(section: type[Section], layers: Layers, response: Response) -> Defaults:
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


def _told_bounds(section: type[Section], layers: Layers, response: Response) -> Bounds:
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
