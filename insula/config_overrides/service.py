"""Reading what holds for a tenant, and changing what it has decided for itself."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from insula.config_overrides import ownership, store
from insula.config_overrides.errors import BoundViolated, NotOverridable
from insula.config_overrides.models import Layers, Stored, Values
from insula.config_overrides.resolution import explain, resolve, violations
from insula.config_overrides.saving import (
    Saving,
    check_fields,
    check_images,
    compare,
    compare_section,
    differences,
    held,
    layers_of,
    merged,
    note,
    validated,
)
from insula.config_overrides.sealing import seal
from insula.kernel.settings import DecidedBy, Kind, Section
from insula.tenancy.db import Connection, PlatformSettings, Tenant

__all__ = ["Saving", "change", "explain", "load", "of", "read", "reset", "resolve"]

S = TypeVar("S", bound=Section)


def of(tenant: Tenant, section: type[S]) -> S:
    """A section as it holds for the tenant, from what its object carries: no trip."""
    found = tenant.memo.get(section)
    if found is None:
        found = resolve(section, read(tenant.settings, tenant.platform_settings))
        tenant.memo[section] = found
    assert isinstance(found, section)  # noqa: S101  (the memo is ours)
    return found


def read(own: Stored, platform: Mapping[str, Mapping[str, Values]]) -> Layers:
    """Layers without marks: *platform* has `value` and `bounds` for each section."""
    return Layers(own=own).under(platform)


async def load(tenant: Tenant) -> Layers:
    """Everything that is stored and bears on the tenant, fresh, in one trip."""
    return layers_of(await store.load(tenant))


async def load_in(db: Connection) -> Layers:
    """The same for the tenant that a transaction is bound to."""
    return layers_of(await store.load_in(db))


async def hold(db: Connection) -> None:
    """Nobody else saves the configuration of the tenant of *db* before it ends."""
    await store.hold(db)


async def change(
    tenant: Tenant, section: type[S], changes: Values, saving: Saving | None = None
) -> S:
    """
    Set some fields of a section for the tenant; the section as it holds then.

    None takes a field back. All of *changes* or nothing. Raises `InvalidSetting`,
    `NotOverridable`, `BoundViolated`, `VersionConflict`, `OwnedByGit`.
    """
    async with tenant.transaction() as db:
        return await change_in(db, section, changes, saving)


async def change_in(
    db: Connection,
    section: type[S],
    changes: Values,
    saving: Saving | None = None,
    *,
    replace: bool = False,
) -> S:
    """`change` for the tenant that *db* is bound to; *replace* takes back what is not mentioned."""
    saving = saving or Saving()
    check_own(section, changes)
    layers = await held(db)
    await compare_section(db, layers, "tenant", section.key, saving)
    wanted = wanted_of(section, layers, changes, replace=replace)
    after = await save(db, layers, {section: wanted}, saving, act="config.updated")
    return resolve(section, after)


def wanted_of(
    section: type[Section], layers: Layers, changes: Values, *, replace: bool
) -> dict[str, Any]:
    """What a tenant would have decided of a section after *changes*."""
    before = layers.own.get(section.key, {})
    unknown = {name: v for name, v in before.items() if name not in section.model_fields}
    return merged(unknown if replace else before, changes)


async def reset(
    tenant: Tenant, section: type[S], field: str | None = None, saving: Saving | None = None
) -> S:
    """
    Take back one field, or all of a section; the section as it holds then.

    Raises `NotOverridable`, `VersionConflict`, `OwnedByGit`.
    """
    async with tenant.transaction() as db:
        if field is not None:
            return await change_in(db, section, {field: None}, saving)
        return await reset_in(db, section, saving)


async def reset_in(db: Connection, section: type[S], saving: Saving | None = None) -> S:
    """Take back all of a section for the tenant that *db* is bound to."""
    saving = saving or Saving()
    check_own(section, {})
    layers = await held(db)
    await compare_section(db, layers, "tenant", section.key, saving)
    kept = wanted_of(section, layers, {}, replace=True)
    after = await save(db, layers, {section: kept}, saving, act="config.section_reset")
    return resolve(section, after)


async def replace_all(  # noqa: PLR0913  (each by its name)
    db: Connection,
    sections: Iterable[type[Section]],
    document: Stored,
    saving: Saving,
    *,
    act: str = "config.imported",
    supposed: PlatformSettings | None = None,
) -> list[str]:
    """
    Make *document* all that the bound tenant has decided of *sections*; what changed by it.

    All or nothing. *supposed* is what the platform is taken to have decided, if that is not what
    is stored: then the transaction is one to be taken back. Raises `InvalidSetting`,
    `NotOverridable`, `BoundViolated`, `OwnedByGit`, `VersionConflict` (*saving.expected* is the
    ETag of everything that is stored).
    """
    by_key = {section.key: section for section in sections}
    for key, values in document.items():
        if key not in by_key:
            raise NotOverridable("no such section", field=key)
        check_own(by_key[key], values)
    layers = await held(db)
    if supposed is not None:
        layers = layers.under(supposed)
    await compare(db, "tenant", saving, layers.own)
    wanted = {
        section: wanted_of(section, layers, document.get(key, {}), replace=True)
        for key, section in by_key.items()
    }
    after = await save(db, layers, wanted, saving, act=act)
    return [
        f"{key}.{name}"
        for key in sorted(by_key)
        for name in differences(layers.own.get(key, {}), after.own.get(key, {}))
    ]


async def save(
    db: Connection,
    layers: Layers,
    wanted: Mapping[type[Section], Values],
    saving: Saving,
    *,
    act: str,
) -> Layers:
    """
    Store what differs from *layers*, which are held; the layers then.

    Raises `OwnedByGit` for what documents own, unless *saving* is theirs.
    """
    own, changed = await judged(db, layers, wanted, saving)
    claims = ownership.claimed(layers, own, wanted, saving)
    for key in {*changed, *claims}:
        kept = own.get(key, {})
        marks = ownership.remarked(layers, key, kept, changed.get(key, ()), saving)
        ownership.put(marks, claims.get(key, {}), saving)
        await store.write(db, key, kept, marks)
    await ownership.note_claims(db, layers, claims, saving)
    if not changed:
        return layers
    left = {key: values for key, values in own.items() if values}
    await note(db, "tenant", saving, act=act, changed=changed, before=layers.own, snapshot=left)
    return Layers(left, layers.platform, layers.bounds, plans=layers.plans)


async def judged(
    db: Connection, layers: Layers, wanted: Mapping[type[Section], Values], saving: Saving
) -> tuple[dict[str, Values], dict[str, list[str]]]:
    """
    Everything as a save would store it, and what of it is new by section; nothing is stored.

    Raises what the save raises.
    """
    own: dict[str, Values] = dict(layers.own)
    changed: dict[str, list[str]] = {}
    for section, values in wanted.items():
        before = layers.own.get(section.key, {})
        stored = await seal(
            db, section, before, values, saving.envelope,
            inherited=layers.platform.get(section.key, {}),
        )  # fmt: skip
        after = _checked(section, layers, before, stored)
        names = differences(before, after)
        await check_images(db, section, {name: after[name] for name in names if name in after})
        if names:
            own[section.key], changed[section.key] = after, names
    ownership.check(layers, changed, saving)
    return own, changed


def _checked(
    section: type[Section], layers: Layers, before: Values, values: Values
) -> dict[str, Any]:
    """*values* as they are stored, if the section and the platform allow those that are new."""
    known = {name: value for name, value in values.items() if name in section.model_fields}
    inherited = resolve(section, Layers(platform=layers.platform, bounds=layers.bounds))
    values_of_all = {**inherited.model_dump(mode="json"), **known}
    whole = validated(section, values_of_all, resolve(section, layers))
    plain = whole.model_dump(mode="json")
    after = {**values, **{name: plain[name] for name in known}}
    fresh = {name: after[name] for name in differences(before, after) if name in known}
    beyond = violations(section, fresh, layers)
    if beyond:
        raise BoundViolated(beyond)
    return after


def overridden(layers: Layers, section: type[Section]) -> frozenset[str]:
    """Find the fields of a section that the tenant has decided itself."""
    return frozenset(e.name for e in explain(section, layers) if e.own is not None)


def check_own(section: type[Section], changes: Values) -> None:
    """Raise `NotOverridable` for what is not a tenant's to decide."""
    if section.decided_by is not DecidedBy.TENANT or not section.settable:
        raise NotOverridable("is decided by the platform", field=section.key)
    check_fields(section, list(changes))
    for name in changes:
        if section.kind(name) is Kind.PLATFORM:
            raise NotOverridable("is decided by the platform", field=f"{section.key}.{name}")
