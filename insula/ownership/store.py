"""All SQL on owned_objects."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from insula.tenancy.db import Connection, Row


async def every(db: Connection) -> Sequence[Row]:
    rows = await db.execute(
        text("select part, name, owned from insula.owned_objects order by part, name")
    )
    return rows.all()


async def some(db: Connection, part: str, names: Sequence[str]) -> Sequence[Row]:
    rows = await db.execute(
        text("""
            select part, name, owned from insula.owned_objects
             where part = :part and name = any(:names) order by name
        """),
        {"part": part, "names": list(names)},
    )
    return rows.all()


async def put(db: Connection, part: str, owned: Mapping[str, Mapping[str, Any]]) -> None:
    """Write whose these are, by name."""
    await db.execute(
        text("""
            insert into insula.owned_objects (part, name, owned)
            select :part, o.key, o.value from jsonb_each(cast(:owned as jsonb)) o
            on conflict (tenant_id, part, name) do update set owned = excluded.owned
        """),
        {"part": part, "owned": json.dumps(owned)},
    )


async def keep_only(db: Connection, part: str, names: Sequence[str]) -> None:
    """Everything else of the part is nobody's."""
    await db.execute(
        text("delete from insula.owned_objects where part = :part and name <> all(:names)"),
        {"part": part, "names": list(names)},
    )
