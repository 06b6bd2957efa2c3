"""What every statement that issues something writes beside it."""

from insula.providers.statements import audit_line

# ruff: noqa: S608  (every interpolated piece is a constant of this package)

#: A sign-in remembers each client that got an id_token in it (OIDCBCL-2.5), as long as its session
#: lives; the session that takes its place, under the same sid, sees to it that they stay.
REACHED = """
      insert into insula.session_clients (sid, client_id, user_id, sweep_after)
      select s.sid, %(client)s, s.user_id, s.absolute_expires_at + interval '1 day'
        from {source} x
        join insula.sessions s on s.tenant_id = %(tenant_id)s and s.id = x.session_id
       where 'openid' = any (%(scopes)s)
      on conflict do nothing"""

#: What is written for an access token that is stored.
OPAQUE = """
      insert into insula.access_tokens
        (token_hash, issue_id, scopes, audience, dpop_jkt, expires_at, sweep_after)
      select %(access_hash)s::bytea, {source}.id, %(access_scopes)s, %(audience)s, %(access_jkt)s,
             now() + %(access_life)s, now() + %(access_life)s + interval '1 hour'
        from {source} where %(access_hash)s::bytea is not null"""

#: What comes of a code that was spent, beside its issue: tokens, a family, and a line.
ISSUED = f"""
    opaque as ({OPAQUE.format(source="spent")}
    ), family as (
      insert into insula.refresh_families
        (id, client_id, current_hash, dpop_jkt, idle_expires_at, absolute_expires_at, sweep_after)
      select id, client_id, %(refresh_hash)s::bytea, %(dpop_jkt)s, now() + least(%(idle)s, %(absolute)s),
             now() + %(absolute)s, now() + %(keep)s
        from spent where %(refresh_hash)s::bytea is not null
    ), generation as (
      insert into insula.refresh_generations (token_hash, family_id, generation)
      select %(refresh_hash)s::bytea, id, 1 from spent where %(refresh_hash)s::bytea is not null
    ), reached as ({REACHED.format(source="spent")}
    ), line as ({audit_line("oauth.token_issued", "spent")})
    select 1 from spent"""
