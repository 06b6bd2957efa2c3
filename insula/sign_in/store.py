"""All SQL on sessions and grants."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text

from insula.tenancy.db import Connection, Row, Tenant, statement

#: What became of a session: the person has changed, or the tenant was suspended meanwhile.
Begun = Literal["begun", "outdated", "closed"]

_SIGNED_IN = statement("""
    select s.id, s.token_hash, s.user_id, u.username, u.email, u.display_name
      from insula.sessions s
      join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id
     where s.tenant_id = %(tenant_id)s and s.token_hash = any(%(hashes)s)
       and s.ended_at is null and s.idle_expires_at > now() and s.absolute_expires_at > now()
       and s.created_at > (select t.access_ended_at from insula.tenants t where t.id = s.tenant_id)
       and u.status = 'active' and (u.locked_until is null or u.locked_until <= now())
""")


async def signed_in(tenant: Tenant, hashes: Sequence[bytes]) -> Sequence[Row]:
    return await tenant.once(_SIGNED_IN, {"hashes": list(hashes)})


async def insert_session(db: Connection, values: dict[str, Any]) -> Begun:
    """
    Begin a session, if who was proved is still who they were: alive, and of that password.

    The person is held, so that whoever changes them meanwhile comes before or after this; not
    `for share`, since the sign-in is noted in the same row and two at once would then collide.
    None for *idle* or *absolute* is no limit, which a row has as infinity.
    """
    row = (
        await db.execute(
            text("""
                with proved as materialized (
                  select u.id from insula.users u
                   where u.id = :user_id and u.status = 'active'
                     and (u.locked_until is null or u.locked_until <= now())
                     and u.password_hash is not distinct from cast(:password_hash as text)
                     for no key update
                ), begun as (
                  insert into insula.sessions
                    (id, sid, token_hash, user_id, amr, acr, ip, user_agent, idle_expires_at,
                     absolute_expires_at, sweep_after)
                  -- the same person proving themselves again stays the same to clients
                  select :id,
                         coalesce((select s.sid from insula.sessions s
                                    where s.token_hash = any(:former) and s.user_id = proved.id
                                      and s.ended_at is null
                                    order by s.created_at limit 1), gen_random_uuid()),
                         :token_hash, proved.id, :amr, :acr, cast(:ip as inet), :user_agent,
                         coalesce(now() + least(cast(:idle as interval), cast(:absolute as interval)), 'infinity'),
                         coalesce(now() + cast(:absolute as interval), 'infinity'),
                         coalesce(now() + cast(:absolute as interval) + interval '1 day', 'infinity')
                    from proved, insula.tenants t
                   where t.id = insula.current_tenant() and t.status = 'active'
                  returning id
                )
                select exists (select from proved) as proved, exists (select from begun) as begun
            """),
            values,
        )
    ).one()
    if not row.proved:
        return "outdated"
    return "begun" if row.begun else "closed"


async def end_sessions(db: Connection, hashes: Sequence[bytes], why: str) -> Sequence[Row]:
    """End these sessions and what dies with them; which they were and whose."""
    rows = await db.execute(
        text("""
            update insula.sessions set ended_at = now(), ended_for = :why
             where token_hash = any(:hashes) and ended_at is null returning id, sid, user_id
        """),
        {"hashes": list(hashes), "why": why},
    )
    ended = rows.all()
    await _end_bound(db, ended, why)
    return ended


async def hold_sessions(db: Connection, hashes: Sequence[bytes], user_id: UUID) -> None:
    """
    Hold these sessions and all of a person, in an order that everybody keeps.

    Two sign-ins may end sessions of each other's: in another order they would wait for each other.
    """
    await db.execute(
        text("""
            select from insula.sessions
             where ended_at is null and (token_hash = any(:hashes) or user_id = :user_id)
             order by id for no key update
        """),
        {"hashes": list(hashes), "user_id": user_id},
    )


async def end_oldest(
    db: Connection, user_id: UUID, but: UUID, keep: int, why: str
) -> Sequence[Row]:
    """End the sessions of a person that are alive, but one and the *keep* newest of the others."""
    rows = await db.execute(
        text("""
            update insula.sessions set ended_at = now(), ended_for = :why
             where ended_at is null
               and id in (select s.id from insula.sessions s
                           where s.user_id = :user_id and s.id <> :but and s.ended_at is null
                             and s.idle_expires_at > now() and s.absolute_expires_at > now()
                           order by s.created_at desc, s.id desc offset :keep)
            returning id, sid, user_id
        """),
        {"user_id": user_id, "but": but, "keep": keep, "why": why},
    )
    ended = rows.all()
    await _end_bound(db, ended, why)
    return ended


async def hand_over(db: Connection, former: Sequence[bytes], session_id: UUID) -> None:
    """
    Let what was issued in these sessions hang on the one that takes their place (OC-4, RT-10).

    What had ended with one by then does not come back to life. What they reached is remembered as
    long as that one, which may live longer.
    """
    await db.execute(
        text("""
            with reached as (
              update insula.session_clients c
                 set sweep_after = s.absolute_expires_at + interval '1 day'
                from insula.sessions s
               where s.id = :session_id and c.sid = s.sid
                 and c.sweep_after < s.absolute_expires_at + interval '1 day'
            ), alive as materialized (
              select s.id, s.user_id from insula.sessions s
               where s.token_hash = any(:former) and s.ended_at is null
                 and s.idle_expires_at > now() and s.absolute_expires_at > now()
                 and s.created_at > (select t.access_ended_at from insula.tenants t
                                      where t.id = s.tenant_id)
            ), devices as (
              update insula.device_grants d set session_id = :session_id
                from alive
               where d.user_id = alive.user_id and d.session_id = alive.id and d.status = 'approved'
            )
            update insula.token_issues i set session_id = :session_id
              from alive
             where i.session_id = alive.id and i.revoked_at is null
        """),
        {"former": list(former), "session_id": session_id},
    )


async def end_session_by_id(db: Connection, session_id: UUID, why: str) -> Row | None:
    row = (
        await db.execute(
            text("""
                update insula.sessions set ended_at = now(), ended_for = :why
                 where id = :id and ended_at is null returning id, sid, user_id
            """),
            {"id": session_id, "why": why},
        )
    ).one_or_none()
    if row is not None:
        await _end_bound(db, [row], why)
    return row


async def _end_bound(db: Connection, ended: Sequence[Row], why: str) -> None:
    """Tokens without `offline_access` end with their session, and clients hear of it (LO-7, LO-8)."""
    if not ended:
        return
    await db.execute(
        text("""
            with ended as (
              update insula.token_issues set revoked_at = now(), revoked_for = :why
               where session_id = any(:sessions) and session_bound and revoked_at is null
              returning tenant_id, id)
            update insula.refresh_families f set revoked_at = now(), revoked_for = :why
              from ended
             where f.tenant_id = ended.tenant_id and f.id = ended.id and f.revoked_at is null
        """),
        {"sessions": [row.id for row in ended], "why": why},
    )
    await db.execute(
        text("select insula.announce_logout(:sids)"), {"sids": [row.sid for row in ended]}
    )


async def frames(db: Connection, sids: Sequence[UUID]) -> Sequence[Row]:
    """Where clients that these sign-ins reached clean up after them in the browser (LO-10)."""
    rows = await db.execute(
        text("""
            select sc.sid, c.metadata ->> 'frontchannel_logout_uri' as uri,
                   coalesce((c.metadata ->> 'frontchannel_logout_session_required')::boolean, false)
                     as with_session
              from insula.session_clients sc
              join insula.clients c on c.tenant_id = sc.tenant_id and c.id = sc.client_id
             where sc.sid = any(:sids) and c.status = 'active'
               and coalesce(c.metadata ->> 'frontchannel_logout_uri', '') <> ''
               and (select coalesce((p.bounds ->> 'frontchannel_logout')::boolean, true)
                           and coalesce((t.value ->> 'frontchannel_logout')::boolean,
                                        (p.value ->> 'frontchannel_logout')::boolean, true)
                      from (values ('oidc.features')) f (section)
                      left join insula.tenant_settings t on t.section = f.section
                      left join insula.platform_settings p on p.section = f.section)
             order by sc.created_at
        """),
        {"sids": list(sids)},
    )
    return rows.all()


async def grant(  # noqa: PLR0913  (each is needed once)
    db: Connection,
    user_id: UUID,
    client_id: UUID,
    scopes: Sequence[str],
    left_out: Sequence[str],
    life: timedelta,
) -> None:
    """
    Remember what was allowed; what was allowed before stays allowed, but for what was *left_out*.

    What was taken back or has lapsed does not come back to life: what was issued for it names it by
    its id, so another begins. Nor is a scope allowed that was made after its like was.
    """
    await db.execute(
        text("""
            insert into insula.grants as g (user_id, client_id, scopes, expires_at)
            values (:user_id, :client_id, :scopes, now() + :life)
            on conflict (tenant_id, user_id, client_id) do update
               set (id, scopes) = (
                     select case when alive then g.id else gen_random_uuid() end,
                            case when alive
                                 then array(select unnest(g.scopes)
                                            except select unnest(cast(:left_out as text[]))
                                            except select name from insula.scopes s
                                                    where s.tenant_id = g.tenant_id
                                                      and s.name = any(g.scopes)
                                                      and s.created_at > g.granted_at
                                            union select unnest(excluded.scopes))
                                 else excluded.scopes end
                       from (values (g.revoked_at is null and g.expires_at > now())) as it (alive)),
                   granted_at = now(), expires_at = excluded.expires_at, revoked_at = null
        """),
        {
            "user_id": user_id,
            "client_id": client_id,
            "scopes": list(scopes),
            "left_out": list(left_out),
            "life": life,
        },
    )


async def owners(db: Connection, hashes: Sequence[bytes]) -> dict[bytes, UUID]:
    """Whose these sessions are; those that have ended are left out."""
    rows = await db.execute(
        text(
            "select token_hash, user_id from insula.sessions"
            " where token_hash = any(:hashes) and ended_at is null"
        ),
        {"hashes": list(hashes)},
    )
    return {bytes(row.token_hash): row.user_id for row in rows}
