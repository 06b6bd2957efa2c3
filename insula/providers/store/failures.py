"""Failed client authentications, counted."""

from insula.providers.statements import hot

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
