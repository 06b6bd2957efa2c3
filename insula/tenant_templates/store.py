"""All SQL on tenant_templates."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from insula.tenancy.db import Connection, Row

#: How many versions are kept of each.
KEPT = 50

_COLUMNS = "name, version, description, settings, saved_by, saved_at"
_FROM = f"{_COLUMNS} from insula.tenant_templates"
_READ = f"select {_FROM}"
_NEWEST = f"select distinct on (name) {_FROM}"


async def newest(db: Connection, limit: int) -> Sequence[Row]:
    """The present version of each template, by name."""
    return (
        await db.execute(
            text(f"{_NEWEST} order by name, version desc limit :limit"),
            {"limit": limit},
        )
    ).all()


async def versions(db: Connection, name: str) -> Sequence[Row]:
    """Every version that is kept of one, newest first."""
    return (
        await db.execute(
            text(f"{_READ} where name = :name order by version desc limit {KEPT}"),
            {"name": name},
        )
    ).all()


async def find(db: Connection, name: str, version: int | None) -> Row | None:
    """One version, the newest unless it is named."""
    return (
        await db.execute(
            text(f"""
                {_READ}
                 where name = :name and (cast(:version as bigint) is null or version = :version)
                 order by version desc limit 1
            """),
            {"name": name, "version": version},
        )
    ).one_or_none()


async def insert(  # noqa: PLR0913  (its columns)
    db: Connection,
    *,
    name: str,
    version: int,
    description: str,
    settings: Mapping[str, Any],
    saved_by: Mapping[str, Any],
) -> None:
    """Write a version, and forget the oldest."""
    await db.execute(
        text("""
            insert into insula.tenant_templates (name, version, description, settings, saved_by)
            values (:name, :version, :description, cast(:settings as jsonb), cast(:saved_by as jsonb))
        """),
        {
            "name": name,
            "version": version,
            "description": description,
            "settings": json.dumps(settings),
            "saved_by": json.dumps(saved_by),
        },
    )
    await db.execute(
        text("delete from insula.tenant_templates where name = :name and version <= :oldest"),
        {"name": name, "oldest": version - KEPT},
    )


async def delete(db: Connection, name: str) -> int:
    """Delete every version of one; how many there were."""
    done = await db.execute(
        text("delete from insula.tenant_templates where name = :name"), {"name": name}
    )
    return done.rowcount
