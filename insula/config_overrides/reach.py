"""Whom what the platform decides would shut out, counted tenant by tenant (BEY-3)."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from uuid import UUID

from insula.config_overrides import store
from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.impacts import Impact
from insula.config_overrides.models import Layers, Values
from insula.config_overrides.platform import Reach
from insula.config_overrides.saving import merged
from insula.config_overrides.service import load_in
from insula.kernel.settings import Section
from insula.tenancy.db import Platform, rebind


@dataclass(frozen=True, slots=True)
class Sum:
    """
    What the change of one field does in so many *tenants*, added up.

    There may be more of them where not *all* were looked at.
    """

    tenants: int
    impact: Impact
    all: bool = True

    @property
    def sentence(self) -> str:
        """Such as: In 3 tenants, 12 of 40 applications could not use the device grant any more."""
        noun = "tenant" if self.tenants == 1 else "tenants"
        if self.all:
            return f"In {self.tenants:,} {noun}, {self.impact.sentence}"
        many, kind = self.impact.affected, self.impact.kind
        whom = f"at least {many:,} {kind if many == 1 else f'{kind}s'}"
        return f"In at least {self.tenants:,} {noun}, {whom} {self.impact.text}"


async def shut_out(
    platform: Platform, catalogue: Catalogue, section: type[Section], reach: Reach
) -> list[Sum]:
    """
    Add up, for each field, whom the bounds would shut out in the tenants that *reach* names.

    Those are a hundred at most.
    """
    ids = [each.id for each in reach.named]
    found, _ = await added_up(
        platform, catalogue, section, ids, lambda layers: bound(layers, section, reach.bounds)
    )
    return found


async def added_up(  # noqa: PLR0913  (each is needed once)
    platform: Platform,
    catalogue: Catalogue,
    section: type[Section],
    tenants: Iterable[UUID],
    change: Callable[[Layers], Layers],
    seconds: float | None = None,
) -> tuple[list[Sum], int]:
    """
    Add up, for each field, whom a *change* would shut out in *tenants*; and in how many of them.

    It ends with the tenant at which so many *seconds* are over.
    """
    found: dict[str, Sum] = {}
    looked_at = 0
    if not catalogue.counts(section):
        return [], looked_at
    end = None if seconds is None else time.monotonic() + seconds
    async with platform.transaction() as db:
        for each in tenants:
            if end is not None and time.monotonic() > end:
                break
            await rebind(db, each)
            layers = await load_in(db)
            for impact in await catalogue.impacts(db, section, layers, change(layers)):
                found[impact.field] = _added(found.get(impact.field), impact)
            looked_at += 1
    return list(found.values()), looked_at


async def how_many_decide(platform: Platform, section: type[Section], fields: Iterable[str]) -> int:
    """How many tenants have values of their own for all of these *fields*."""
    return await store.how_many_decide(platform, section.key, [*fields])


def bound(layers: Layers, section: type[Section], bounds: Values) -> Layers:
    """*layers* with *bounds* of a section beside those that it has."""
    after = {**layers.bounds.get(section.key, {}), **bounds}
    return replace(layers, bounds={**layers.bounds, section.key: after})


def decided(layers: Layers, section: type[Section], changes: Values) -> Layers:
    """*layers* with other values for all to inherit; None takes one back."""
    after = merged(layers.platform.get(section.key, {}), changes)
    return replace(layers, platform={**layers.platform, section.key: after})


def _added(known: Sum | None, impact: Impact) -> Sum:
    if known is None:
        return Sum(1, impact)
    whole = replace(
        known.impact,
        affected=known.impact.affected + impact.affected,
        total=known.impact.total + impact.total,
        is_exact=known.impact.is_exact and impact.is_exact,
    )
    return Sum(known.tenants + 1, whole)
