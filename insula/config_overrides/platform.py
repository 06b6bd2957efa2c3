"""
What all tenants inherit, the floors and ceilings, and whom a new one would touch.

The saves are made over the platform's door, bound to the tenant `_platforms`, whose version they
raise: every process then reads every tenant's settings anew.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from insula.config_overrides import store
from insula.config_overrides.errors import BoundViolated, NotOverridable
from insula.config_overrides.models import Layers, Values
from insula.config_overrides.resolution import (
    can_be_bound,
    clamp,
    is_valid,
    readable,
    resolve,
    violations,
)
from insula.config_overrides.saving import (
    Saving,
    check_fields,
    compare_section,
    differences,
    held,
    merged,
    note,
    raw_marks,
    validated,
)
from insula.config_overrides.sealing import seal
from insula.kernel.settings import Section
from insula.tenancy.db import Connection, Platform

#: How many tenants a preview names, and how many it reads at once.
_NAMED, _BATCH = 100, 1000


@dataclass(frozen=True, slots=True)
class Clamped:
    """A tenant that a bound would move: what it stored and what would hold, by field."""

    id: UUID
    slug: str
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom new *bounds* would touch: how many tenants in all, and the first hundred of them."""

    tenants: int
    named: tuple[Clamped, ...]
    bounds: Values


async def change_values(
    db: Connection,
    section: type[Section],
    changes: Values,
    saving: Saving,
    *,
    replace: bool = False,
) -> Layers:
    """
    Set what tenants inherit of a section; None takes a field back to what is built in.

    *db* is bound to `_platforms`. Raises `InvalidSetting`, `NotOverridable`, `BoundViolated`,
    `VersionConflict`.
    """
    layers = await held(db)
    await compare_section(db, layers, "defaults", section.key, saving)
    after, names = await judged_values(db, layers, section, changes, saving, replace=replace)
    return await _save(db, layers, section, after, None, names, saving)


async def judged_values(  # noqa: PLR0913  (each by its name)
    db: Connection,
    layers: Layers,
    section: type[Section],
    changes: Values,
    saving: Saving,
    *,
    replace: bool,
) -> tuple[dict[str, Any], list[str]]:
    """A section as `change_values` would store it, and what of it is new; nothing is stored."""
    _check_settable(section)
    check_fields(section, list(changes))
    _check_own_images(section, changes)
    before = layers.platform.get(section.key, {})
    after = await seal(
        db, section, before, merged({} if replace else before, changes), saving.envelope,
        inherited={},
    )  # fmt: skip
    known = {name: value for name, value in after.items() if name in section.model_fields}
    as_held = resolve(section, Layers(platform=layers.platform))
    plain = validated(section, known, as_held).model_dump(mode="json")
    after.update({name: plain[name] for name in known})
    names = differences(before, after)
    beyond = violations(section, {n: after[n] for n in names if n in known and n in after}, layers)
    if beyond:
        raise BoundViolated(beyond)
    return after, names


async def change_bounds(
    db: Connection,
    section: type[Section],
    changes: Values,
    saving: Saving,
    *,
    replace: bool = False,
) -> Layers:
    """
    Set floors and ceilings of a section; None takes one away.

    What tenants have stored stays, and is clamped when read. Raises as `change_values`.
    """
    layers = await held(db)
    await compare_section(db, layers, "bounds", section.key, saving)
    after, names = judged_bounds(layers, section, changes, replace=replace)
    return await _save(db, layers, section, None, after, names, saving)


def judged_bounds(
    layers: Layers, section: type[Section], changes: Values, *, replace: bool
) -> tuple[dict[str, Any], list[str]]:
    """The bounds as `change_bounds` would store them, and which of them are new."""
    _check_settable(section)
    _check_bindable(section, changes)
    before = layers.bounds.get(section.key, {})
    after = valid_bounds_of(section, merged({} if replace else before, changes))
    return after, differences(before, after)


async def preview_bounds(platform: Platform, section: type[Section], bounds: Values) -> Reach:
    """
    Whom *bounds* would move if they were the only ones: no save, read page by page.

    Raises `InvalidSetting`, `NotOverridable`.
    """
    _check_settable(section)
    _check_bindable(section, bounds)
    wanted = valid_bounds_of(section, merged({}, bounds))
    count = 0
    named: list[Clamped] = []
    after = None
    while True:
        page = await store.of_tenants(platform, section.key, after, _BATCH)
        for row in page:
            moved = _moved(section, row.value, wanted)
            if moved:
                count += 1
                if len(named) < _NAMED:
                    named.append(Clamped(row.tenant_id, row.slug, moved))
        if len(page) < _BATCH:
            return Reach(count, tuple(named), wanted)
        after = page[-1].tenant_id


def _moved(section: type[Section], stored: Values, bounds: Values) -> dict[str, tuple[Any, Any]]:
    found = {}
    for name in bounds:
        value = readable(section, name, stored.get(name))
        # what this release would refuse does not hold here, so no bound moves it
        if name in stored and is_valid(section, {name: value}):
            inside = clamp(section, name, value, bounds)
            if inside != value:
                found[name] = (value, inside)
    return found


def _check_settable(section: type[Section]) -> None:
    if not section.settable:
        raise NotOverridable("is built in", field=section.key)


def _check_own_images(section: type[Section], changes: Values) -> None:
    for name in section.images():
        if changes.get(name):
            raise NotOverridable(
                "is an image, and an image belongs to one tenant", field=f"{section.key}.{name}"
            )


def _check_bindable(section: type[Section], names: Values) -> None:
    check_fields(section, list(names))
    for name in names:
        if not can_be_bound(section, name):
            raise NotOverridable("takes no floor or ceiling", field=f"{section.key}.{name}")


def valid_bounds_of(section: type[Section], bounds: Values) -> dict[str, Any]:
    """Bounds as they are stored: each would be a value of its field."""
    known = {name: value for name, value in bounds.items() if name in section.model_fields}
    plain = {
        name: validated(section, {name: value}).model_dump(mode="json")[name]
        for name, value in known.items()
    }
    return {**bounds, **plain}


async def _save(  # noqa: PLR0913  (each by its name)
    db: Connection,
    layers: Layers,
    section: type[Section],
    values: Values | None,
    bounds: Values | None,
    names: list[str],
    saving: Saving,
) -> Layers:
    """Store new values or new bounds of a section, whichever is not None."""
    if not names:
        return layers
    key = section.key
    row: dict[str, Any] = {
        "value": dict(layers.platform.get(key, {}) if values is None else values),
        "bounds": dict(layers.bounds.get(key, {}) if bounds is None else bounds),
    }
    row["marks"] = raw_marks(layers.platform_marks, key, row["value"])
    row["bound_marks"] = raw_marks(layers.bound_marks, key, row["bounds"])
    part, marks = ("value", "marks") if bounds is None else ("bounds", "bound_marks")
    row[marks].update({name: saving.mark() for name in names if name in row[part]})
    await store.write_platform(db, key, row)
    after = dataclasses.replace(
        layers,
        platform={**layers.platform, key: row["value"]},
        bounds={**layers.bounds, key: row["bounds"]},
    )
    was, snapshot = ({"values": each.platform, "bounds": each.bounds} for each in (layers, after))
    act = "config.updated" if bounds is None else "config.bound_changed"
    await note(db, "platform", saving, act=act, changed={key: names}, before=was, snapshot=snapshot)
    return after
