"""Access tokens: issued to a client or for another token, found, revoked."""

from insula.providers.statements import (
    ISSUE_ALIVE,
    ISSUE_JOINS,
    PARENT_ALIVE,
    PERSON,
    audit_line,
    hot,
)
from insula.providers.store.issuing import OPAQUE

# ruff: noqa: S608  (every interpolated piece is a constant of this package)

ISSUE_TO_CLIENT = hot(f"""
    with issued as (
      insert into insula.token_issues (id, kind, client_id, scopes, sweep_after)
      select %(issue)s, 'client_credentials', c.id, %(access_scopes)s,
             now() + %(access_life)s + interval '1 hour'
        from insula.clients c join insula.tenants t on t.id = c.tenant_id and t.status = 'active'
       where c.tenant_id = %(tenant_id)s and c.id = %(client)s and c.status = 'active'
         and c.paused_at is null
      returning id
    ), opaque as ({OPAQUE.format(source="issued")}
    ), line as ({audit_line("oauth.token_issued", "issued")})
    select 1 from issued
""")

#: What came of a token that is alive, for another client; all hang on what the person allowed first.
ISSUE_EXCHANGED = hot(f"""
    with issued as (
      insert into insula.token_issues
        (id, kind, client_id, user_id, session_id, grant_id, session_bound, scopes, parent_id, act,
         auth_time, amr, acr, sweep_after)
      select %(issue)s, 'exchange', k.id, x.user_id, x.session_id, x.grant_id, x.session_bound,
             %(access_scopes)s, coalesce(x.parent_id, x.id), %(act)s::jsonb, x.auth_time, x.amr, x.acr,
             now() + %(keep)s
        from insula.token_issues x
        {ISSUE_JOINS}
        join insula.clients k on k.tenant_id = x.tenant_id and k.id = %(client)s and k.status = 'active'
       where x.tenant_id = %(tenant_id)s and x.id = %(parent)s and {ISSUE_ALIVE} and {PARENT_ALIVE}
      returning id
    ), opaque as ({OPAQUE.format(source="issued")}
    ), line as ({audit_line("oauth.token_issued", "issued")})
    select 1 from issued
""")

_ISSUE = f"""c.client_id, x.user_id, x.claims, x.act, x.parent_id,
           extract(epoch from x.auth_time)::bigint as auth_time, x.acr, x.amr,
           extract(epoch from x.created_at)::float8 as given_at, {PERSON}"""

#: What an exchanged token came from, if it is alive: whose it was.
FIND_PARENT = hot("""
    select c.client_id
      from insula.token_issues p
      join insula.clients c on c.tenant_id = p.tenant_id and c.id = p.client_id and c.status = 'active'
     where p.tenant_id = %(tenant_id)s and p.id = %(parent)s and p.revoked_at is null
""")

FIND_ISSUE = hot(f"""
    select x.id, x.scopes, extract(epoch from x.created_at)::bigint as issued_at, 0::bigint as expires_at,
           '{{}}'::text[] as audience, null::text as dpop_jkt,
           {_ISSUE}
      from insula.token_issues x
      {ISSUE_JOINS}
     where x.tenant_id = %(tenant_id)s and x.id = %(issue)s and {ISSUE_ALIVE}
       and not exists (select 1 from insula.revoked_jtis j
                        where j.tenant_id = %(tenant_id)s and j.jti_hash = %(jti_hash)s)
""")

FIND_ACCESS_TOKEN = hot(f"""
    select x.id, a.scopes, extract(epoch from a.created_at)::bigint as issued_at,
           extract(epoch from a.expires_at)::bigint as expires_at, a.audience, a.dpop_jkt, {_ISSUE}
      from insula.access_tokens a
      join insula.token_issues x on x.tenant_id = a.tenant_id and x.id = a.issue_id
      {ISSUE_JOINS}
     where a.tenant_id = %(tenant_id)s and a.token_hash = %(access_hash)s
       and a.revoked_at is null and a.expires_at > now() and {ISSUE_ALIVE}
""")

FIND_REFRESH_TOKEN = hot(f"""
    select x.id, x.scopes, extract(epoch from f.created_at)::bigint as issued_at,
           extract(epoch from least(f.idle_expires_at, f.absolute_expires_at))::bigint as expires_at,
           '{{}}'::text[] as audience, f.dpop_jkt, {_ISSUE}
      from insula.refresh_generations r
      join insula.refresh_families f on f.tenant_id = r.tenant_id and f.id = r.family_id
      join insula.token_issues x on x.tenant_id = f.tenant_id and x.id = f.id
      {ISSUE_JOINS}
     where r.tenant_id = %(tenant_id)s and r.token_hash = %(refresh_hash)s
       and f.current_hash = %(refresh_hash)s and f.revoked_at is null
       and f.idle_expires_at > now() and f.absolute_expires_at > now() and {ISSUE_ALIVE}
""")

REVOKE_ACCESS_TOKEN = hot(f"""
    with ended as (
      update insula.access_tokens a set revoked_at = now()
        from insula.token_issues i
       where a.tenant_id = %(tenant_id)s and a.token_hash = %(access_hash)s and a.revoked_at is null
         and i.tenant_id = a.tenant_id and i.id = a.issue_id and i.client_id = %(client)s
      returning a.issue_id as id
    ), line as ({audit_line("oauth.token_revoked", "ended")})
    select 1 from ended
""")

REVOKE_JTI = hot(f"""
    with ended as (
      insert into insula.revoked_jtis (jti_hash, sweep_after)
      select %(jti_hash)s, to_timestamp(%(expires_at)s) + interval '5 minutes'
        from insula.token_issues i
       where i.tenant_id = %(tenant_id)s and i.id = %(issue)s and i.client_id = %(client)s
      on conflict do nothing
      returning id
    ), line as ({audit_line("oauth.token_revoked", "ended")})
    select 1 from ended
""")

REVOKE_ISSUE = hot(f"""
    with ended as (
      update insula.token_issues i set revoked_at = now(), revoked_for = 'revoked'
       where i.tenant_id = %(tenant_id)s and i.id = %(issue)s and i.client_id = %(client)s
         and i.revoked_at is null
      returning i.tenant_id, i.id
    ), family as (
      update insula.refresh_families f set revoked_at = now(), revoked_for = 'revoked', replay_copy = null
        from ended
       where f.tenant_id = ended.tenant_id and f.id = ended.id and f.revoked_at is null
    ), line as ({audit_line("oauth.token_revoked", "ended")})
    select 1 from ended
""")
