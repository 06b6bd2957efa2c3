"""All SQL on tenant_days and platform_days."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from insula.tenancy.db import Connection, Row

#: In the order of the key, so that two processes cannot wait for each other.
_ADD = text("""
    insert into insula.tenant_days as d (client_id, day, what, n, last_at, sweep_after)
    select r.client, r.day, r.what, r.n, to_timestamp(r.at), r.day + make_interval(days => :kept + 1)
      from jsonb_to_recordset(cast(:rows as jsonb))
           as r(client uuid, day date, what text, n bigint, at float8)
     where exists (select from insula.tenants t where t.id = insula.current_tenant())
     order by r.client, r.day, r.what
    on conflict (tenant_id, client_id, day, what) do update
       set n = d.n + excluded.n, last_at = greatest(d.last_at, excluded.last_at)
""")

_ADD_TO_PLATFORM = text("""
    insert into insula.platform_days as d (day, what, n)
    select r.day, r.what, r.n
      from jsonb_to_recordset(cast(:rows as jsonb)) as r(day date, what text, n bigint)
     order by r.day, r.what
    on conflict (day, what) do update set n = d.n + excluded.n
""")


async def add(db: Connection, rows: Sequence[Mapping[str, Any]], kept_days: int) -> None:
    """Add to the counts of the bound tenant; to nothing where it is gone."""
    await db.execute(_ADD, {"rows": json.dumps(rows), "kept": kept_days})


async def add_to_platform(db: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    await db.execute(_ADD_TO_PLATFORM, {"rows": json.dumps(rows)})


async def id_of(db: Connection, slug: str) -> UUID | None:
    found: UUID | None = await db.scalar(
        text("select id from insula.tenants where slug = :slug"), {"slug": slug}
    )
    return found


async def of_tenant(db: Connection, since: date, what: Sequence[str]) -> Sequence[Row]:
    rows = await db.execute(
        text("""
            select day, what, n from insula.tenant_days
             where client_id is null and day >= :since and what = any(:what)
        """),
        {"since": since, "what": list(what)},
    )
    return rows.all()


async def of_client(db: Connection, client: UUID, since: date) -> Sequence[Row]:
    rows = await db.execute(
        text("""
            select day, what, n, last_at from insula.tenant_days
             where client_id = :client and day >= :since order by day, what
        """),
        {"client": client, "since": since},
    )
    return rows.all()


async def of_platform(db: Connection, since: date, what: Sequence[str]) -> Sequence[Row]:
    rows = await db.execute(
        text("""
            select day, what, n from insula.platform_days
             where day >= :since and what = any(:what)
        """),
        {"since": since, "what": list(what)},
    )
    return rows.all()
