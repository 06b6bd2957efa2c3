"""All SQL of a tenant's end; over the platform's door."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from insula.deletion.models import SLUG_RESERVED_DAYS, Deletion
from insula.tenancy.db import Connection, Row

_COLUMNS = """
    d.id, d.subject, d.slug, d.display_name, d.reason, d.requested_by, d.requested_at, d.due_at,
    d.undone_at, d.started_at, d.paused_at, d.finished_at, d.estimate, d.deleted, d.certificate,
    d.slug_free_at
"""


def _deletion(row: Row | None) -> Deletion | None:
    return Deletion(**row._mapping) if row is not None else None  # noqa: SLF001  (SQLAlchemy's name for it)


async def insert(
    db: Connection, tenant: Row, reason: str, requested_by: Mapping[str, Any], grace_days: int
) -> datetime:
    """Write down that a tenant is to go; when it is due."""
    due: datetime = (
        await db.execute(
            text("""
                insert into insula.deletions
                  (subject, slug, display_name, status_before, reason, requested_by, due_at)
                values (:subject, :slug, :name, :status, :reason, cast(:by as jsonb),
                        now() + make_interval(days => :days))
                returning due_at
            """),
            {
                "subject": tenant.id,
                "slug": tenant.slug,
                "name": tenant.display_name,
                "status": tenant.status,
                "reason": reason,
                "by": json.dumps(requested_by),
                "days": grace_days,
            },
        )
    ).scalar_one()
    return due


async def status_before(db: Connection, deletion: UUID) -> str:
    found: str = (
        await db.execute(
            text("select status_before from insula.deletions where id = :id"), {"id": deletion}
        )
    ).scalar_one()
    return found


async def open_of(db: Connection, subject: UUID) -> Deletion | None:
    """The deletion of a tenant that is neither undone nor finished; held."""
    return _deletion(
        (
            await db.execute(
                text(f"""
                    select {_COLUMNS} from insula.deletions d
                     where d.subject = :subject and d.undone_at is null and d.finished_at is null
                       for no key update
                """),  # noqa: S608  (columns of this module)
                {"subject": subject},
            )
        ).one_or_none()
    )


async def newest_of(db: Connection, slug: str) -> Deletion | None:
    """The latest deletion of a tenant that has or had the slug."""
    return _deletion(
        (
            await db.execute(
                text(f"""
                    select {_COLUMNS} from insula.deletions d
                     where d.slug = :slug order by d.requested_at desc limit 1
                """),  # noqa: S608  (columns of this module)
                {"slug": slug},
            )
        ).one_or_none()
    )


async def page(db: Connection, before: tuple[datetime, UUID] | None, limit: int) -> list[Deletion]:
    """Deletions, newest first; *before* is the last of the page before."""
    at, id_ = before or (None, None)
    rows = await db.execute(
        text(f"""
            select {_COLUMNS} from insula.deletions d
             where cast(:at as timestamptz) is null
                or (d.requested_at, d.id) < (cast(:at as timestamptz), cast(:id as uuid))
             order by d.requested_at desc, d.id desc limit :limit
        """),  # noqa: S608  (columns of this module)
        {"at": at, "id": id_, "limit": limit},
    )
    return [Deletion(**row._mapping) for row in rows]  # noqa: SLF001  (SQLAlchemy's name for it)


async def mark(db: Connection, deletion: UUID, column: str) -> None:
    """Set one of the moments to now."""
    assert column in ("undone_at", "started_at", "paused_at")  # noqa: S101  (callers are ours)
    await db.execute(
        text(f"update insula.deletions set {column} = clock_timestamp() where id = :id"),  # noqa: S608  (one of three)
        {"id": deletion},
    )


async def unpause(db: Connection, deletion: UUID) -> None:
    await db.execute(
        text("update insula.deletions set paused_at = null where id = :id"), {"id": deletion}
    )


async def due(db: Connection, limit: int) -> Sequence[UUID]:
    """Tenants whose purge is due, and those that nobody has worked at for two minutes."""
    rows = await db.execute(
        text("""
            select d.subject from insula.deletions d
             where d.undone_at is null and d.finished_at is null and d.paused_at is null
               and d.due_at <= now()
               and (d.worked_at is null or d.worked_at < now() - interval '2 minutes')
             order by d.due_at limit :limit
        """),
        {"limit": limit},
    )
    return [row.subject for row in rows]


async def is_due(db: Connection, deletion: UUID) -> bool:
    found: bool = (
        await db.execute(
            text("select due_at <= now() from insula.deletions where id = :id"), {"id": deletion}
        )
    ).scalar_one()
    return found


async def tables(db: Connection) -> list[str]:
    """Every table of tenants, the data key first, then children before what they point at."""
    rows = (
        await db.execute(
            text("""
                select c.relname as name,
                       (select coalesce(array_agg(distinct p.relname), '{}')
                          from pg_constraint k join pg_class p on p.oid = k.confrelid
                         where k.conrelid = c.oid and k.contype = 'f'
                           and p.relnamespace = c.relnamespace and p.oid <> c.oid) as parents
                  from pg_class c
                  join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
                 where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
                   and not c.relispartition and not a.attisdropped
                 order by c.relname
            """)
        )
    ).all()
    parents = {row.name: set(row.parents) for row in rows}
    order = ["tenant_data_keys"]
    left = [name for name in parents if name not in order]
    while left:
        free = [n for n in left if not any(n in parents[m] for m in left if m != n)]
        order += free or left
        left = [name for name in left if name not in order]
    return order


async def estimate(db: Connection, subject: UUID, deletion: UUID, names: Sequence[str]) -> None:
    """Count what there is, each table no further than 100,000, and write it down."""
    found: dict[str, int] = {}
    for name in names:
        found[name] = (
            await db.execute(
                text("select insula.purge_estimate(:subject, :name, 100000)"),
                {"subject": subject, "name": name},
            )
        ).scalar_one()
    await db.execute(
        text("update insula.deletions set estimate = cast(:found as jsonb) where id = :id"),
        {"found": json.dumps(found), "id": deletion},
    )


async def data_key(db: Connection) -> str | None:
    """The id of the bound tenant's data key."""
    found = await db.scalar(text("select id from insula.tenant_data_keys"))
    return str(found) if found else None


async def purge(db: Connection, subject: UUID, deletion: UUID, table: str, batch: int) -> int:
    """Take some rows and count them; how many."""
    n: int = (
        await db.execute(
            text("select insula.purge_rows(:subject, :table, :batch)"),
            {"subject": subject, "table": table, "batch": batch},
        )
    ).scalar_one()
    if n:
        await db.execute(
            text("""
                update insula.deletions
                   set worked_at = clock_timestamp(), deleted = deleted || jsonb_build_object(
                         cast(:table as text), coalesce((deleted ->> :table)::bigint, 0) + :n)
                 where id = :id
            """),
            {"id": deletion, "table": table, "n": n},
        )
    return n


async def purge_tenant(db: Connection, subject: UUID) -> bool:
    """Take the line of the registry; False while any row of the tenant is left."""
    gone: bool = (
        await db.execute(text("select insula.purge_tenant(:subject)"), {"subject": subject})
    ).scalar_one()
    return gone


async def finish(db: Connection, deletion: UUID, certificate: str) -> None:
    await db.execute(
        text("""
            update insula.deletions
               set finished_at = now(), certificate = :certificate,
                   slug_free_at = now() + make_interval(days => :days)
             where id = :id
        """),
        {"id": deletion, "certificate": certificate, "days": SLUG_RESERVED_DAYS},
    )
