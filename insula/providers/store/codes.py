"""Authorization codes, and tokens that leave without one: issued, read, spent, burned."""

from insula.providers.statements import (
    GRANT_ALIVE,
    PERSON,
    PERSON_ALIVE,
    SESSION_ALIVE,
    audit_line,
    granted,
    hot,
)
from insula.providers.store.issuing import ISSUED, OPAQUE, REACHED

# ruff: noqa: S608  (every interpolated piece is a constant of this package)

#: What every authorization begins with: that everybody concerned is alive, and what it uses up. The
#: marks of a signed request are unique, so a second use finds nothing to insert.
_AUTHORIZED = f"""
    alive as materialized (
      select s.tenant_id, s.id as session_id, s.sid, s.user_id, g.id as grant_id
        from insula.sessions s
        join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id and {PERSON_ALIVE}
        join insula.tenants t on t.id = s.tenant_id and t.status = 'active'
        join insula.clients c on c.tenant_id = s.tenant_id and c.id = %(client)s and c.status = 'active'
        left join insula.grants g on g.tenant_id = s.tenant_id and g.user_id = s.user_id
                                 and g.client_id = c.id and {GRANT_ALIVE}
       where s.tenant_id = %(tenant_id)s and s.id = %(session_id)s and {SESSION_ALIVE}
         and (%(must_be_allowed)s::text[] is null or g.scopes @> %(must_be_allowed)s)
    ), finished as (
      update insula.interactions i set completed_at = now()
        from alive
       where i.tenant_id = %(tenant_id)s and i.id = %(interaction)s::uuid and i.completed_at is null
         and i.denied_at is null and i.expires_at > now()
      returning i.id
    ), waiting as materialized (
      select alive.* from alive
       where %(interaction)s::uuid is null or exists (select 1 from finished)
    ), pushed as (
      update insula.pushed_requests p set completed_at = now()
        from waiting
       where p.tenant_id = %(tenant_id)s and p.request_hash = %(pushed_hash)s::bytea
         and p.completed_at is null
      returning p.id
    ), marked as (
      insert into insula.seen_once (value_hash, sweep_after)
      select %(mark_hash)s::bytea, now() + %(once_keep)s
        from waiting where %(mark_hash)s::bytea is not null
      on conflict do nothing
      returning id
    ), allowed as materialized (
      select waiting.* from waiting
       where (%(pushed_hash)s::bytea is null or exists (select 1 from pushed))
         and (%(mark_hash)s::bytea is null or exists (select 1 from marked))
    ), seen as (
      -- least() passes over a null, which a limit is that there is not; one that was set after the
      -- session began holds from its next use on
      update insula.sessions s
         set last_seen_at = now(),
             idle_expires_at = least(now() + %(session_idle)s, s.created_at + %(session_absolute)s,
                                     s.absolute_expires_at)
        from alive
       where s.tenant_id = %(tenant_id)s and s.id = alive.session_id
         and s.last_seen_at < now() - interval '1 minute'
    )"""

ISSUE_CODE = hot(f"""
    with {_AUTHORIZED}
    insert into insula.authorization_codes
      (id, code_hash, client_id, user_id, session_id, grant_id, redirect_uri, code_challenge, nonce, scopes,
       claims, resources, dpop_jkt, auth_time, auth_time_wanted, amr, acr, expires_at, sweep_after)
    select %(id)s, %(code_hash)s, %(client)s, allowed.user_id, allowed.session_id, allowed.grant_id,
           %(redirect_uri)s, %(code_challenge)s, %(nonce)s, %(scopes)s, %(claims)s, %(resources)s, %(dpop_jkt)s,
           to_timestamp(%(auth_time)s), %(auth_time_wanted)s, %(amr)s, %(acr)s,
           now() + %(lifetime)s, now() + %(keep)s
      from allowed
    returning 1
""")

ISSUE_AT_ONCE = hot(f"""
    with {_AUTHORIZED}, issued as (
      insert into insula.token_issues
        (id, kind, client_id, user_id, session_id, grant_id, session_bound, scopes, claims, resources,
         auth_time, auth_time_wanted, amr, acr, sweep_after)
      select %(issue)s, 'front_channel', %(client)s, allowed.user_id, allowed.session_id, allowed.grant_id,
             true, %(scopes)s, %(claims)s, %(resources)s, to_timestamp(%(auth_time)s), %(auth_time_wanted)s,
             %(amr)s, %(acr)s, now() + %(keep)s
        from allowed
      returning id, session_id
    ), opaque as ({OPAQUE.format(source="issued")}
    ), reached as ({REACHED.format(source="issued")}
    ), line as ({audit_line("oauth.token_issued", "issued")})
    select 1 from issued
""")

READ_CODE = hot(f"""
    select x.id, x.user_id, x.session_id, s.sid, x.redirect_uri, x.code_challenge, x.nonce, x.scopes, x.claims,
           x.resources, x.dpop_jkt,
           extract(epoch from x.auth_time)::bigint as auth_time, x.auth_time_wanted, x.amr, x.acr,
           case when x.consumed_at is not null then 'consumed'
                when x.expires_at <= now() then 'expired' else 'live' end as state,
           (t.id is not null and c.id is not null and {PERSON_ALIVE} and {SESSION_ALIVE}
            and (x.grant_id is null or ({GRANT_ALIVE}))) as alive,
           extract(epoch from x.created_at)::float8 as given_at, {PERSON}
      from insula.authorization_codes x
      join insula.users u on u.tenant_id = x.tenant_id and u.id = x.user_id
      join insula.sessions s on s.tenant_id = x.tenant_id and s.id = x.session_id
      left join insula.tenants t on t.id = x.tenant_id and t.status = 'active'
      left join insula.clients c on c.tenant_id = x.tenant_id and c.id = x.client_id and c.status = 'active'
      left join insula.grants g on g.tenant_id = x.tenant_id and g.id = x.grant_id
     where x.tenant_id = %(tenant_id)s and x.code_hash = %(code_hash)s and x.client_id = %(client)s
""")

REDEEM_CODE = hot(f"""
    with live as materialized (
      select u.id from insula.users u
       where u.tenant_id = %(tenant_id)s and u.id = %(user_id)s and {PERSON_ALIVE} for share
    ), spent as (
      update insula.authorization_codes x set consumed_at = now(), sweep_after = now() + %(keep)s
        from live, insula.tenants t, insula.clients c, insula.sessions s
       where x.tenant_id = %(tenant_id)s and x.code_hash = %(code_hash)s and x.client_id = %(client)s
         and x.consumed_at is null and x.expires_at > now() and x.user_id = live.id
         and t.id = x.tenant_id and t.status = 'active'
         and c.tenant_id = x.tenant_id and c.id = x.client_id and c.status = 'active'
         and s.tenant_id = x.tenant_id and s.id = x.session_id and {SESSION_ALIVE}
         and {granted("x")}
      returning x.*
    ), issue as (
      insert into insula.token_issues
        (id, kind, client_id, user_id, session_id, grant_id, session_bound, scopes, claims, resources,
         auth_time, auth_time_wanted, amr, acr, sweep_after)
      select id, 'code', client_id, user_id, session_id, grant_id, %(session_bound)s, %(scopes)s, claims,
             %(resources)s, auth_time, auth_time_wanted, amr, acr, now() + %(keep)s
        from spent
    ), {ISSUED}
""")

#: Step 1 of a refusal: a failed check leaves the code consumed (PK-6).
BURN_CODE = hot(f"""
    with burned as (
      update insula.authorization_codes x set consumed_at = now()
       where x.tenant_id = %(tenant_id)s and x.code_hash = %(code_hash)s and x.client_id = %(client)s
         and x.consumed_at is null
      returning x.id
    ), line as ({audit_line("oauth.token_issued", "burned", status="failed", target="'authorization_code'")})
    select 1 from burned
""")

#: Step 2, a statement of its own so that it sees what a parallel redemption committed: a replay
#: ends the family and everything that came of the code (RFC6749-4.1.2).
REPLAYED_CODE = hot(f"""
    with ended as (
      update insula.token_issues i set revoked_at = now(), revoked_for = 'code_replay'
        from insula.authorization_codes x
       where x.tenant_id = %(tenant_id)s and x.code_hash = %(code_hash)s and x.client_id = %(client)s
         and x.consumed_at is not null
         and i.tenant_id = x.tenant_id and i.id = x.id and i.revoked_at is null
      returning i.tenant_id, i.id
    ), family as (
      update insula.refresh_families f set revoked_at = now(), revoked_for = 'code_replay', replay_copy = null
        from ended
       where f.tenant_id = ended.tenant_id and f.id = ended.id and f.revoked_at is null
    ), line as ({audit_line("oauth.code_replayed", "ended", status="warning")})
    select 1 from ended
""")
