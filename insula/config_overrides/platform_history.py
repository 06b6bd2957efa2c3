"""
The way back for what the platform decides: its values and bounds as a version had them (J03).

Read and written over the platform's door, bound to the tenant `_platforms`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from insula.config_overrides import history, store
from insula.config_overrides.masks import mask
from insula.config_overrides.models import Layers, Stored, Values
from insula.config_overrides.platform import Reach, preview_bounds, valid_bounds_of
from insula.config_overrides.saving import (
    Saving,
    compare,
    differences,
    held,
    note,
    raw_marks,
    validated,
)
from insula.config_overrides.sealing import seal
from insula.kernel.settings import Section
from insula.tenancy.db import Connection, Platform


@dataclass(frozen=True, slots=True)
class Change:
    """One value or bound that a way back would change; None: there is none."""

    part: str
    section: str
    name: str
    before: Any
    after: Any


def present(layers: Layers) -> dict[str, Stored]:
    """What the platform has decided, as a version keeps it."""
    return {"values": layers.platform, "bounds": layers.bounds}


def changes(
    sections: Iterable[type[Section]], layers: Layers, snapshot: Mapping[str, Stored]
) -> list[Change]:
    """What going back to *snapshot* would change; secrets are masked."""
    return [
        Change(part, section.key, name, mask(before.get(name)), mask(after.get(name)))
        for part, stored in present(layers).items()
        for section in sections
        for before, after in [_pair(section, stored, snapshot.get(part, {}))]
        for name in differences(before, after)
    ]


def _pair(section: type[Section], stored: Stored, wanted: Stored) -> tuple[Values, Values]:
    """What is stored of a section and what shall be: fields that are not known stay."""
    before, known = stored.get(section.key, {}), section.model_fields
    after = {name: value for name, value in before.items() if name not in known}
    after |= {n: v for n, v in wanted.get(section.key, {}).items() if n in known}
    return before, after


async def preview(
    platform: Platform,
    sections: Iterable[type[Section]],
    layers: Layers,
    snapshot: Mapping[str, Stored],
) -> dict[str, Reach]:
    """Whom the bounds of *snapshot* that differ from today's would clamp, by section."""
    found = {}
    for section in sections:
        before, after = _pair(section, layers.bounds, snapshot.get("bounds", {}))
        fresh = {name: after[name] for name in differences(before, after) if name in after}
        if fresh:
            found[section.key] = await preview_bounds(platform, section, fresh)
    return found


async def restore(
    db: Connection, sections: Iterable[type[Section]], number: int, saving: Saving
) -> list[str]:
    """
    Decide again what a version had; what changed by it, as `section.field`.

    One save, in which what this release does not know stays. *saving.expected* is the ETag of
    `present`. Raises `VersionUnknown`, `VersionConflict`, `InvalidSetting`, `NotOverridable`.
    """
    layers = await held(db)
    await compare(db, "platform", saving, present(layers))
    snapshot = (await history.version(db, number, scope="platform")).snapshot
    values, bounds = dict(layers.platform), dict(layers.bounds)
    changed: dict[str, list[str]] = {}
    for section in sections:
        key = section.key
        was, wanted = _pair(section, layers.platform, snapshot.get("values", {}))
        values[key] = await _valid(db, section, was, wanted, saving)
        bound, limits = _pair(section, layers.bounds, snapshot.get("bounds", {}))
        bounds[key] = valid_bounds_of(section, limits)
        names = {*differences(was, values[key]), *differences(bound, bounds[key])}
        if names:
            changed[key] = sorted(names)
            await _write(db, section, layers, values[key], bounds[key], saving)
    if changed:
        left = {
            part: {key: fields for key, fields in stored.items() if fields}
            for part, stored in (("values", values), ("bounds", bounds))
        }
        await note(
            db, "platform", saving, act="config.rolled_back", changed=changed,
            before=present(layers), snapshot=left,
        )  # fmt: skip
    return [f"{key}.{name}" for key, names in sorted(changed.items()) for name in names]


async def _valid(
    db: Connection, section: type[Section], before: Values, wanted: Values, saving: Saving
) -> dict[str, Any]:
    after = await seal(db, section, before, wanted, saving.envelope, inherited={})
    known = {name: value for name, value in after.items() if name in section.model_fields}
    plain = validated(section, known).model_dump(mode="json")
    return {**after, **{name: plain[name] for name in known}}


async def _write(  # noqa: PLR0913  (each is needed once)
    db: Connection,
    section: type[Section],
    layers: Layers,
    values: Values,
    bounds: Values,
    saving: Saving,
) -> None:
    key = section.key
    row: dict[str, Any] = {"value": dict(values), "bounds": dict(bounds)}
    row["marks"] = raw_marks(layers.platform_marks, key, values)
    row["bound_marks"] = raw_marks(layers.bound_marks, key, bounds)
    for part, marks, before in (
        ("value", "marks", layers.platform),
        ("bounds", "bound_marks", layers.bounds),
    ):
        fresh = differences(before.get(key, {}), row[part])
        row[marks].update({name: saving.mark() for name in fresh if name in row[part]})
    await store.write_platform(db, key, row)
