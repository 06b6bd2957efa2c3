"""The saves of before: who, when, why, what; and the way back, as a new save (features.md J03)."""

from collections.abc import Iterable

from insula.config_overrides import store
from insula.config_overrides.errors import VersionUnknown
from insula.config_overrides.marks import Version
from insula.config_overrides.saving import Saving, Scope, version_of
from insula.config_overrides.service import replace_all
from insula.kernel.settings import Section
from insula.tenancy.db import Connection


async def versions(
    db: Connection, *, scope: Scope = "tenant", before: int | None = None, limit: int = 50
) -> list[Version]:
    """The bound tenant's saves, newest first; *before* a number, for the next page."""
    return [version_of(row) for row in await store.versions(db, scope, before, limit)]


async def version(db: Connection, number: int, *, scope: Scope = "tenant") -> Version:
    """One save. Raises `VersionUnknown`."""
    row = await store.version(db, scope, number)
    if row is None:
        raise VersionUnknown("There is no such version, or it is not kept any more.")
    return version_of(row)


async def restore(
    db: Connection, sections: Iterable[type[Section]], number: int, saving: Saving
) -> list[str]:
    """
    Decide again what a version had, within today's bounds; what changed by it.

    Fields that this release does not know stay as they are. Raises `VersionUnknown` and what a
    save raises.
    """
    known = {section.key: section for section in sections}
    snapshot = (await version(db, number)).snapshot
    document = {
        key: {name: v for name, v in values.items() if name in known[key].model_fields}
        for key, values in snapshot.items()
        if key in known
    }
    return await replace_all(db, known.values(), document, saving, act="config.rolled_back")
