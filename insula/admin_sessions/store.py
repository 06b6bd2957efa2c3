"""All SQL on admin_sessions."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from insula.tenancy.db import Connection, Row, Tenant, statement

#: One trip: the session, the person and their roles as they are now, and that they were here.
_READ = statement("""
    with live as (
      select s.id, s.user_id, s.amr, s.created_at, s.last_seen_at, s.proved_at, s.idle_expires_at,
             s.absolute_expires_at, u.username, u.email, u.display_name
        from insula.admin_sessions s
        join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id
        join insula.tenants t on t.id = s.tenant_id
       where s.tenant_id = %(tenant_id)s and s.token_hash = %(token_hash)s and s.audience = 'admin'
         and s.ended_at is null and s.idle_expires_at > now() and s.absolute_expires_at > now()
         and t.status = 'active' and s.created_at > t.access_ended_at
         and u.status = 'active' and (u.locked_until is null or u.locked_until <= now())
    ), seen as (
      update insula.admin_sessions x
         set last_seen_at = now(),
             idle_expires_at = least(now() + %(idle)s, x.absolute_expires_at)
        from live
       where x.tenant_id = %(tenant_id)s and x.id = live.id
         and live.last_seen_at < now() - interval '1 minute'
      returning x.id
    )
    select live.id, live.user_id, live.amr, live.username, live.email, live.display_name,
           live.created_at, live.idle_expires_at,
           live.proved_at > now() - %(sudo)s as is_proved,
           exists (select from seen) as is_renewed,
           array(select r.role from insula.user_roles r
                  where r.tenant_id = %(tenant_id)s and r.user_id = live.user_id) as roles
      from live
""")


async def read(
    tenant: Tenant, token_hash: bytes, *, idle: timedelta, sudo: timedelta
) -> Row | None:
    rows = await tenant.once(_READ, {"token_hash": token_hash, "idle": idle, "sudo": sudo})
    return rows[0] if rows else None


async def insert(db: Connection, values: dict[str, Any]) -> bool:
    """
    Begin a session; False if the person is not who was proved any more, or the tenant is closed.

    The person is held, so that whoever changes them meanwhile comes before or after this.
    """
    row = (
        await db.execute(
            text("""
                with proved as materialized (
                  select u.id from insula.users u
                   where u.id = :user_id and u.status = 'active'
                     and (u.locked_until is null or u.locked_until <= now())
                     and u.password_hash = cast(:password_hash as text)
                     for no key update
                )
                insert into insula.admin_sessions
                  (id, token_hash, user_id, amr, ip, user_agent, idle_expires_at,
                   absolute_expires_at, sweep_after)
                select :id, :token_hash, proved.id, :amr, cast(:ip as inet), :user_agent,
                       now() + least(cast(:idle as interval), cast(:absolute as interval)),
                       now() + cast(:absolute as interval),
                       now() + cast(:absolute as interval) + interval '1 day'
                  from proved, insula.tenants t
                 where t.id = insula.current_tenant() and t.status = 'active'
                returning id
            """),
            values,
        )
    ).one_or_none()
    return row is not None


async def end(db: Connection, token_hash: bytes, why: str) -> Row | None:
    """End a session by its token; whose it was."""
    return (
        await db.execute(
            text("""
                update insula.admin_sessions set ended_at = now(), ended_for = :why
                 where token_hash = :token_hash and ended_at is null returning id, user_id
            """),
            {"token_hash": token_hash, "why": why},
        )
    ).one_or_none()


async def prove(db: Connection, session_id: UUID, user_id: UUID, token_hash: bytes) -> bool:
    """
    Write down that the session's person has just proved themselves; False if it has ended.

    It goes on under a new token.
    """
    result = await db.execute(
        text("""
            update insula.admin_sessions set proved_at = now(), token_hash = :token_hash
             where id = :id and user_id = :user_id and ended_at is null
               and idle_expires_at > now() and absolute_expires_at > now()
        """),
        {"id": session_id, "user_id": user_id, "token_hash": token_hash},
    )
    return result.rowcount > 0
