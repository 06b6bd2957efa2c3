"""All SQL on activation_links."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from insula.tenancy.db import Connection, Row, Tenant, statement

_LIVE = """l.used_at is null and l.ended_at is null and l.expires_at > now()
       and l.created_at > (select t.access_ended_at from insula.tenants t where t.id = l.tenant_id)"""

_FIND = statement(f"""
    select l.user_id from insula.activation_links l
      join insula.users u on u.tenant_id = l.tenant_id and u.id = l.user_id
     where l.tenant_id = %(tenant_id)s and l.token_hash = %(token_hash)s and {_LIVE}
       and u.status = 'active' and (u.locked_until is null or u.locked_until <= now())
""")  # noqa: S608  (words of ours)


async def find(tenant: Tenant, token_hash: bytes) -> UUID | None:
    """Whose living link this is."""
    rows = await tenant.once(_FIND, {"token_hash": token_hash})
    return rows[0].user_id if rows else None


async def owner(db: Connection, token_hash: bytes) -> UUID | None:
    """Whose link this is or was."""
    found: UUID | None = await db.scalar(
        text("select user_id from insula.activation_links where token_hash = :token_hash"),
        {"token_hash": token_hash},
    )
    return found


async def spend(db: Connection, token_hash: bytes) -> Row | None:
    """Use a link, which only one of all who try can do; None for the others."""
    return (
        await db.execute(
            text(f"""
                update insula.activation_links l set used_at = now()
                 where l.token_hash = :token_hash and {_LIVE}
                returning l.id, l.user_id, l.mailed
            """),  # noqa: S608  (words of ours)
            {"token_hash": token_hash},
        )
    ).one_or_none()


async def end(db: Connection, user_id: UUID, why: str) -> None:
    """End the living link of somebody, if there is one."""
    await db.execute(
        text("""
            update insula.activation_links set ended_at = now(), ended_for = :why
             where user_id = :user_id and used_at is null and ended_at is null
        """),
        {"user_id": user_id, "why": why},
    )


async def end_of_role(db: Connection, role: str, why: str) -> None:
    """End the living links of all who hold a role."""
    await db.execute(
        text("""
            update insula.activation_links l set ended_at = now(), ended_for = :why
             where l.used_at is null and l.ended_at is null
               and exists (select from insula.user_roles r
                            where r.tenant_id = l.tenant_id and r.user_id = l.user_id
                              and r.role = :role)
        """),
        {"role": role, "why": why},
    )


async def insert(
    db: Connection, token_hash: bytes, user_id: UUID, life: timedelta, *, mailed: bool
) -> Row:
    return (
        await db.execute(
            text("""
                insert into insula.activation_links
                  (token_hash, user_id, mailed, expires_at, sweep_after)
                values (:token_hash, :user_id, :mailed, now() + :life,
                        now() + :life + interval '7 days')
                returning id, expires_at
            """),
            {"token_hash": token_hash, "user_id": user_id, "mailed": mailed, "life": life},
        )
    ).one()


async def pending(db: Connection, user_ids: Collection[UUID]) -> dict[UUID, datetime | None]:
    """Who of these has no password yet, and until when a link of theirs lives."""
    rows = await db.execute(
        text(f"""
            select u.id, l.expires_at from insula.users u
              left join insula.activation_links l
                on l.tenant_id = u.tenant_id and l.user_id = u.id and {_LIVE}
             where u.id = any(:ids) and u.password_hash is null
        """),  # noqa: S608  (words of ours)
        {"ids": list(user_ids)},
    )
    return {row.id: row.expires_at for row in rows}
