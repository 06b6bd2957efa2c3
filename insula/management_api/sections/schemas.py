"""Sections as they are told, and what may be asked of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from insula.config_overrides.impacts import Impact
from insula.config_overrides.marks import Mark, Ownership
from insula.config_overrides.marks import Version as Saved
from insula.config_overrides.masks import all_masked, masked
from insula.config_overrides.models import Explained, Layers
from insula.config_overrides.resolution import explain, resolve
from insula.kernel.settings import Section as Kind
from insula.management_api.paging import Count

#: A value of a setting, as JSON.
Value = bool | int | float | str | list[Any] | None


class SetBy(BaseModel):
    """Who set something, and when."""

    type: str
    id: str | None
    at: datetime | None

    @classmethod
    def of(cls, mark: Mark | None) -> "SetBy | None":
        if mark is None:
            return None
        return cls(type=str(mark.by["type"]), id=mark.by.get("id"), at=mark.at)


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
        return cls(
            type=str(owned.by["type"]), id=owned.by.get("id"), at=owned.at, source=owned.source
        )


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
        return cls(
            type=str(given.by["type"]), id=given.by.get("id"), at=given.at, reason=given.reason
        )


class Field_(BaseModel):  # noqa: N801  (pydantic's own `Field` stands beside it)
    """One field explained: what holds, where it comes from, and what binds it."""

    model_config = ConfigDict(title="SettingField")

    name: str
    effective: Value
    source: Literal["default", "platform", "tenant", "template", "git", "clamped"]
    own: Value = Field(description="What the tenant has stored; null: it inherits.")
    inherited: Value
    default: Value
    kind: str = Field(description="How far the platform may bind it.")
    bound: Value = Field(description="The platform's floor or ceiling; null: none.")
    set_by: SetBy | None
    last_used_at: datetime | None = Field(None, description="Of a secret, to the hour.")
    bound_set_by: SetBy | None
    owned_by: OwnedBy | None = Field(None, description="Whose documents own it; null: nobody's.")
    released: Released | None = Field(
        None, description="Who took it from them, till they claim it."
    )
    template: str | None = Field(None, description="The template that the value came from.")

    @classmethod
    def of(cls, section: type[Kind], told: Explained) -> "Field_":
        return cls(
            name=told.name,
            effective=told.effective,
            source=told.source,
            own=told.own,
            inherited=told.inherited,
            default=told.default,
            kind=section.kind(told.name).value,
            bound=told.bound,
            set_by=SetBy.of(told.mark),
            last_used_at=told.mark.used_at if told.mark else None,
            bound_set_by=SetBy.of(told.bound_mark),
            owned_by=OwnedBy.of(told.own_mark),
            released=Released.of(told.own_mark),
            template=(told.own_mark.template or None) if told.own_mark else None,
        )


class SectionState(BaseModel):
    """A section: *values* as they hold, *own* what the tenant has decided itself."""

    section: str
    values: dict[str, Value]
    own: dict[str, Value]
    fields: list[Field_] | None = Field(None, description="With `explain=true`.")

    @classmethod
    def of(cls, section: type[Kind], layers: Layers, *, explained: bool = False) -> "SectionState":
        fields = [Field_.of(section, each) for each in explain(section, layers)]
        return cls(
            section=section.key,
            values=masked(resolve(section, layers).model_dump(mode="json")),
            own=masked(layers.own.get(section.key, {})),
            fields=fields if explained else None,
        )


class Sections(BaseModel):
    """All sections."""

    data: list[SectionState]


class Change(BaseModel):
    """A field that a save would change: what holds now, and what would."""

    field: str
    before: Value
    after: Value


class Proposal(BaseModel):
    """Values for a section, null to inherit; what it does not name stays."""

    model_config = ConfigDict(extra="forbid")

    section: str = Field(max_length=64, examples=["oidc.ttl"])
    values: dict[str, Value] = Field(examples=[{"id_token": 300}])
    names: bool = Field(
        default=False, description="Name the first hundred that are shut out; it is recorded."
    )


class ShutOut(BaseModel):
    """Whom the change of a field would shut out; at most 10,000 are looked at."""

    field: str
    kind: str = Field(examples=["application"])
    affected: int
    of: Count
    text: str = Field(examples=["12 of 40 applications could not use the device grant any more"])
    names: list[str] = Field(default_factory=list)

    @classmethod
    def told(cls, impact: Impact) -> "ShutOut":
        return cls(
            field=impact.field,
            kind=impact.kind,
            affected=impact.affected,
            of=Count(value=impact.total, exact=impact.is_exact),
            text=impact.sentence,
            names=list(impact.names),
        )


class Preview(BaseModel):
    """What a save would change in force, and whom it would shut out; nothing was saved."""

    changes: list[Change]
    shut_out: list[ShutOut]


class Changed(BaseModel):
    """The fields that a save changed, as `section.field`."""

    changed: list[str]


class Export(BaseModel):
    """Everything that the tenant has decided, by section and field; no secret is readable."""

    settings: dict[str, dict[str, Value]]


class Import(BaseModel):
    """What the tenant decides from now on; what is not in it is inherited."""

    model_config = ConfigDict(extra="forbid")

    settings: dict[str, dict[str, Value]] = Field(max_length=200)
    reason: str = Field("", max_length=500)


class Release(BaseModel):
    """Which fields hands may change again, and why."""

    model_config = ConfigDict(extra="forbid")

    fields: list[str] = Field(min_length=1, max_length=200, examples=[["id_token"]])
    reason: str = Field(min_length=1, max_length=500, examples=["The pipeline is down"])


class Restore(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("", max_length=500)


class Version(BaseModel):
    """A save: who, when, why, and what it changed."""

    number: int
    at: datetime
    act: str
    by: SetBy
    reason: str
    changed: list[str]

    @classmethod
    def of(cls, saved: Saved) -> "Version":
        return cls(**_told(saved))


class VersionDetail(Version):
    """A save with everything as it was after it."""

    snapshot: dict[str, Any]

    @classmethod
    def of(cls, saved: Saved) -> "VersionDetail":
        return cls(**_told(saved), snapshot=all_masked(saved.snapshot))


def _told(saved: Saved) -> Mapping[str, Any]:
    return {
        "number": saved.number,
        "at": saved.at,
        "act": saved.act,
        "by": SetBy(type=str(saved.by["type"]), id=saved.by.get("id"), at=saved.at),
        "reason": saved.reason,
        "changed": list(saved.changed),
    }
