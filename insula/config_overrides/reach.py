"""Whom a bound would shut out in the tenants that it moves, counted tenant by tenant (BEY-3)."""

from dataclasses import dataclass, replace

from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.impacts import Impact
from insula.config_overrides.models import Layers, Values
from insula.config_overrides.platform import Reach
from insula.config_overrides.service import load_in
from insula.kernel.settings import Section
from insula.tenancy.db import Platform


@dataclass(frozen=True, slots=True)
class Sum:
    """What the bound of one field does in so many *tenants*, added up."""

    tenants: int
    impact: Impact

    @property
    def sentence(self) -> str:
        """Such as: In 3 tenants, 12 of 40 applications could not use the device grant any more."""
        noun = "tenant" if self.tenants == 1 else "tenants"
        return f"In {self.tenants:,} {noun}, {self.impact.sentence}"


async def shut_out(
    platform: Platform, catalogue: Catalogue, section: type[Section], reach: Reach
) -> list[Sum]:
    """
    Add up, for each field, whom the bounds would shut out in the tenants that *reach* names.

    Those are a hundred at most: each is a transaction of its own.
    """
    if not catalogue.counts(section):
        return []
    found: dict[str, Sum] = {}
    for each in reach.named:
        async with platform.within(each.id) as db:
            layers = await load_in(db)
            impacts = await catalogue.impacts(
                db, section, layers, _bound(layers, section, reach.bounds)
            )
        for impact in impacts:
            found[impact.field] = _added(found.get(impact.field), impact)
    return list(found.values())


def _bound(layers: Layers, section: type[Section], bounds: Values) -> Layers:
    after = {**layers.bounds.get(section.key, {}), **bounds}
    return replace(layers, bounds={**layers.bounds, section.key: after})


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
