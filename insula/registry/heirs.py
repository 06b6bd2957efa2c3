"""
Tenants that inherit what the platform may change: how many, and whom that shuts out (BEY-3).

How many they are is the kept number of tenants, less those that decided for themselves. Their
applications are counted in the largest of them, for some seconds and no longer.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from insula.config_overrides import reach
from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.models import Layers, Values
from insula.config_overrides.platform import Reach
from insula.config_overrides.reach import Sum
from insula.config_overrides.resolution import resolve
from insula.kernel.settings import DecidedBy, Section
from insula.registry import store
from insula.registry.models import STATUSES, Filter
from insula.tenancy.db import Platform

#: In how many tenants applications are counted, and for how long.
_LOOKED_AT: Final = 500
_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Heirs:
    """
    So many *tenants* inherit what would change: *moved* has it by field, before and after.

    *sums* is whom that shuts out in those of *looked_at* of all tenants.
    """

    tenants: int
    moved: Mapping[str, tuple[Any, Any]]
    looked_at: int
    sums: tuple[Sum, ...]


async def of_bounds(
    platform: Platform,
    catalogue: Catalogue,
    section: type[Section],
    layers: Layers,
    found: Reach,
) -> Heirs:
    """
    Who is held to bounds by what they inherit; *layers* are the platform's.

    The tenants that are named by what *found* are counted there and not here.
    """
    counted = {each.id for each in found.named}
    return await _heirs(
        platform, catalogue, section, layers,
        lambda before: reach.bound(before, section, found.bounds), counted,
    )  # fmt: skip


async def of_defaults(
    platform: Platform,
    catalogue: Catalogue,
    section: type[Section],
    layers: Layers,
    changes: Values,
) -> Heirs:
    """Who inherits what *changes* would decide; None takes a value back."""
    return await _heirs(
        platform, catalogue, section, layers,
        lambda before: reach.decided(before, section, changes), (),
    )  # fmt: skip


async def _heirs(  # noqa: PLR0913  (each is needed once)
    platform: Platform,
    catalogue: Catalogue,
    section: type[Section],
    layers: Layers,
    change: Callable[[Layers], Layers],
    counted: Collection[UUID],
) -> Heirs:
    inherited = replace(layers, own={})
    moved = _differences(section, inherited, change(inherited))
    if not moved or section.decided_by is not DecidedBy.TENANT:
        return Heirs(0, {}, 0, ())
    async with platform.transaction() as db:
        there_are = sum((await store.totals(db)).values())
        largest = await store.page(db, Filter(statuses=STATUSES, sort="users"), None, _LOOKED_AT)
    heirs = there_are - await reach.how_many_decide(platform, section, moved)
    others = [line.id for line in largest if line.id not in counted]
    sums, looked_at = await reach.added_up(platform, catalogue, section, others, change, _SECONDS)
    is_whole = looked_at == len(others) and len(largest) < _LOOKED_AT
    return Heirs(
        max(heirs, 0), moved, looked_at, tuple(_told(each, is_whole=is_whole) for each in sums)
    )


def _told(found: Sum, *, is_whole: bool) -> Sum:
    impact = replace(found.impact, is_exact=found.impact.is_exact and is_whole)
    return replace(found, impact=impact, all=is_whole)


def _differences(
    section: type[Section], before: Layers, after: Layers
) -> dict[str, tuple[Any, Any]]:
    old, new = (resolve(section, layers).model_dump(mode="json") for layers in (before, after))
    return {name: (old[name], new[name]) for name in new if new[name] != old[name]}
