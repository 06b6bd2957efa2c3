"""
The hot statements of the protocol: each one atomic act, sent in one round trip.

Written as SQL because the statement is the decision (docs/decisions/0005): no row back is
the refusal. The person's row is taken `for share`, so that a redemption that commits after
a lock or a disable sees it (protocol.md section 6). All name `tenant_id` as a second belt.
"""

from insula.providers.statements import (
    GRANT_ALIVE,
    ISSUE_ALIVE,
    ISSUE_JOINS,
    PERSON,
    PERSON_ALIVE,
    SESSION_ALIVE,
    audit_line,
    granted,
    hot,
)

# ruff: noqa: S608  (every interpolated piece is a constant of this package)

VISIT = hot(f"""
    select s.id, s.sid, s.user_id, extract(epoch from s.auth_time)::bigint as auth_time, s.amr, s.acr,
           g.scopes as granted
      from insula.sessions s
      join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id and {PERSON_ALIVE}
      left join insula.grants g on g.tenant_id = s.tenant_id and g.user_id = s.user_id
                               and g.client_id = %(client)s and {GRANT_ALIVE}
     where s.tenant_id = %(tenant_id)s and s.token_hash = %(session_hash)s and {SESSION_ALIVE}
""")

RESUME = hot(f"""
    select i.id as interaction, i.parameters, i.authenticated_at, i.session_id as proved, i.selected_at,
           case when i.consented_by = v.id then i.consented end as consented, i.denied_at,
           v.id, v.sid, v.user_id, v.auth_time, v.amr, v.acr, v.granted
      from insula.interactions i
      left join lateral (
        select s.id, s.sid, s.user_id, extract(epoch from s.auth_time)::bigint as auth_time, s.amr, s.acr,
               g.scopes as granted
          from insula.sessions s
          join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id and {PERSON_ALIVE}
          left join insula.grants g on g.tenant_id = s.tenant_id and g.user_id = s.user_id
                                   and g.client_id = i.client_id and {GRANT_ALIVE}
         where s.tenant_id = i.tenant_id and s.token_hash = %(session_hash)s and {SESSION_ALIVE}) v on true
     where i.tenant_id = %(tenant_id)s and i.id = %(interaction)s and i.browser_hash = %(browser_hash)s
       and i.kind = 'authorize' and i.completed_at is null and i.step_expires_at > now()
""")

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
      update insula.sessions s
         set last_seen_at = now(), idle_expires_at = least(now() + %(session_idle)s, s.absolute_expires_at)
        from alive
       where s.tenant_id = %(tenant_id)s and s.id = alive.session_id
         and s.last_seen_at < now() - interval '1 minute'
    )"""

#: A sign-in remembers each client that got an id_token in it (OIDCBCL-2.5).
_REACHED = """
      insert into insula.session_clients (sid, client_id, user_id, sweep_after)
      select s.sid, %(client)s, s.user_id, s.absolute_expires_at + interval '1 day'
        from {source} x
        join insula.sessions s on s.tenant_id = %(tenant_id)s and s.id = x.session_id
       where 'openid' = any (%(scopes)s)
      on conflict do nothing"""

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

#: What is written for an access token that is stored.
_OPAQUE = """
      insert into insula.access_tokens
        (token_hash, issue_id, scopes, audience, dpop_jkt, expires_at, sweep_after)
      select %(access_hash)s::bytea, {source}.id, %(access_scopes)s, %(audience)s, %(access_jkt)s,
             now() + %(access_life)s, now() + %(access_life)s + interval '1 hour'
        from {source} where %(access_hash)s::bytea is not null"""

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
    ), opaque as ({_OPAQUE.format(source="issued")}
    ), reached as ({_REACHED.format(source="issued")}
    ), line as ({audit_line("oauth.token_issued", "issued")})
    select 1 from issued
""")

PERSON_OF = hot(f"""
    select u.id as user_id, {PERSON}
      from insula.users u
     where u.tenant_id = %(tenant_id)s and u.id = %(user_id)s and {PERSON_ALIVE}
""")

READ_CODE = hot(f"""
    select x.id, x.user_id, x.session_id, s.sid, x.redirect_uri, x.code_challenge, x.nonce, x.scopes, x.claims,
           x.resources, x.dpop_jkt,
           extract(epoch from x.auth_time)::bigint as auth_time, x.auth_time_wanted, x.amr, x.acr,
           case when x.consumed_at is not null then 'consumed'
                when x.expires_at <= now() then 'expired' else 'live' end as state,
           (t.id is not null and c.id is not null and {PERSON_ALIVE} and {SESSION_ALIVE}
            and (x.grant_id is null or ({GRANT_ALIVE}))) as alive,
           {PERSON}
      from insula.authorization_codes x
      join insula.users u on u.tenant_id = x.tenant_id and u.id = x.user_id
      join insula.sessions s on s.tenant_id = x.tenant_id and s.id = x.session_id
      left join insula.tenants t on t.id = x.tenant_id and t.status = 'active'
      left join insula.clients c on c.tenant_id = x.tenant_id and c.id = x.client_id and c.status = 'active'
      left join insula.grants g on g.tenant_id = x.tenant_id and g.id = x.grant_id
     where x.tenant_id = %(tenant_id)s and x.code_hash = %(code_hash)s and x.client_id = %(client)s
""")

#: What comes of a code that was spent, beside its issue: tokens, a family, and a line.
_ISSUED = f"""
    opaque as ({_OPAQUE.format(source="spent")}
    ), family as (
      insert into insula.refresh_families
        (id, client_id, current_hash, dpop_jkt, idle_expires_at, absolute_expires_at, sweep_after)
      select id, client_id, %(refresh_hash)s::bytea, %(dpop_jkt)s, now() + least(%(idle)s, %(absolute)s),
             now() + %(absolute)s, now() + %(keep)s
        from spent where %(refresh_hash)s::bytea is not null
    ), generation as (
      insert into insula.refresh_generations (token_hash, family_id, generation)
      select %(refresh_hash)s::bytea, id, 1 from spent where %(refresh_hash)s::bytea is not null
    ), reached as ({_REACHED.format(source="spent")}
    ), line as ({audit_line("oauth.token_issued", "spent")})
    select 1 from spent"""

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
      select id, 'code', client_id, user_id, session_id, grant_id, %(session_bound)s, scopes, claims,
             resources, auth_time, auth_time_wanted, amr, acr, now() + %(keep)s
        from spent
    ), {_ISSUED}
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
           {PERSON}
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
    ), opaque as ({_OPAQUE.format(source="advanced")}
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
    ), opaque as ({_OPAQUE.format(source="advanced")}
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

ISSUE_TO_CLIENT = hot(f"""
    with issued as (
      insert into insula.token_issues (id, kind, client_id, scopes, sweep_after)
      select %(issue)s, 'client_credentials', c.id, %(access_scopes)s,
             now() + %(access_life)s + interval '1 hour'
        from insula.clients c join insula.tenants t on t.id = c.tenant_id and t.status = 'active'
       where c.tenant_id = %(tenant_id)s and c.id = %(client)s and c.status = 'active'
      returning id
    ), opaque as ({_OPAQUE.format(source="issued")}
    ), line as ({audit_line("oauth.token_issued", "issued")})
    select 1 from issued
""")

_ISSUE = f"""c.client_id, x.user_id, x.claims, x.act,
           case when x.user_id is null and x.parent_id is not null then
             (select pc.client_id from insula.token_issues p
                join insula.clients pc on pc.tenant_id = p.tenant_id and pc.id = p.client_id
               where p.tenant_id = x.tenant_id and p.id = x.parent_id) end as about,
           extract(epoch from x.auth_time)::bigint as auth_time, x.acr, x.amr, {PERSON}"""

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

#: Failures of one client from one address; the window starts anew when it is over (CA-10).
COUNT_CLIENT_FAILURE = hot("""
    with counted as (
      insert into insula.attempt_counters as a (kind, subject, n, window_ends_at, sweep_after)
      values ('client', %(subject)s, 1, now() + %(window)s, now() + %(window)s + interval '1 hour')
      on conflict (tenant_id, kind, subject) do update
         set n = case when a.window_ends_at <= now() then 1 else a.n + 1 end,
             window_ends_at = case when a.window_ends_at <= now() then excluded.window_ends_at
                                   else a.window_ends_at end,
             sweep_after = excluded.sweep_after
      returning n, extract(epoch from window_ends_at - now())::float8 as left_s
    ), line as (
      insert into insula.audit_events
        (event, status, actor_type, actor_id, ip, user_agent, request_id, metadata)
      select 'api.request_denied', 'failed', 'client', %(actor_id)s, %(ip)s::inet, %(user_agent)s,
             %(request_id)s, '{"reason": "client_authentication"}'::jsonb
        from counted where n <= 100)
    select n, left_s from counted
""")

PUSH_REQUEST = hot("""
    insert into insula.pushed_requests (request_hash, client_id, parameters, expires_at, sweep_after)
    values (%(pushed_hash)s, %(client)s, %(parameters)s::jsonb, now() + %(lifetime)s,
            now() + %(lifetime)s + interval '1 hour')
    returning 1
""")

#: First sight binds a pushed request to one browser, where it may be loaded again (PA-7).
TAKE_PUSHED = hot("""
    update insula.pushed_requests p
       set started_at = coalesce(p.started_at, now()),
           browser_hash = coalesce(p.browser_hash, %(browser_hash)s)
     where p.tenant_id = %(tenant_id)s and p.request_hash = %(pushed_hash)s and p.client_id = %(client)s
       and p.completed_at is null
       and case when p.started_at is null then p.expires_at > now()
                else p.browser_hash = %(browser_hash)s and p.started_at > now() - interval '10 minutes' end
    returning p.parameters
""")

SEE_ONCE = hot("""
    insert into insula.seen_once (value_hash, sweep_after) values (%(value_hash)s, now() + %(once_keep)s)
    on conflict do nothing
    returning 1
""")

#: A sign-in that ended, for one client that is to be told.
LOGOUT_NOTICE = hot("""
    select sc.sid, sc.user_id, c.client_id
      from insula.session_clients sc
      join insula.clients c on c.tenant_id = sc.tenant_id and c.id = sc.client_id and c.status = 'active'
     where sc.tenant_id = %(tenant_id)s and sc.id = %(id)s
       and sc.announced_at is not null and sc.delivered_at is null
""")

LOGOUT_DELIVERED = hot("""
    update insula.session_clients sc set delivered_at = now()
     where sc.tenant_id = %(tenant_id)s and sc.id = %(id)s
    returning 1
""")

#: What a tenant has decided for itself: settings, APIs, scopes and claims of its own.
RULES = hot("""
    select (select coalesce(jsonb_object_agg(s.section, s.value), '{}') from insula.tenant_settings s
             where s.tenant_id = %(tenant_id)s) as settings,
           (select coalesce(jsonb_agg(to_jsonb(r)), '[]') from insula.resource_servers r
             where r.tenant_id = %(tenant_id)s) as servers,
           (select coalesce(jsonb_agg(to_jsonb(s)), '[]') from insula.scopes s
             where s.tenant_id = %(tenant_id)s) as scopes,
           (select coalesce(jsonb_agg(to_jsonb(m)), '[]') from insula.claim_mappings m
             where m.tenant_id = %(tenant_id)s) as mappings
""")

BEGIN_DEVICE = hot("""
    insert into insula.device_grants
      (id, device_code_hash, user_code_hash, client_id, scopes, resources, interval_s, ip, user_agent,
       expires_at, sweep_after)
    values (%(id)s, %(device_hash)s, %(user_code_hash)s, %(client)s, %(scopes)s, %(resources)s, %(interval_s)s,
            %(ip)s::inet, %(user_agent)s, now() + %(lifetime)s, now() + %(keep)s)
    on conflict do nothing
    returning 1
""")

#: Every poll costs the same: it is noted, and one that comes too fast makes the next wait longer.
POLL_DEVICE = hot(f"""
    with d as (
      select g.tenant_id, g.id, g.status, g.interval_s, g.last_polled_at, g.expires_at
        from insula.device_grants g
       where g.tenant_id = %(tenant_id)s and g.device_code_hash = %(device_hash)s and g.client_id = %(client)s
         for update
    ), polled as (
      update insula.device_grants g
         set last_polled_at = now(),
             interval_s = case when d.last_polled_at > now() - make_interval(secs => d.interval_s)
                               then least(d.interval_s + 5, 60) else d.interval_s end,
             status = case when d.status <> 'redeemed' and d.expires_at <= now()
                           then 'expired' else d.status end
        from d
       where g.tenant_id = d.tenant_id and g.id = d.id
      returning g.*, coalesce(d.last_polled_at > now() - make_interval(secs => d.interval_s), false) as too_fast
    )
    select x.id, x.status, x.too_fast, x.scopes, x.resources, x.user_id, x.session_id, s.sid,
           extract(epoch from x.auth_time)::bigint as auth_time, x.amr, x.acr, {PERSON}
      from polled x
      left join insula.users u on u.tenant_id = x.tenant_id and u.id = x.user_id
      left join insula.sessions s on s.tenant_id = x.tenant_id and s.id = x.session_id
""")

#: A device that stays connected outlives the session that let it in, unless that was ended for cause:
#: a new password or a lock between the person's word and the next poll takes the word back.
_LEFT_BY_ITSELF = "s.ended_at is null or s.ended_for in ('logout', 'renewed', 'displaced')"

REDEEM_DEVICE = hot(f"""
    with live as materialized (
      select u.id from insula.users u
       where u.tenant_id = %(tenant_id)s and u.id = %(user_id)s and {PERSON_ALIVE} for share
    ), spent as (
      update insula.device_grants x set status = 'redeemed', sweep_after = now() + %(keep)s
        from live, insula.tenants t, insula.clients c
       where x.tenant_id = %(tenant_id)s and x.device_code_hash = %(device_hash)s and x.client_id = %(client)s
         and x.status = 'approved' and x.expires_at > now() and x.user_id = live.id
         and t.id = x.tenant_id and t.status = 'active' and x.created_at > t.access_ended_at
         and c.tenant_id = x.tenant_id and c.id = x.client_id and c.status = 'active'
         and {granted("x")}
         and exists (select from insula.sessions s
                      where s.tenant_id = x.tenant_id and s.id = x.session_id
                        and (({SESSION_ALIVE})
                             or (not %(session_bound)s and ({_LEFT_BY_ITSELF}))))
      returning x.*
    ), issue as (
      insert into insula.token_issues
        (id, kind, client_id, user_id, session_id, grant_id, session_bound, scopes, resources, auth_time,
         amr, acr, sweep_after)
      select id, 'device', client_id, user_id, session_id, grant_id, %(session_bound)s, scopes, resources,
             auth_time, amr, acr, now() + %(keep)s
        from spent
    ), {_ISSUED}
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
       where x.tenant_id = %(tenant_id)s and x.id = %(parent)s and {ISSUE_ALIVE}
      returning id
    ), opaque as ({_OPAQUE.format(source="issued")}
    ), line as ({audit_line("oauth.token_issued", "issued")})
    select 1 from issued
""")
