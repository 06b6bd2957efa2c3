"""SQL on device_grants as far as a person decides on them."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from insula.tenancy.db import Connection, Row, Tenant, statement

_IS_ON = statement("""
    select coalesce((p.bounds ->> 'device')::boolean, true)
           and coalesce((t.value ->> 'device')::boolean, (p.value ->> 'device')::boolean, true) as is_on
      from (values ('oidc.features')) f (section)
      left join insula.tenant_settings t on t.section = f.section and t.tenant_id = %(tenant_id)s
      left join insula.platform_settings p on p.section = f.section
""")

_FIND = statement("""
    select g.id, g.scopes, host(g.ip) as ip, g.user_agent, g.created_at, c.id as client,
           c.client_id, c.name, c.metadata, c.origin = 'administrator' or c.verified_at is not null as is_verified,
           (select coalesce(jsonb_object_agg(s.name, jsonb_build_array(s.title, s.description)), '{}')
              from insula.scopes s
             where s.tenant_id = g.tenant_id and s.name = any (g.scopes)) as texts,
           array(select r.name from insula.resource_servers r
                  where r.tenant_id = g.tenant_id and r.identifier = any (g.resources)
                  order by r.identifier) as audiences
      from insula.device_grants g
      join insula.clients c on c.tenant_id = g.tenant_id and c.id = g.client_id and c.status = 'active'
     where g.tenant_id = %(tenant_id)s and g.user_code_hash = %(code_hash)s
       and g.status = 'pending' and g.expires_at > now()
""")

#: Wrong codes, counted before the code is looked at. A window starts anew when it is over, and with
#: the last code before the form stops, so that it stays stopped for a whole one.
_COUNT = statement("""
    insert into insula.attempt_counters as a (kind, subject, n, window_ends_at, sweep_after)
    select x.kind, x.subject, 1, now() + %(window)s, now() + %(window)s + interval '1 hour'
      from unnest(%(kinds)s::text[], %(subjects)s::bytea[]) as x(kind, subject)
     order by x.kind, x.subject
    on conflict (tenant_id, kind, subject) do update
       set n = case when a.window_ends_at <= now() then 1 else a.n + 1 end,
           window_ends_at = case when a.window_ends_at <= now()
                                   or a.n + 1 = (%(most)s::jsonb ->> a.kind)::integer
                                 then excluded.window_ends_at else a.window_ends_at end,
           sweep_after = excluded.sweep_after
    returning kind, n, extract(epoch from window_ends_at - now())::float8 as left_s
""")


async def is_on(tenant: Tenant) -> bool:
    """Whether devices are let in at all, as the tenant and the platform have decided."""
    rows = await tenant.once(_IS_ON, {})
    return bool(rows[0].is_on)


async def find(tenant: Tenant, code_hash: bytes) -> Row | None:
    rows = await tenant.once(_FIND, {"code_hash": code_hash})
    return rows[0] if rows else None


async def count(
    tenant: Tenant,
    counters: Sequence[tuple[str, bytes]],
    window: timedelta,
    most: Mapping[str, int],
) -> dict[str, tuple[int, float]]:
    """
    Count one try on each; the new numbers and the seconds until they are forgotten, by kind.

    *most* is how many tries each kind of counter has in a *window*.
    """
    rows = await tenant.once(
        _COUNT,
        {
            "kinds": [kind for kind, _ in counters],
            "subjects": [subject for _, subject in counters],
            "window": window,
            "most": json.dumps(dict(most)),
        },
    )
    return {row.kind: (row.n, row.left_s) for row in rows}


async def uncount(db: Connection, counters: Sequence[tuple[str, bytes]]) -> None:
    """Take one try back from each: the code was right."""
    for kind, subject in sorted(counters):
        await db.execute(
            text(
                "update insula.attempt_counters set n = n - 1"
                " where kind = :kind and subject = :subject and n > 0"
            ),
            {"kind": kind, "subject": subject},
        )


async def approve(
    db: Connection, code_hash: bytes, session_id: UUID, scopes: Sequence[str]
) -> Row | None:
    """Let a waiting device in as the person of a session that is alive; None if either has ended."""
    return (
        await db.execute(
            text("""
                update insula.device_grants g
                   set status = 'approved', user_id = s.user_id, session_id = s.id, scopes = :scopes,
                       grant_id = (select x.id from insula.grants x
                                    where x.user_id = s.user_id and x.client_id = g.client_id
                                      and x.revoked_at is null and x.expires_at > now()),
                       auth_time = s.auth_time, amr = s.amr, acr = s.acr
                  from insula.sessions s
                 where g.user_code_hash = :code_hash and g.status = 'pending' and g.expires_at > now()
                   and s.id = :session_id and s.ended_at is null and s.idle_expires_at > now()
                   and s.absolute_expires_at > now()
                returning g.id
            """),
            {"code_hash": code_hash, "session_id": session_id, "scopes": list(scopes)},
        )
    ).one_or_none()


async def deny(db: Connection, code_hash: bytes) -> Row | None:
    return (
        await db.execute(
            text("""
                update insula.device_grants set status = 'denied'
                 where user_code_hash = :code_hash and status = 'pending' and expires_at > now()
                returning id
            """),
            {"code_hash": code_hash},
        )
    ).one_or_none()
