"""Who is there: a browser at the authorization endpoint, a person by id."""

from insula.providers.statements import (
    GRANT_ALIVE,
    PERSON,
    PERSON_ALIVE,
    SESSION_ALIVE,
    hot,
)

# ruff: noqa: S608  (every interpolated piece is a constant of this package)

VISIT = hot(f"""
    select s.id, s.sid, s.user_id, extract(epoch from s.auth_time)::bigint as auth_time, s.amr, s.acr,
           g.scopes as granted, extract(epoch from g.granted_at)::float8 as granted_at
      from insula.sessions s
      join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id and {PERSON_ALIVE}
      left join insula.grants g on g.tenant_id = s.tenant_id and g.user_id = s.user_id
                               and g.client_id = %(client)s and {GRANT_ALIVE}
     where s.tenant_id = %(tenant_id)s and s.token_hash = %(session_hash)s and {SESSION_ALIVE}
""")

RESUME = hot(f"""
    select i.id as interaction, i.parameters, i.authenticated_at, i.session_id as proved, i.selected_at,
           case when i.consented_by = v.id then i.consented end as consented, i.denied_at,
           v.id, v.sid, v.user_id, v.auth_time, v.amr, v.acr, v.granted, v.granted_at
      from insula.interactions i
      left join lateral (
        select s.id, s.sid, s.user_id, extract(epoch from s.auth_time)::bigint as auth_time, s.amr, s.acr,
               g.scopes as granted, extract(epoch from g.granted_at)::float8 as granted_at
          from insula.sessions s
          join insula.users u on u.tenant_id = s.tenant_id and u.id = s.user_id and {PERSON_ALIVE}
          left join insula.grants g on g.tenant_id = s.tenant_id and g.user_id = s.user_id
                                   and g.client_id = i.client_id and {GRANT_ALIVE}
         where s.tenant_id = i.tenant_id and s.token_hash = %(session_hash)s and {SESSION_ALIVE}) v on true
     where i.tenant_id = %(tenant_id)s and i.id = %(interaction)s and i.browser_hash = %(browser_hash)s
       and i.kind = 'authorize' and i.completed_at is null and i.step_expires_at > now()
""")

PERSON_OF = hot(f"""
    select u.id as user_id, {PERSON}
      from insula.users u
     where u.tenant_id = %(tenant_id)s and u.id = %(user_id)s and {PERSON_ALIVE}
""")
