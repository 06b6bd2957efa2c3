"""What sections, previews and plans tell alike: values, who set them, whom a change shuts out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from insula.config_overrides.impacts import Impact
from insula.config_overrides.marks import Mark, Ownership
from insula.config_overrides.masks import mask
from insula.kernel.settings import Section
from insula.management_api.paging import Count
from insula.registry.heirs import Heirs

#: A value of a setting, as JSON.
Value = bool | int | float | str | list[Any] | None


class SetBy(BaseModel):
    """
    Who set something, and when.

    *id* is of a person or, of an application, its client_id; *name* is of the platform's people.
    """

    type: str
    id: str | None
    name: str | None = None
    at: datetime | None

    @staticmethod
    def facts(by: Mapping[str, Any], at: datetime | None) -> dict[str, Any]:
        return {"type": str(by["type"]), "id": by.get("id"), "name": by.get("name"), "at": at}

    @classmethod
    def of(cls, mark: Mark | None) -> "SetBy | None":
        if mark is None:
            return None
        return cls(**cls.facts(mark.by, mark.at))


class OwnedBy(SetBy):
    """Whose documents own a field, since when, and where they said that these are from."""

    source: str

    @classmethod
    def of(cls, mark: Mark | None) -> "OwnedBy | None":
        return cls.by(mark.owned if mark else None)

    @classmethod
    def by(cls, owned: Ownership | None) -> "OwnedBy | None":
        if owned is None or owned.released:
            return None
        return cls(**cls.facts(owned.by, owned.at), source=owned.source)


class Released(SetBy):
    """Who released a field that documents own, when and why."""

    reason: str

    @classmethod
    def of(cls, mark: Mark | None) -> "Released | None":
        return cls.by(mark.owned if mark else None)

    @classmethod
    def by(cls, owned: Ownership | None) -> "Released | None":
        given = owned.released if owned else None
        if given is None:
            return None
        return cls(**cls.facts(given.by, given.at), reason=given.reason)


class Change(BaseModel):
    """A field that a save would change: what holds now, and what would."""

    field: str
    before: Value
    after: Value


class ShutOut(BaseModel):
    """Whom the change of a field would shut out; at most 10,000 are looked at."""

    field: str
    kind: str = Field(examples=["application"])
    affected: int
    of: Count
    text: str = Field(examples=["12 of 40 applications could not use the device grant any more"])
    names: list[str] = Field(default_factory=list)

    @classmethod
    def told(cls, impact: Impact, sentence: str = "") -> "ShutOut":
        """With a *sentence* that says more than the impact's own."""
        return cls(
            field=impact.field,
            kind=impact.kind,
            affected=impact.affected,
            of=Count(value=impact.total, exact=impact.is_exact),
            text=sentence or impact.sentence,
            names=list(impact.names),
        )


class Inheriting(BaseModel):
    """
    Tenants that have not decided for themselves what would change, and whom that shuts out there.

    Applications are counted in *looked_at* of all tenants, the largest first, for a few seconds.
    """

    tenants: int
    changes: list[Change] = Field(description="What they inherit now, and what they would.")
    looked_at: int
    shut_out: list[ShutOut]

    @classmethod
    def of(cls, section: type[Section], heirs: Heirs) -> "Inheriting":
        return cls(
            tenants=heirs.tenants,
            changes=[
                Change(field=f"{section.key}.{name}", before=mask(before), after=mask(after))
                for name, (before, after) in heirs.moved.items()
            ],
            looked_at=heirs.looked_at,
            shut_out=[ShutOut.told(each.impact, each.sentence) for each in heirs.sums],
        )
