"""All SQL on sessions, interactions, grants and attempt_counters."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text

from insula.sign_in.models import Interaction, Prompt
from insula.tenancy.db import Connection, Row, Tenant, statement

#: What became of a session: the person has changed, or the tenant was suspended meanwhile.
Begun = Literal["begun", "outdated", "closed"]

_BEGIN = statement("""
    insert into insula.interactions
      (id, browser_hash, kind, client_id, parameters, prompt, step_expires_at, expires_at, sweep_after)
    values (%(id)s, %(browser_hash)s, %(kind)s, %(client_id)s, %(parameters)s::jsonb, %(prompt)s::jsonb,
            now() + %(step)s, now() + %(total)s, now() + %(total)s + interval '1 day')
""")

_MOVE = statement("""
    update insula.interactions
       set prompt = %(prompt)s::jsonb, step_expires_at = least(now() + %(step)s, expires_at)
     where tenant_id = %(tenant_id)s and id = %(id)s and browser_hash = %(browser_hash)s
       and completed_at is null and denied_at is null and step_expires_at > now()
    returning id
""")

_LOAD = statement("""
    select id, kind, client_id, prompt, session_id, step_expires_at from insula.interactions
     where tenant_id = %(tenant_id)s and id = %(id)s and browser_hash = %(browser_hash)s
       and completed_at is null and denied_at is null and step_expires_at > now()
""")

_CANCEL = statement("""
    update insula.interactions set completed_at = now()
     where tenant_id = %(tenant_id)s and id = %(id)s and browser_hash = %(browser_hash)s
       and completed_at is null
""")

_DECLINE = statement("""
    update insula.interactions set denied_at = now()
     where tenant_id = %(tenant_id)s and id = %(id)s and browser_hash = %(browser_hash)s
       and kind = 'authorize' and completed_at is null and denied_at is null and step_expires_at > now()
    returning id
""")

_SIGNED_IN = statement("""
    select s.id, s.token_hash, s.user_id, u.username, u.email, u.display_name
      from insula.sessions s
      join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id
     where s.tenant_id = %(tenant_id)s and s.token_hash = any(%(hashes)s)
       and s.ended_at is null and s.idle_expires_at > now() and s.absolute_expires_at > now()
       and s.created_at > (select t.access_ended_at from insula.tenants t where t.id = s.tenant_id)
       and u.status = 'active' and (u.locked_until is null or u.locked_until <= now())
""")

#: One trip counts an attempt before the secret is looked at; the window starts anew when over.
#: That of an address is fixed: many people share one, and some of them fail every day.
_COUNT = statement("""
    insert into insula.attempt_counters as a (kind, subject, n, window_ends_at, sweep_after)
    select x.kind, x.subject, 1, now() + x.span, now() + x.span + interval '1 hour'
      from unnest(%(kinds)s::text[], %(subjects)s::bytea[], %(spans)s::interval[])
           as x(kind, subject, span)
     order by x.kind, x.subject
    on conflict (tenant_id, kind, subject) do update
       set n = case when a.window_ends_at <= now() then 1 else a.n + 1 end,
           window_ends_at = case when a.kind = 'ip' and a.window_ends_at > now()
                                 then a.window_ends_at else excluded.window_ends_at end,
           sweep_after = excluded.sweep_after
    returning kind, n, extract(epoch from window_ends_at - now())::float8 as left_s
""")

_READ_COUNTS = statement("""
    select kind, n, extract(epoch from window_ends_at - now())::float8 as left_s
      from insula.attempt_counters
     where tenant_id = %(tenant_id)s and window_ends_at > now()
       and (kind, subject) in (select * from unnest(%(kinds)s::text[], %(subjects)s::bytea[]))
""")


def _json(prompt: Prompt) -> str:
    return json.dumps(asdict(prompt))


async def begin(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    interaction_id: UUID,
    browser_hash: bytes,
    kind: str,
    client_id: UUID | None,
    parameters: dict[str, str],
    prompt: Prompt,
    *,
    step: timedelta,
    total: timedelta,
) -> None:
    await tenant.once(
        _BEGIN,
        {
            "id": interaction_id,
            "browser_hash": browser_hash,
            "kind": kind,
            "client_id": client_id,
            "parameters": json.dumps(parameters),
            "prompt": _json(prompt),
            "step": step,
            "total": total,
        },
    )


async def move(
    tenant: Tenant, interaction_id: UUID, browser_hash: bytes, prompt: Prompt, step: timedelta
) -> bool:
    rows = await tenant.once(
        _MOVE,
        {"id": interaction_id, "browser_hash": browser_hash, "prompt": _json(prompt), "step": step},
    )
    return bool(rows)


async def load(tenant: Tenant, interaction_id: UUID, browser_hash: bytes) -> Interaction | None:
    rows = await tenant.once(_LOAD, {"id": interaction_id, "browser_hash": browser_hash})
    if not rows:
        return None
    row = rows[0]
    return Interaction(
        id=row.id,
        kind=row.kind,
        client_id=row.client_id,
        prompt=Prompt.from_json(row.prompt),
        session_id=row.session_id,
        step_expires_at=row.step_expires_at,
    )


async def cancel(tenant: Tenant, interaction_id: UUID, browser_hash: bytes) -> None:
    await tenant.once(_CANCEL, {"id": interaction_id, "browser_hash": browser_hash})


async def decline(tenant: Tenant, interaction_id: UUID, browser_hash: bytes) -> bool:
    """Write into what an application asked for that it is not to have it; False if it has ended."""
    rows = await tenant.once(_DECLINE, {"id": interaction_id, "browser_hash": browser_hash})
    return bool(rows)


async def signed_in(tenant: Tenant, hashes: Sequence[bytes]) -> Sequence[Row]:
    return await tenant.once(_SIGNED_IN, {"hashes": list(hashes)})


async def count(
    tenant: Tenant, counters: Sequence[tuple[str, bytes, timedelta]]
) -> dict[str, tuple[int, float]]:
    """Count one attempt on each; the new numbers and seconds until they are forgotten, by kind."""
    rows = await tenant.once(
        _COUNT,
        {
            "kinds": [kind for kind, _, _ in counters],
            "subjects": [subject for _, subject, _ in counters],
            "spans": [span for _, _, span in counters],
        },
    )
    return {row.kind: (row.n, row.left_s) for row in rows}


async def read_counts(
    tenant: Tenant, counters: Sequence[tuple[str, bytes]]
) -> dict[str, tuple[int, float]]:
    """Attempts so far and seconds until they are forgotten, by kind."""
    rows = await tenant.once(
        _READ_COUNTS,
        {"kinds": [kind for kind, _ in counters], "subjects": [subject for _, subject in counters]},
    )
    return {row.kind: (row.n, row.left_s) for row in rows}


async def forget_attempts(db: Connection, counters: Sequence[tuple[str, bytes]]) -> None:
    for kind, subject in counters:
        await db.execute(
            text("delete from insula.attempt_counters where kind = :kind and subject = :subject"),
            {"kind": kind, "subject": subject},
        )


async def uncount(db: Connection, counter: tuple[str, bytes]) -> None:
    """Take one attempt back."""
    kind, subject = counter
    await db.execute(
        text(
            "update insula.attempt_counters set n = n - 1"
            " where kind = :kind and subject = :subject and n > 0"
        ),
        {"kind": kind, "subject": subject},
    )


async def first_refusal(db: Connection, counter: tuple[str, bytes], span: timedelta) -> bool:
    """Whether nothing was refused for this counter within *span*; from now on something was."""
    kind, subject = counter
    result = await db.execute(
        text("""
            insert into insula.attempt_counters as a (kind, subject, n, window_ends_at, sweep_after)
            values (:kind, :subject, 1, now() + :span, now() + :span)
            on conflict (tenant_id, kind, subject) do update
               set window_ends_at = excluded.window_ends_at, sweep_after = excluded.sweep_after
             where a.window_ends_at <= now()
        """),
        {"kind": f"refused_{kind}", "subject": subject, "span": span},
    )
    return result.rowcount > 0


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


async def note_authenticated(
    db: Connection, interaction_id: UUID, browser_hash: bytes, session_id: UUID, *, selected: bool
) -> bool:
    """Write into the interaction who was proved in it; False if it has ended."""
    result = await db.execute(
        text("""
            update insula.interactions
               set session_id = :session_id,
                   -- choosing an account proves nothing; proof of another account is not this one's
                   authenticated_at = case when not :selected then now()
                                           when session_id = :session_id then authenticated_at end,
                   selected_at = now(),
                   step_expires_at = least(now() + interval '10 minutes', expires_at)
             where id = :id and browser_hash = :browser_hash and completed_at is null
               and denied_at is null and step_expires_at > now()
        """),
        {
            "id": interaction_id,
            "browser_hash": browser_hash,
            "session_id": session_id,
            "selected": selected,
        },
    )
    return result.rowcount > 0


async def note_consent(
    db: Connection,
    interaction_id: UUID,
    browser_hash: bytes,
    session_id: UUID,
    scopes: Sequence[str] | None,
) -> bool:
    """Write the decision and whose it is into the interaction; None is a refusal."""
    result = await db.execute(
        text("""
            update insula.interactions
               set consented = :scopes, consented_by = :session_id, denied_at = case when :denied then now() end,
                   step_expires_at = least(now() + interval '10 minutes', expires_at)
             where id = :id and browser_hash = :browser_hash and completed_at is null
               and denied_at is null and step_expires_at > now()
        """),
        {
            "id": interaction_id,
            "browser_hash": browser_hash,
            "session_id": session_id,
            "scopes": None if scopes is None else list(scopes),
            "denied": scopes is None,
        },
    )
    return result.rowcount > 0


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
