"""
What needs attention: which tenants, what it is, and the list that begins with them.

That list is put together of parts, each of them by slug: those in which something is wrong, then
by status. So each part is a range of an index, whatever the number of tenants, and a place in the
list is a part and a slug.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from insula.registry import store
from insula.registry.errors import CursorInvalid
from insula.registry.models import Ailment, Cursor, Filter, TenantLine
from insula.tenancy.db import Connection, Platform

#: How many of each kind come first; if they are more, the rest stand where their slugs put them.
MOST: Final = 200
_IN_NEED: Final = "need"
_THEN: Final = ("deleting", "suspended", "active", "archived")
_NOBODY: Final = UUID(int=0)


async def ailments(platform: Platform, lines: Sequence[TenantLine]) -> dict[UUID, list[Ailment]]:
    """What is wrong in the tenants of a page: of each the worst first."""
    async with platform.transaction() as db:
        rows = await store.ailments(db, [line.id for line in lines])
    found: dict[UUID, list[Ailment]] = {}
    for row in rows:
        ailment = Ailment(row.host, row.is_primary, row.has_lapsed)
        found.setdefault(row.tenant_id, []).append(ailment)
    return {tenant: sorted(some, key=_mildness) for tenant, some in found.items()}


def _mildness(ailment: Ailment) -> tuple[bool, bool]:
    """A late key stops all sign-ins once it is too late, a primary domain those of its tenant."""
    return (ailment.host is not None, not ailment.is_primary)


async def page(
    db: Connection, wanted: Filter, cursor: Cursor | None, limit: int, need: Sequence[UUID]
) -> list[TenantLine]:
    """As `store.page`, of one part after the other. Raises `CursorInvalid`."""
    parts = _parts(wanted)
    backwards = cursor is not None and cursor.backwards
    end = Cursor(store.LAST, _NOBODY, backwards=True) if backwards else None
    if cursor is not None:
        name, _, slug = cursor.mark.partition(":")
        if name not in parts:
            raise CursorInvalid
        at = parts.index(name)
        parts = parts[at::-1] if backwards else parts[at:]
        cursor = replace(cursor, mark=slug)
    lines: list[TenantLine] = []
    for part in parts:
        if len(lines) == limit:
            break
        of_part = replace(wanted, sort="slug", in_need=part == _IN_NEED)
        if part != _IN_NEED:
            of_part = replace(of_part, statuses=(part,))
        found = await store.page(db, of_part, cursor, limit - len(lines), need)
        lines += [replace(line, mark=f"{part}:{line.slug}") for line in found]
        cursor = end
    return lines


def _parts(wanted: Filter) -> list[str]:
    statuses = [] if wanted.in_need else [each for each in _THEN if each in wanted.statuses]
    return [_IN_NEED, *statuses]
