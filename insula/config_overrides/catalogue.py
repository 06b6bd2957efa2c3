"""The sections of an installation, by key."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from insula.config_overrides.errors import SectionUnknown
from insula.config_overrides.impacts import Counting, Impact
from insula.config_overrides.marks import PlanScope
from insula.config_overrides.models import Layers
from insula.config_overrides.resolution import resolve
from insula.kernel.settings import DecidedBy, Section
from insula.tenancy.db import Connection


class Catalogue:
    """What can be decided: by each tenant, or by the platform for all of them."""

    def __init__(
        self,
        sections: Iterable[type[Section]],
        counting: Mapping[type[Section], Counting] = MappingProxyType({}),
    ) -> None:
        self._counting = counting
        self._by_key: dict[str, type[Section]] = {
            section.key: section
            for section in sorted(sections, key=lambda section: section.key)
            if section.settable
        }

    def __iter__(self) -> Iterator[type[Section]]:
        return iter(self._by_key.values())

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def of_tenants(self) -> tuple[type[Section], ...]:
        """The sections that a tenant decides for itself."""
        return tuple(section for section in self if section.decided_by is DecidedBy.TENANT)

    def get(self, key: str) -> type[Section]:
        """One section. Raises `SectionUnknown`."""
        if key not in self._by_key:
            raise SectionUnknown(f"There is no such section; there are {', '.join(self._by_key)}.")
        return self._by_key[key]

    def of_tenant(self, key: str) -> type[Section]:
        """One that a tenant decides. Raises `SectionUnknown`."""
        section = self.get(key)
        if section.decided_by is not DecidedBy.TENANT:
            raise SectionUnknown("The platform decides this section.")
        return section

    def of_scope(self, scope: PlanScope, key: str) -> type[Section]:
        """One that is decided there. Raises `SectionUnknown`."""
        return self.of_tenant(key) if scope == "tenant" else self.get(key)

    def counts(self, section: type[Section]) -> bool:
        """Whether somebody counts whom a change of a section would shut out."""
        return section in self._counting

    async def impacts(
        self,
        db: Connection,
        section: type[Section],
        before: Layers,
        after: Layers,
        *,
        names: bool = False,
    ) -> list[Impact]:
        """Whom the bound tenant would shut out if *after* held in place of *before*."""
        count = self._counting.get(section)
        if count is None:
            return []
        found = await count(db, resolve(section, before), resolve(section, after), names)
        return [impact for impact in found if impact.affected]
