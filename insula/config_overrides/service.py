"""Reading and changing what a tenant has decided for itself."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.config_overrides import store
from insula.config_overrides.errors import InvalidSetting, NotOverridable
from insula.kernel.settings import DecidedBy, Section
from insula.tenancy.db import Connection, Tenant, raise_version

S = TypeVar("S", bound=Section)

#: Stored sections by key, as `load` gives them.
Stored = Mapping[str, Mapping[str, Any]]


def read(stored: Stored, section: type[S]) -> S:
    """
    A section as it holds for the tenant: what is stored over what is built in.

    A stored value that another release wrote and this one would refuse counts as not stored:
    reading never fails.
    """
    kept = {
        name: value
        for name, value in stored.get(section.key, {}).items()
        if name in section.model_fields and _is_valid(section, {name: value})
    }
    return section.model_validate(kept) if _is_valid(section, kept) else section()


def _is_valid(section: type[Section], values: Mapping[str, Any]) -> bool:
    try:
        section.model_validate(values)
    except ValidationError:
        return False
    return True


async def load(tenant: Tenant) -> Stored:
    """Every section that the tenant has stored, in one trip. Raises `Unavailable`."""
    return {row.section: row.value for row in await store.load(tenant)}


async def change(
    tenant: Tenant, section: type[S], changes: Mapping[str, Any], actor: Actor = SYSTEM
) -> S:
    """
    Set some fields of a section for the tenant; the section as it holds then.

    All of *changes* or nothing. Raises `InvalidSetting`, `NotOverridable`.
    """
    _check_fields(section, changes)
    async with tenant.transaction() as db:
        stored = await store.hold(db, section.key)
        before = read({section.key: stored}, section)
        after = _validated(section, {**before.model_dump(), **changes})
        await _write(db, after, stored)
        if after != before:
            await _note(db, "config.updated", section, actor, _difference(before, after))
    return after


async def reset(
    tenant: Tenant, section: type[S], field: str | None = None, actor: Actor = SYSTEM
) -> S:
    """
    Take back one field, or all of a section; the section as it holds then.

    Raises `InvalidSetting`, `NotOverridable`.
    """
    _check_fields(section, [] if field is None else [field])
    async with tenant.transaction() as db:
        stored = await store.hold(db, section.key)
        before = read({section.key: stored}, section)
        left = {} if field is None else before.model_dump(exclude={field})
        after = _validated(section, left)
        await _write(db, after, stored)
        if after != before:
            event = "config.section_reset" if field is None else "config.updated"
            await _note(db, event, section, actor, _difference(before, after))
    return after


def overridden(stored: Stored, section: type[Section]) -> frozenset[str]:
    """Find the fields of a section in which the tenant differs from what is built in."""
    return frozenset(_difference(section(), read(stored, section)))


def _check_fields(section: type[Section], names: Mapping[str, Any] | list[str]) -> None:
    if section.decided_by is not DecidedBy.TENANT:
        raise NotOverridable("is decided by the platform", field=section.key)
    for name in names:
        if name not in section.model_fields:
            raise NotOverridable(
                f"no such field; there are {', '.join(section.model_fields)}",
                field=f"{section.key}.{name}",
            )


def _validated(section: type[S], values: Mapping[str, Any]) -> S:
    try:
        return section.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        info = section.model_fields.get(name)
        raise InvalidSetting(
            str(first["msg"]).removeprefix("Value error, "),
            field=".".join((section.key, *map(str, first["loc"]))),
            example=f"{name}={info.get_default()}" if info else "",
        ) from error


def _difference(before: Section, after: Section) -> list[str]:
    old, new = before.model_dump(), after.model_dump()
    return sorted(name for name in new if new[name] != old[name])


async def _write(db: Connection, after: Section, stored: Mapping[str, Any]) -> None:
    """Store what differs from the built-in values; what a later release knows stays as it is."""
    values = after.model_dump(mode="json")
    own = {name: values[name] for name in _difference(type(after)(), after)}
    unknown = {name: value for name, value in stored.items() if name not in values}
    await store.write(db, after.key, {**unknown, **own})


async def _note(
    db: Connection, event: str, section: type[Section], actor: Actor, changed: list[str]
) -> None:
    details = {"changed": changed}
    await audit.record(
        db, Event(event, actor, target_type="config", target_id=section.key, metadata=details)
    )
    await raise_version(db, "settings")
