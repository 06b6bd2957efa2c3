"""One save: held against others, checked, written with its version, recorded and announced."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from insula.assets import service as assets
from insula.assets.models import digest_of
from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event, plain
from insula.config_overrides import store
from insula.config_overrides.errors import InvalidSetting, NotOverridable, VersionConflict
from insula.config_overrides.marks import Mark, Plan, PlanScope, Version, identity
from insula.config_overrides.masks import mask
from insula.config_overrides.models import Layers, Stored, Values, etag
from insula.config_overrides.stored_marks import read_marks, read_plans, write_mark
from insula.kernel.clock import now
from insula.kernel.crypto import Envelope
from insula.kernel.settings import Section
from insula.tenancy.db import Connection, Row, raise_version

S = TypeVar("S", bound=Section)
Scope = Literal["tenant", "platform"]


@dataclass(frozen=True, slots=True)
class Claim:
    """The save is that of documents, which own what they set; *source* says which they are."""

    source: str = ""


@dataclass(frozen=True, slots=True)
class Saving:
    """
    Who saves and why; *expected* is the ETag of what they had read, None not to compare.

    A reason is kept with the version, at most 500 characters. *envelope* seals secrets among the
    values; without it they are refused. With *claim* the fields that are set become the saver's,
    and those that are theirs already may change. *template* names where the values come from.
    *plan* is what is put into effect: by the queue, it is signed by whoever planned it.
    """

    actor: Actor = SYSTEM
    reason: str = ""
    expected: str | None = None
    envelope: Envelope | None = None
    claim: Claim | None = None
    template: str = ""
    plan: Plan | None = None

    def signature(self) -> dict[str, Any]:
        """Who, by what stays the same."""
        if self.plan is not None and self.actor == SYSTEM:
            return dict(self.plan.by)
        return {"type": self.actor.type, "id": self.actor.id}

    def signed(self) -> dict[str, Any]:
        """
        Who, as marks, versions and plans keep it.

        Of the platform's people it has the name too: no tenant could find it by the id (C05).
        """
        by = self.signature()
        if self.actor.type == "platform" and self.actor.name:
            by["name"] = self.actor.name
        return by

    def mark(self) -> dict[str, Any]:
        mark: dict[str, Any] = {
            "by": self.signed(),
            "at": datetime.fromtimestamp(now(), UTC).isoformat(),
        }
        return {**mark, "template": self.template} if self.template else mark


async def held(db: Connection) -> Layers:
    """What is stored for the bound tenant, which nobody else changes before the end of *db*."""
    await store.hold(db)
    return layers_of(await store.load_in(db))


def layers_of(row: Row) -> Layers:
    """The layers of a row of the store, marks included."""
    own, platform = row.own, row.platform
    return Layers(
        own={key: part["value"] for key, part in own.items()},
        platform={key: part["value"] for key, part in platform.items()},
        bounds={key: part["bounds"] for key, part in platform.items()},
        own_marks=read_marks(own, "marks"),
        platform_marks=read_marks(platform, "marks"),
        bound_marks=read_marks(platform, "bound_marks"),
        plans=read_plans(row.plans),
        coming=tuple(read_plans(row.coming).values()),
    )


def raw_marks(marks: Mapping[str, Mark], section: str, kept: Values) -> dict[str, Any]:
    """The marks of a section as they are stored, of the fields that are kept."""
    found = {name: marks.get(f"{section}.{name}") for name in kept}
    return {name: write_mark(mark) for name, mark in found.items() if mark and mark.at}


async def compare(db: Connection, scope: Scope, saving: Saving, stored: object) -> None:
    """Raise `VersionConflict` when what is stored is not what the caller had read."""
    if saving.expected is not None and saving.expected != etag(stored):
        last = await store.versions(db, scope, None, 1)
        raise VersionConflict(version_of(last[0]) if last else None)


async def compare_section(
    db: Connection, layers: Layers, scope: PlanScope, section: str, saving: Saving
) -> None:
    """
    Raise `VersionConflict` when a section, or what is planned for it, is not what was read.

    *layers* are held.
    """
    if saving.expected is not None and saving.expected != etag(layers.seen(scope, section)):
        raise VersionConflict(await last_of(db, scope, layers.plan(scope, section)))


async def last_of(db: Connection, scope: PlanScope, plan: Plan | None) -> Version | None:
    """The last save that concerns a scope, or the *plan* of a section if that is newer."""
    saves = await store.versions(db, "tenant" if scope == "tenant" else "platform", None, 1)
    found = [version_of(row) for row in saves]
    if plan is not None:
        found.append(_as_version(plan))
    return max(found, key=lambda each: each.at, default=None)


def _as_version(plan: Plan) -> Version:
    return Version(
        0, plan.planned_at, "config.change_planned", plan.by, plan.reason,
        tuple(f"{plan.section}.{name}" for name in plan.changes), {},
    )  # fmt: skip


def version_of(row: Row) -> Version:
    return Version(
        row.number, row.at, row.act, row.actor, row.reason, tuple(row.changed), row.snapshot
    )


def check_fields(section: type[Section], names: Sequence[str]) -> None:
    """Raise `NotOverridable` for a name that is no field of the section."""
    for name in names:
        if name not in section.model_fields:
            raise NotOverridable(
                f"no such field; there are {', '.join(section.model_fields)}",
                field=f"{section.key}.{name}",
            )


async def check_images(db: Connection, section: type[Section], fresh: Values) -> None:
    """Raise `InvalidSetting` for an image that the bound tenant does not have."""
    named = {name: digest_of(fresh[name]) for name in section.images() if fresh.get(name)}
    known = await assets.known(db, [digest for digest in named.values() if digest])
    for name, digest in named.items():
        if digest not in known:
            raise InvalidSetting(
                "There is no such image of this tenant; upload it first",
                field=f"{section.key}.{name}",
            )


def validated(section: type[S], values: Values, before: S | None = None) -> S:
    """
    The section of *values*. Raises `InvalidSetting` with the field and a value that would do.

    What clashed already in the section *before* the change is no mistake of this one.
    """
    try:
        whole = section.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        info = section.model_fields.get(name)
        raise InvalidSetting(
            str(first["msg"]).removeprefix("Value error, "),
            field=".".join((section.key, *map(str, first["loc"]))),
            example=f"{name}={_as_typed(info.get_default())}" if info else "",
        ) from error
    for name, text in whole.clashes() if before is None else whole.new_clashes(before):
        raise InvalidSetting(text, field=f"{section.key}.{name}")
    return whole


def _as_typed(value: object) -> str:
    """A value as it is given to a command."""
    return json.dumps(value) if isinstance(value, tuple) else str(value)


def merged(before: Values, changes: Values) -> dict[str, Any]:
    """*before* with the changes; a change to None takes the field out."""
    values = {**before, **changes}
    return {name: value for name, value in values.items() if value is not None}


def differences(before: Values, after: Values) -> list[str]:
    return sorted(
        name for name in {*before, *after} if before.get(name, ...) != after.get(name, ...)
    )


async def note(  # noqa: PLR0913  (each by its name)
    db: Connection,
    scope: Scope,
    saving: Saving,
    *,
    act: str,
    changed: Mapping[str, Sequence[str]],
    before: Stored | Mapping[str, Stored],
    snapshot: Stored | Mapping[str, Stored],
) -> None:
    """
    Write the version and a line of the record for each section; raise the tenant's version.

    *before* is what the *snapshot* was until now, which has values and bounds apart if they are the
    platform's.
    """
    fields = [f"{key}.{name}" for key, names in sorted(changed.items()) for name in names]
    reason = saving.reason.strip()[:500]
    number = await store.add_version(
        db, scope, act=act, actor=saving.signed(), reason=reason, changed=fields,
        snapshot=snapshot,
    )  # fmt: skip
    for key, names in sorted(changed.items()):
        details: dict[str, Any] = {
            "changed": list(names),
            "changes": _moves(key, names, before, snapshot)
            if scope == "tenant"
            else [
                {"part": part, **move}
                for part in ("values", "bounds")
                for move in _moves(key, names, before[part], snapshot[part])
            ],
            "version": number,
        }
        if reason:
            details["reason"] = reason
        if saving.plan is not None:
            details["planned_by"] = identity(saving.plan.by)
            details["planned_at"] = saving.plan.planned_at.isoformat()
        kind = "config" if scope == "tenant" else "platform_config"
        await audit.record(
            db, Event(act, saving.actor, target_type=kind, target_id=key, metadata=details)
        )
    await raise_version(db, "settings" if scope == "tenant" else "platform_settings")


def _moves(
    section: str, names: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """
    Before and after, for each field that moved: what was stored and what is, None for nothing.

    A list, since the record leaves out what is named like a secret, as `id_token` is. A secret
    itself shows as a mask on both sides.
    """
    old, new = before.get(section, {}), after.get(section, {})
    return [
        {"field": name, "before": _recorded(old.get(name)), "after": _recorded(new.get(name))}
        for name in names
        if old.get(name, ...) != new.get(name, ...)
    ]


def _recorded(value: Any) -> Any:  # noqa: ANN401  (a value of any setting)
    shown = mask(value)
    return plain(shown) if isinstance(shown, str) else shown
