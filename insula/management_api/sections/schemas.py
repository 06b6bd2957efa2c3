"""Sections as they are told, and what may be asked of them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from insula.config_overrides.marks import Version as Saved
from insula.config_overrides.masks import all_masked, masked
from insula.config_overrides.models import Explained, Layers
from insula.config_overrides.resolution import explain, resolve
from insula.kernel.settings import Section as Kind
from insula.management_api.sections.planned import Coming, Planned
from insula.management_api.sections.told import Change, OwnedBy, Released, SetBy, ShutOut, Value


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
    planned: Planned | None = Field(None, description="What is to change on a later day.")
    coming: list[Coming] = Field(
        default_factory=list, description="What the platform is to change on a later day."
    )

    @classmethod
    def of(cls, section: type[Kind], layers: Layers, *, explained: bool = False) -> "SectionState":
        fields = [Field_.of(section, each) for each in explain(section, layers)]
        return cls(
            section=section.key,
            values=masked(resolve(section, layers).model_dump(mode="json")),
            own=masked(layers.own.get(section.key, {})),
            fields=fields if explained else None,
            planned=Planned.of(section, layers, "tenant"),
            coming=[
                Coming.of(section, layers, plan)
                for plan in layers.coming
                if plan.section == section.key
            ],
        )


class Sections(BaseModel):
    """All sections."""

    data: list[SectionState]


class Proposal(BaseModel):
    """Values for a section, null to inherit; what it does not name stays."""

    model_config = ConfigDict(extra="forbid")

    section: str = Field(max_length=64, examples=["oidc.ttl"])
    values: dict[str, Value] = Field(examples=[{"id_token": 300}])
    names: bool = Field(
        default=False, description="Name the first hundred that are shut out; it is recorded."
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
        "by": SetBy(**SetBy.facts(saved.by, saved.at)),
        "reason": saved.reason,
        "changed": list(saved.changed),
    }
