"""SQL on sessions and grants, as administrators ask it."""

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import text

from insula.sign_in.administration.models import GrantsWanted, SessionsWanted
from insula.tenancy.db import Connection, Row

#: So many rows are looked through for one page, however seldom one matches (CR-9).
WINDOW = 10_000

_ALIVE = """(s.ended_at is null and s.idle_expires_at > now() and s.absolute_expires_at > now()
      and s.created_at > (select t.access_ended_at from insula.tenants t where t.id = s.tenant_id))"""

_SESSION = f"""s.id, s.user_id, u.username, host(s.ip) as ip, s.user_agent, s.created_at, s.last_seen_at,
    s.auth_time, s.amr, s.acr, nullif(least(s.idle_expires_at, s.absolute_expires_at), 'infinity') as expires_at,
    {_ALIVE} as active, s.ended_at, s.ended_for,
    array(select c.client_id from insula.session_clients sc
            join insula.clients c on c.tenant_id = sc.tenant_id and c.id = sc.client_id
           where sc.sid = s.sid order by sc.created_at limit 100) as clients"""  # noqa: S608  (names of ours)

_SESSIONS = f"""(select * from insula.sessions
     where (cast(:user as uuid) is null or user_id = :user)
       and (cast(:after as uuid) is null or id > :after) order by id limit :window) s
  join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id
 where (cast(:ip as inet) is null or s.ip = cast(:ip as inet))
   and (cast(:active as boolean) is null or {_ALIVE} = :active)
   and (cast(:client as uuid) is null
        or exists (select from insula.session_clients sc
                    where sc.sid = s.sid and sc.client_id = :client))"""  # noqa: S608  (names of ours)

_ALLOWED = "(g.revoked_at is null and g.expires_at > now())"

_GRANT = f"""g.id, g.user_id, u.username, g.client_id as client, c.client_id, c.name as client_name,
    g.scopes, g.granted_at, g.expires_at, g.revoked_at, {_ALLOWED} as active"""

_OWNERS = """
  join insula.users u on u.tenant_id = g.tenant_id and u.id = g.user_id
  join insula.clients c on c.tenant_id = g.tenant_id and c.id = g.client_id"""

_GRANTS = f"""(select * from insula.grants
     where (cast(:user as uuid) is null or user_id = :user)
       and (cast(:after as uuid) is null or id > :after) order by id limit :window) g
  {_OWNERS}
 where (cast(:client as uuid) is null or g.client_id = :client)
   and (cast(:scope as text) is null or :scope = any(g.scopes))
   and (cast(:active as boolean) is null or {_ALLOWED} = :active)"""  # noqa: S608  (names of ours)

_ISSUE = """i.id, c.client_id, i.kind, i.scopes, i.created_at, i.revoked_at
  from insula.token_issues i join insula.clients c on c.tenant_id = i.tenant_id and c.id = i.client_id"""


async def sessions(
    db: Connection, wanted: SessionsWanted, *, after: UUID | None, limit: int
) -> Sequence[Row]:
    """Sessions by id among the next `WINDOW` after one."""
    params = {**asdict(wanted), "after": after, "window": WINDOW, "limit": limit}
    found = await db.execute(
        text(f"select {_SESSION} from {_SESSIONS} order by s.id limit :limit"),  # noqa: S608  (names of ours)
        params,
    )
    return found.all()


async def end_of_sessions(db: Connection, user: UUID | None, after: UUID | None) -> UUID | None:
    return await _end(db, "sessions", user, after)


async def end_of_grants(db: Connection, user: UUID | None, after: UUID | None) -> UUID | None:
    return await _end(db, "grants", user, after)


async def _end(db: Connection, table: str, user: UUID | None, after: UUID | None) -> UUID | None:
    """The last id that was looked at; None at the end."""
    last: UUID | None = await db.scalar(
        text(f"""
            select id from (select id, count(*) over () as n from (
                select id from insula.{table}
                 where (cast(:user as uuid) is null or user_id = :user)
                   and (cast(:after as uuid) is null or id > :after) order by id limit :window) w
              ) looked_at where n = :window order by id desc limit 1
        """),  # noqa: S608  (names of ours)
        {"user": user, "after": after, "window": WINDOW},
    )
    return last


async def session(db: Connection, session_id: UUID) -> Row | None:
    found = await db.execute(
        text(f"""
            select {_SESSION} from insula.sessions s
              join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id
             where s.id = :id
        """),  # noqa: S608  (names of ours)
        {"id": session_id},
    )
    return found.one_or_none()


async def issues_of_session(db: Connection, session_id: UUID, limit: int) -> Sequence[Row]:
    found = await db.execute(
        text(f"select {_ISSUE} where i.session_id = :id order by i.created_at desc limit :limit"),
        {"id": session_id, "limit": limit},
    )
    return found.all()


async def end_tokens_of_sessions(db: Connection, ids: Sequence[UUID], why: str) -> None:
    """Everything that was issued in these sessions ends, what may outlive one too."""
    await db.execute(
        text("""
            with due as (
              update insula.token_issues set revoked_at = now(), revoked_for = :why
               where session_id = any(:ids) and revoked_at is null
              returning tenant_id, id)
            update insula.refresh_families f set revoked_at = now(), revoked_for = :why
              from due where f.tenant_id = due.tenant_id and f.id = due.id and f.revoked_at is null
        """),
        {"ids": list(ids), "why": why},
    )


async def end_some_sessions(
    db: Connection, *, user: UUID | None, client: UUID | None, why: str, batch: int
) -> Sequence[UUID]:
    """End some living sessions of a person or that reached a client; which."""
    rows = await db.execute(
        text("""
            with due as (
              select s.id from insula.sessions s
               where s.ended_at is null
                 and (cast(:user as uuid) is null or s.user_id = :user)
                 and (cast(:client as uuid) is null
                      or s.sid in (select sc.sid from insula.session_clients sc
                                    where sc.client_id = :client))
               limit :batch
            ), ended as (
              update insula.sessions s set ended_at = now(), ended_for = :why
                from due where s.id = due.id and s.ended_at is null
              returning s.id, s.sid)
            select id, sid from ended
        """),
        {"user": user, "client": client, "why": why, "batch": batch},
    )
    ended = rows.all()
    if ended:
        await end_tokens_of_sessions(db, [row.id for row in ended], why)
        await db.execute(
            text("select insula.announce_logout(:sids)"), {"sids": [row.sid for row in ended]}
        )
    return [row.id for row in ended]


async def grants(
    db: Connection, wanted: GrantsWanted, *, after: UUID | None, limit: int
) -> Sequence[Row]:
    """Grants by id among the next `WINDOW` after one."""
    params = {**asdict(wanted), "after": after, "window": WINDOW, "limit": limit}
    found = await db.execute(
        text(f"select {_GRANT} from {_GRANTS} order by g.id limit :limit"),  # noqa: S608  (names of ours)
        params,
    )
    return found.all()


async def grant(db: Connection, grant_id: UUID) -> Row | None:
    found = await db.execute(
        text(f"select {_GRANT} from insula.grants g {_OWNERS} where g.id = :id"),  # noqa: S608  (names of ours)
        {"id": grant_id},
    )
    return found.one_or_none()


async def issues_of_grant(db: Connection, user: UUID, client: UUID, limit: int) -> Sequence[Row]:
    found = await db.execute(
        text(f"""
            select {_ISSUE} where i.user_id = :user and i.client_id = :client
             order by i.created_at desc limit :limit
        """),
        {"user": user, "client": client, "limit": limit},
    )
    return found.all()


async def revoke_some_grants(  # noqa: PLR0913  (each by its name)
    db: Connection,
    *,
    grant: UUID | None = None,
    user: UUID | None = None,
    client: UUID | None = None,
    why: str,
    batch: int,
) -> Sequence[Row]:
    """Take some permissions back with every token that came of them; which they were."""
    rows = await db.execute(
        text("""
            with due as (
              select id from insula.grants
               where revoked_at is null
                 and (cast(:grant as uuid) is null or id = :grant)
                 and (cast(:user as uuid) is null or user_id = :user)
                 and (cast(:client as uuid) is null or client_id = :client)
               limit :batch
            ), taken as (
              update insula.grants g set revoked_at = now()
                from due where g.id = due.id and g.revoked_at is null
              returning g.id, g.user_id, g.client_id
            ), issues as (
              update insula.token_issues i set revoked_at = now(), revoked_for = :why
                from taken where i.user_id = taken.user_id and i.client_id = taken.client_id
                 and i.revoked_at is null
              returning i.tenant_id, i.id
            ), families as (
              update insula.refresh_families f set revoked_at = now(), revoked_for = :why
                from issues where f.tenant_id = issues.tenant_id and f.id = issues.id
                 and f.revoked_at is null)
            select t.id, t.user_id, c.client_id
              from taken t join insula.clients c on c.id = t.client_id
        """),
        {"grant": grant, "user": user, "client": client, "why": why, "batch": batch},
    )
    return rows.all()


async def count_alive(db: Connection, most: int) -> tuple[int, bool]:
    """How many of the first *most* sessions are alive, and whether those are all."""
    row = (
        await db.execute(
            text(f"""
                select count(*) filter (where {_ALIVE}) as n, count(*) as looked_at
                  from (select * from insula.sessions limit :most) s
            """),  # noqa: S608  (names of ours)
            {"most": most + 1},
        )
    ).one()
    return row.n, row.looked_at <= most


async def count_allowed(db: Connection, most: int) -> tuple[int, bool]:
    """How many of the first *most* grants are in force, and whether those are all."""
    row = (
        await db.execute(
            text(f"""
                select count(*) filter (where {_ALLOWED}) as n, count(*) as looked_at
                  from (select * from insula.grants limit :most) g
            """),  # noqa: S608  (names of ours)
            {"most": most + 1},
        )
    ).one()
    return row.n, row.looked_at <= most
