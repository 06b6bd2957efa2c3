"""All SQL that writes the registry, over the platform's door; login domains stand in `hosts`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from insula.tenancy.db import Connection, Row


async def insert(
    db: Connection, slug: str, display_name: str, *, protected: bool = False
) -> UUID | None:
    """The new tenant's id; None if the slug is taken, or not free yet after a deletion."""
    try:
        async with db.begin_nested():
            new: UUID | None = (
                await db.execute(
                    text("""
                        insert into insula.tenants (id, slug, display_name, protected)
                        select gen_random_uuid(), :slug, :name, :protected
                         where not exists (select from insula.deletions d
                                            where d.slug = :slug and d.slug_free_at > now())
                        returning id
                    """),
                    {"slug": slug, "name": display_name, "protected": protected},
                )
            ).scalar_one_or_none()
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return None
    return new


async def slug_free_at(db: Connection, slug: str) -> datetime | None:
    """When the slug of a deleted tenant may be given again; None if no deletion keeps it."""
    found: datetime | None = await db.scalar(
        text("""
            select max(slug_free_at) from insula.deletions
             where slug = :slug and slug_free_at > now()
        """),
        {"slug": slug},
    )
    return found


async def lock(db: Connection, slug: str) -> Row | None:
    return (
        await db.execute(
            text("""
                select id, slug, display_name, status, protected, version, created_at, updated_at
                  from insula.tenants where slug = :slug for update
            """),
            {"slug": slug},
        )
    ).one_or_none()


async def hosts_of(db: Connection, ids: Sequence[UUID]) -> Sequence[Row]:
    """The login domains of these tenants, bound or not."""
    rows = await db.execute(
        text("""
            select tenant_id, host, is_primary, created_at from insula.hosts_of(:ids)
             order by host
        """),
        {"ids": list(ids)},
    )
    return rows.all()


async def find(db: Connection, slug: str) -> Row | None:
    return (
        await db.execute(
            text("""
                select id, slug, display_name, status, protected, created_at, updated_at
                  from insula.tenants where slug = :slug
            """),
            {"slug": slug},
        )
    ).one_or_none()


async def touch(db: Connection, tenant_id: UUID) -> None:
    """Note that something of the tenant was saved."""
    await db.execute(
        text("update insula.tenants set updated_at = now() where id = :id"), {"id": tenant_id}
    )


async def set_status(db: Connection, tenant_id: UUID, status: str) -> None:
    await db.execute(
        text("""
            update insula.tenants
               set status = :status, updated_at = now(),
                   access_ended_at = case when :status = 'active' then access_ended_at
                                          else clock_timestamp() end
             where id = :id
        """),
        {"status": status, "id": tenant_id},
    )


async def set_display_name(db: Connection, tenant_id: UUID, name: str) -> None:
    await db.execute(
        text("update insula.tenants set display_name = :name, updated_at = now() where id = :id"),
        {"name": name, "id": tenant_id},
    )


async def slug_of(db: Connection, tenant_id: UUID) -> str | None:
    slug: str | None = await db.scalar(
        text("select slug from insula.tenants where id = :id"), {"id": tenant_id}
    )
    return slug


async def bound_and_home(db: Connection, home: str) -> tuple[UUID, UUID | None]:
    """The bound tenant, and the one whose slug is *home*."""
    row = (
        await db.execute(
            text("""
                select insula.current_tenant() as bound,
                       (select id from insula.tenants where slug = :home) as home
            """),
            {"home": home},
        )
    ).one()
    return row.bound, row.home


async def page(db: Connection, after: str, limit: int) -> Sequence[Row]:
    return (
        await db.execute(
            text("""
                select id, slug, display_name, status, protected, version, created_at
                  from insula.tenants where slug > :after order by slug limit :limit
            """),
            {"after": after, "limit": limit},
        )
    ).all()


async def end_sessions(db: Connection, batch: int) -> int:
    """End some of the bound tenant's sessions that its suspension put an end to; how many."""
    rows = await db.execute(
        text("""
            with ended as (
              update insula.sessions s set ended_at = now(), ended_for = 'tenant_suspended'
                from (select x.id from insula.sessions x, insula.tenants t
                       where t.id = x.tenant_id and x.ended_at is null
                         and x.created_at <= t.access_ended_at
                         and x.idle_expires_at > now() and x.absolute_expires_at > now()
                       limit :batch) due
               where s.id = due.id and s.ended_at is null
              returning s.sid)
            select sid from ended
        """),
        {"batch": batch},
    )
    sids = [row.sid for row in rows]
    if sids:
        await db.execute(text("select insula.announce_logout(:sids)"), {"sids": sids})
    return len(sids)


async def announce_logouts(db: Connection, tenant_id: UUID) -> None:
    """Let the worker end the sessions of the bound tenant one by one, and tell its clients."""
    await db.execute(
        text("select insula.enqueue_job('logout.announce_all', 'default', '{}', now(), :once)"),
        {"once": f"logout.announce_all:{tenant_id}"},
    )
