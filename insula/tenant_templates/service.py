"""
Making, reading and using templates.

All of it happens over the platform's door: what changes one in a transaction that is bound to
`_platforms`, what uses one in that of the tenant's birth.
"""

from typing import Any, Final

from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.config_overrides import service as config_overrides
from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.errors import VersionConflict
from insula.config_overrides.models import Stored
from insula.config_overrides.saving import Saving
from insula.tenancy.db import Connection, Row
from insula.tenant_templates import store
from insula.tenant_templates.errors import (
    InvalidTemplate,
    NameTaken,
    NoSuchTemplate,
    UnknownTemplate,
)
from insula.tenant_templates.models import (
    Choice,
    Template,
    check_description,
    check_name,
    check_settings,
)

#: How many there may be, so that a form can list them.
MOST: Final = 200


def _template(row: Row) -> Template:
    return Template(
        row.name, row.version, row.description, row.settings, row.saved_by, row.saved_at
    )


async def list_all(db: Connection) -> list[Template]:
    """Every template as it is now, by name."""
    return [_template(row) for row in await store.newest(db, MOST)]


async def versions(db: Connection, name: str) -> list[Template]:
    """The saves of one, newest first. Raises `NoSuchTemplate`."""
    rows = await store.versions(db, name)
    if not rows:
        raise NoSuchTemplate("There is no template of that name.")
    return [_template(row) for row in rows]


async def get(db: Connection, name: str, version: int | None = None) -> Template:
    """One template as it is, or as a version of it was. Raises `NoSuchTemplate`."""
    row = await store.find(db, name, version)
    if row is None:
        raise NoSuchTemplate("There is no template of that name and version.")
    return _template(row)


async def create(  # noqa: PLR0913  (each by its name)
    db: Connection,
    catalogue: Catalogue,
    name: str,
    settings: Stored,
    *,
    description: str = "",
    actor: Actor,
) -> Template:
    """Make one. Raises `InvalidTemplate`, `NameTaken`, and what `check_settings` does."""
    check_name(name)
    await config_overrides.hold(db)
    if await store.find(db, name, None) is not None:
        raise NameTaken("There is a template of that name.")
    if len(await store.newest(db, MOST)) >= MOST:
        raise InvalidTemplate(f"There may be {MOST} templates; delete one first", field="name")
    return await _save(db, catalogue, name, 1, settings, description, actor)


async def replace(  # noqa: PLR0913  (each by its name)
    db: Connection,
    catalogue: Catalogue,
    name: str,
    settings: Stored,
    *,
    description: str = "",
    expected: int | None = None,
    actor: Actor,
) -> Template:
    """
    Save a new version of one; *expected* is the version that was read, None not to compare.

    Nothing is saved when nothing differs. Raises `NoSuchTemplate`, `VersionConflict`,
    `InvalidTemplate`, and what `check_settings` does.
    """
    await config_overrides.hold(db)
    before = await get(db, name)
    if expected is not None and expected != before.version:
        raise VersionConflict(None)
    wanted = (check_settings(catalogue, settings), check_description(description))
    if wanted == (before.settings, before.description):
        return before
    return await _save(db, catalogue, name, before.version + 1, settings, description, actor)


async def _save(  # noqa: PLR0913  (what a version is made of)
    db: Connection,
    catalogue: Catalogue,
    name: str,
    version: int,
    settings: Stored,
    description: str,
    actor: Actor,
) -> Template:
    await store.insert(
        db,
        name=name,
        version=version,
        description=check_description(description),
        settings=check_settings(catalogue, settings),
        saved_by={"type": actor.type, "id": actor.id},
    )
    await _record(db, name, actor, version=version)
    return await get(db, name)


async def delete(db: Connection, name: str, actor: Actor) -> None:
    """
    Delete a template with its versions; tenants that were founded from it stay as they are.

    Raises `NoSuchTemplate`.
    """
    if not await store.delete(db, name):
        raise NoSuchTemplate("There is no template of that name.")
    await _record(db, name, actor, deleted=True)


async def endow(db: Connection, choice: Choice, actor: Actor) -> None:
    """
    Give a tenant, in the transaction of its birth, what a template says, within today's bounds.

    Raises `UnknownTemplate`, and what a save raises.
    """
    row = await store.find(db, choice.name, None)
    if row is None:
        raise UnknownTemplate
    template = _template(row)
    saving = Saving(actor, f"template {template.label}", template=template.label)
    await config_overrides.replace_all(
        db, choice.catalogue.of_tenants(), template.settings, saving, act="config.updated"
    )


async def _record(db: Connection, name: str, actor: Actor, **details: Any) -> None:  # noqa: ANN401  (facts of an event)
    await audit.record(
        db, Event("config.updated", actor, target_type="template", target_id=name, metadata=details)
    )
