"""What the platform decides, as it is told."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from insula.config_overrides.platform import Reach
from insula.config_overrides.reach import Sum
from insula.management_api.sections.planned import Planned
from insula.management_api.sections.told import Inheriting, ShutOut, Value


class Defaults(BaseModel):
    """What tenants inherit of a section: *own* is the platform's, *values* what holds."""

    section: str
    values: dict[str, Value]
    own: dict[str, Value]
    planned: Planned | None = Field(None, description="What is to change on a later day.")


class Bounds(BaseModel):
    """Floors and ceilings of a section."""

    section: str
    bounds: dict[str, Value]
    kinds: dict[str, str] = Field(description="Which kind of bound each field takes.")
    planned: Planned | None = Field(None, description="What is to change on a later day.")


class ProposedBounds(BaseModel):
    """Bounds that a section might have, as its only ones."""

    model_config = ConfigDict(extra="forbid")

    section: str = Field(max_length=64, examples=["oidc.ttl"])
    bounds: dict[str, Value] = Field(examples=[{"id_token": 900}])


class Moved(BaseModel):
    """A field of a tenant: what it stored, and what would hold."""

    field: str
    stored: Value
    would_hold: Value


class Touched(BaseModel):
    """A tenant that bounds would clamp."""

    tenant: str
    fields: list[Moved]


class Affected(BaseModel):
    """
    Whom bounds would clamp: how many tenants, and the first hundred of them.

    Whom that shuts out is counted in those, and added up.
    """

    tenants: int
    named: list[Touched]
    shut_out: list[ShutOut]

    @classmethod
    def of(cls, reach: Reach, shut_out: Iterable[Sum]) -> "Affected":
        return cls(
            tenants=reach.tenants,
            shut_out=[ShutOut.told(each.impact, each.sentence) for each in shut_out],
            named=[
                Touched(
                    tenant=each.slug,
                    fields=[
                        Moved(field=name, stored=stored, would_hold=inside)
                        for name, (stored, inside) in each.fields.items()
                    ],
                )
                for each in reach.named
            ],
        )


class BoundsPreview(Affected):
    """Whom bounds would clamp, and whom they would hold by what is inherited."""

    inheriting: Inheriting
