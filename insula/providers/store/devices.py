"""Devices that wait for a person: begun, polled, spent."""

from insula.providers.statements import PERSON, PERSON_ALIVE, SESSION_ALIVE, granted, hot
from insula.providers.store.issuing import ISSUED

# ruff: noqa: S608  (every interpolated piece is a constant of this package)

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
           extract(epoch from x.auth_time)::bigint as auth_time, x.amr, x.acr,
           extract(epoch from x.created_at)::float8 as given_at, {PERSON}
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
      select id, 'device', client_id, user_id, session_id, grant_id, %(session_bound)s, %(scopes)s,
             %(resources)s, auth_time, amr, acr, now() + %(keep)s
        from spent
    ), {ISSUED}
""")
