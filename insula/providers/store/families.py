"""Refresh families: read, advanced, used, ended."""

from insula.providers.statements import (
    GRANT_ALIVE,
    PERSON,
    PERSON_ALIVE,
    SESSION_ALIVE,
    audit_line,
    granted,
    hot,
)
from insula.providers.store.issuing import OPAQUE

# ruff: noqa: S608  (every interpolated piece is a constant of this package)

READ_REFRESH = hot(f"""
    select f.id, x.user_id, x.session_id, s.sid, x.scopes, x.claims, x.resources, f.dpop_jkt,
           extract(epoch from x.auth_time)::bigint as auth_time, x.auth_time_wanted, x.amr, x.acr,
           case when f.revoked_at is not null or x.revoked_at is not null
                  or f.idle_expires_at <= now() or f.absolute_expires_at <= now() then 'dead'
                when f.current_hash = %(refresh_hash)s then 'current'
                when f.previous_hash = %(refresh_hash)s and f.replay_copy is not null
                 and f.advanced_at + %(grace)s > now() then 'former'
                else 'reused' end as state,
           (t.id is not null and c.id is not null and x.created_at > t.access_ended_at and {PERSON_ALIVE}
            and (x.grant_id is null or ({GRANT_ALIVE}))
            and (not x.session_bound or ({SESSION_ALIVE}))) as alive,
           f.replay_copy, extract(epoch from f.absolute_expires_at)::bigint as expires_at,
           extract(epoch from f.created_at)::bigint as issued_at,
           extract(epoch from x.created_at)::float8 as given_at, {PERSON}
      from insula.refresh_generations r
      join insula.refresh_families f on f.tenant_id = r.tenant_id and f.id = r.family_id
      join insula.token_issues x on x.tenant_id = f.tenant_id and x.id = f.id
      join insula.users u on u.tenant_id = x.tenant_id and u.id = x.user_id
      left join insula.tenants t on t.id = x.tenant_id and t.status = 'active'
      left join insula.clients c on c.tenant_id = x.tenant_id and c.id = x.client_id and c.status = 'active'
      left join insula.grants g on g.tenant_id = x.tenant_id and g.id = x.grant_id
      left join insula.sessions s on s.tenant_id = x.tenant_id and s.id = x.session_id
     where r.tenant_id = %(tenant_id)s and r.token_hash = %(refresh_hash)s and f.client_id = %(client)s
""")

_LIVE_FAMILY = """f.tenant_id = %(tenant_id)s and f.current_hash = %(refresh_hash)s
         and f.id = %(family)s and f.client_id = %(client)s and f.revoked_at is null
         and f.idle_expires_at > now() and f.absolute_expires_at > now()"""

_LIVE_OWNERS = f"""
      select u.id from insula.users u
        join insula.tenants t on t.id = u.tenant_id and t.status = 'active'
        join insula.clients c on c.tenant_id = u.tenant_id and c.id = %(client)s and c.status = 'active'
        join insula.token_issues i on i.tenant_id = u.tenant_id and i.id = %(family)s
                                  and i.revoked_at is null and i.created_at > t.access_ended_at
                                  and {granted("i")}
       where u.tenant_id = %(tenant_id)s and u.id = %(user_id)s and {PERSON_ALIVE}
         and (not i.session_bound
              or exists (select from insula.sessions s
                          where s.tenant_id = i.tenant_id and s.id = i.session_id and {SESSION_ALIVE}))
         for share of u"""

ADVANCE_REFRESH = hot(f"""
    with live as materialized ({_LIVE_OWNERS}
    ), advanced as (
      update insula.refresh_families f
         set current_hash = %(new_hash)s, generation = f.generation + 1, previous_hash = %(refresh_hash)s,
             advanced_at = now(), replay_copy = %(replay_copy)s,
             idle_expires_at = least(now() + %(idle)s, f.absolute_expires_at)
        from live
       where {_LIVE_FAMILY}
      returning f.id, f.generation
    ), generation as (
      insert into insula.refresh_generations (token_hash, family_id, generation)
      select %(new_hash)s, id, generation from advanced
    ), opaque as ({OPAQUE.format(source="advanced")}
    ), line as ({audit_line("oauth.token_issued", "advanced")})
    select 1 from advanced
""")

TOUCH_REFRESH = hot(f"""
    with live as materialized ({_LIVE_OWNERS}
    ), advanced as (
      update insula.refresh_families f
         set idle_expires_at = least(now() + %(idle)s, f.absolute_expires_at)
        from live
       where {_LIVE_FAMILY}
      returning f.id
    ), opaque as ({OPAQUE.format(source="advanced")}
    ), line as ({audit_line("oauth.token_issued", "advanced")})
    select 1 from advanced
""")

END_FAMILY = hot(f"""
    with ended as (
      update insula.refresh_families f set revoked_at = now(), revoked_for = %(why)s, replay_copy = null
       where f.tenant_id = %(tenant_id)s and f.id = %(family)s and f.client_id = %(client)s
         and f.revoked_at is null
      returning f.tenant_id, f.id
    ), issue as (
      update insula.token_issues i set revoked_at = now(), revoked_for = %(why)s
        from ended
       where i.tenant_id = ended.tenant_id and i.id = ended.id and i.revoked_at is null
    ), line as ({audit_line("oauth.refresh_reused", "ended", status="warning")})
    select 1 from ended
""")

REVOKE_REFRESH_TOKEN = hot(f"""
    with ended as (
      update insula.refresh_families f set revoked_at = now(), revoked_for = 'revoked', replay_copy = null
        from insula.refresh_generations r
       where r.tenant_id = %(tenant_id)s and r.token_hash = %(refresh_hash)s
         and f.tenant_id = r.tenant_id and f.id = r.family_id and f.client_id = %(client)s
         and f.revoked_at is null
      returning f.tenant_id, f.id
    ), issue as (
      update insula.token_issues i set revoked_at = now(), revoked_for = 'revoked'
        from ended
       where i.tenant_id = ended.tenant_id and i.id = ended.id and i.revoked_at is null
    ), line as ({audit_line("oauth.token_revoked", "ended")})
    select 1 from ended
""")
