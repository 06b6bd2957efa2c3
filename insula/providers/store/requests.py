"""Authorization requests that a client pushed, and values that count once."""

from insula.providers.statements import hot

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
