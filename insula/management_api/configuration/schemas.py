"""The answer to a document."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from insula.config_overrides.marks import Ownership
from insula.configuration.applying import Applied
from insula.configuration.models import Document
from insula.management_api.sections.told import OwnedBy, Released
from insula.ownership.models import Part, Place


class Line(BaseModel):
    """One value that changed, or would; null where there is none."""

    path: str
    before: Any
    after: Any


class Object(BaseModel):
    """An object, by the part of a document that it belongs to and its name there."""

    model_config = ConfigDict(extra="forbid")

    part: Part
    name: str = Field(min_length=1, max_length=2000, examples=["board"])

    @property
    def place(self) -> Place:
        return Place(self.part, self.name)


class ReleasedObject(Object):
    """Which object hands may change again, and why."""

    reason: str = Field(min_length=1, max_length=500, examples=["The pipeline is down"])


class OwnedObject(Object):
    """An object that documents own, or owned until somebody released it."""

    owned_by: OwnedBy | None
    released: Released | None

    @classmethod
    def of(cls, place: Place, owned: Ownership) -> "OwnedObject":
        return cls(
            part=place.part,
            name=place.name,
            owned_by=OwnedBy.by(owned),
            released=Released.by(owned),
        )


class OwnedObjects(BaseModel):
    """All of them, by part and name."""

    data: list[OwnedObject]


class Outcome(BaseModel):
    """What changed, or would; the secrets of clients that were given one, shown here only."""

    changes: list[Line]
    secrets: dict[str, str] = Field(default_factory=dict)
    document: Document

    @classmethod
    def of(cls, applied: Applied) -> "Outcome":
        return cls(
            changes=[
                Line(path=each.path, before=each.before, after=each.after)
                for each in applied.differences
            ],
            secrets=dict(applied.secrets),
            document=applied.document.masked(),
        )
