"""All SQL on signing_keys and key_adoption; a data key is fetched with signing keys, in one trip."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text

from insula.keys.models import SigningKeyRecord
from insula.oidc.signing import GeneratedKey
from insula.tenancy.db import Connection, Row, Tenant, statement

#: As in `tenants_with_keys_due`.
_STALE = """state = 'active' and planned_at <= (
    select coalesce(max(p.updated_at) + interval '1 minute', '-infinity')
      from insula.platform_settings p where p.section in ('keys.rotation', 'oidc.ttl'))"""
_COLUMNS = (
    "id, kid, alg, state, public_jwk, published_at, activated_at, retiring_at, retired_at, due_at,"
    f" longest_life, waiting_since, waits_for, ({_STALE}) as stale"
)


async def insert(
    db: Connection, key: GeneratedKey, sealed: bytes, state: str, due_in: timedelta
) -> None:
    await db.execute(
        text("""
            insert into insula.signing_keys
              (kid, alg, state, public_jwk, sealed, activated_at, due_at)
            values (:kid, :alg, :state, cast(:jwk as jsonb), :sealed,
                    case when :state = 'active' then now() end, now() + :due_in)
        """),
        {
            "kid": key.kid,
            "alg": key.alg,
            "state": state,
            "jwk": json.dumps(key.public_jwk),
            "sealed": sealed,
            "due_in": due_in,
        },
    )


async def all_keys(db: Connection) -> list[SigningKeyRecord]:
    rows = await db.execute(
        text(f"select {_COLUMNS} from insula.signing_keys order by published_at desc, kid")  # noqa: S608  (a constant)
    )
    return [SigningKeyRecord(**row) for row in rows.mappings()]


async def lock(db: Connection) -> list[SigningKeyRecord]:
    """
    All keys of the tenant, locked: one rotation at a time.

    The tenant's own line first, as a save of its settings does, which marks its keys: so neither
    waits for the other in a ring. Read after the locks, since who waited for them would miss a key
    that was published meanwhile.
    """
    await db.execute(
        text("select from insula.tenants where id = insula.current_tenant() for no key update")
    )
    await db.execute(text("select from insula.signing_keys order by id for update"))
    return await all_keys(db)


async def sealed_rows(db: Connection) -> Sequence[Row]:
    """What a backup holds: rows as they are, private parts sealed."""
    return (
        await db.execute(
            text(f"select {_COLUMNS}, sealed from insula.signing_keys order by published_at")  # noqa: S608  (names of ours)
        )
    ).all()


async def is_past(db: Connection, kid: str, column: str, span: timedelta) -> bool:
    """Whether *column* of a key lies at least *span* back, by the database's clock."""
    return bool(
        await db.scalar(
            text(f"select {column} + :span <= now() from insula.signing_keys where kid = :kid"),  # noqa: S608  (a name of ours)
            {"span": span, "kid": kid},
        )
    )


async def activate(
    db: Connection, key: SigningKeyRecord, interval: timedelta, before: SigningKeyRecord | None
) -> None:
    """`next` becomes `active`, and *before*, which was that, `retiring`, under the unique index."""
    if before is not None:
        await db.execute(
            text("""
                update insula.signing_keys
                   set state = 'retiring', retiring_at = now(), longest_life = :longest
                 where kid = :kid and state = 'active'
            """),
            {"kid": before.kid, "longest": before.overlap_life},
        )
    await db.execute(
        text("""
            update insula.signing_keys
               set state = 'active', activated_at = now(), due_at = now() + :interval,
                   planned_at = '-infinity', longest_life = null, waiting_since = null, waits_for = '{}'
             where kid = :kid and state = 'next'
        """),
        {"kid": key.kid, "interval": interval},
    )


async def due_in(db: Connection, kid: str, span: timedelta) -> None:
    await db.execute(
        text("update insula.signing_keys set due_at = now() + :span where kid = :kid"),
        {"kid": kid, "span": span},
    )


async def plan(db: Connection, kid: str, due_at: datetime | None, longest_life: int | None) -> None:
    """The times of a key by the settings that hold now."""
    await db.execute(
        text("""
            update insula.signing_keys
               set due_at = :due_at, longest_life = :longest, planned_at = now()
             where kid = :kid
        """),
        {"kid": kid, "due_at": due_at, "longest": longest_life},
    )


async def wait(
    db: Connection, kid: str, behind: Sequence[str], again: timedelta, until: datetime
) -> None:
    """Leave a key that would sign by now for a while, since these clients are behind."""
    await db.execute(
        text("""
            update insula.signing_keys
               set waiting_since = coalesce(waiting_since, now()), waits_for = :behind,
                   due_at = least(now() + :again, :until)
             where kid = :kid
        """),
        {"kid": kid, "behind": list(behind), "again": again, "until": until},
    )


async def set_state(db: Connection, kid: str, state: str) -> None:
    await db.execute(
        text("""
            update insula.signing_keys
               set state = :state, due_at = null, waiting_since = null, waits_for = '{}',
                   retired_at = case when :state = 'retired' then now() else retired_at end,
                   revoked_at = case when :state = 'revoked' then now() else revoked_at end
             where kid = :kid
        """),
        {"kid": kid, "state": state},
    )


async def resume_rotation(db: Connection, kid: str, interval: timedelta) -> None:
    """Let a key that signs come due again, as if nothing had been published."""
    await db.execute(
        text("""
            update insula.signing_keys set due_at = greatest(activated_at + :interval, now())
             where kid = :kid and state = 'active'
        """),
        {"kid": kid, "interval": interval},
    )


async def postpone(db: Connection, kid: str) -> None:
    """Nothing more to do for this key by itself."""
    await db.execute(
        text("update insula.signing_keys set due_at = null where kid = :kid"), {"kid": kid}
    )


async def due(db: Connection) -> list[SigningKeyRecord]:
    rows = await db.execute(
        text(
            f"select {_COLUMNS} from insula.signing_keys"  # noqa: S608  (names of ours)
            " where due_at <= now() order by published_at for update"
        )
    )
    return [SigningKeyRecord(**row) for row in rows.mappings()]


_MATERIAL = statement("""
    select k.kid, k.alg, k.state, k.public_jwk, k.sealed, d.wrapped, t.version
      from insula.tenants t
      join insula.tenant_data_keys d on d.tenant_id = t.id
      left join insula.signing_keys k on k.tenant_id = t.id and k.state <> 'revoked'
     where t.id = %(tenant_id)s
     order by array_position(array['active', 'next', 'retiring', 'retired'], k.state),
              k.published_at desc, k.kid
""")


async def material(tenant: Tenant) -> Sequence[Row]:
    """Everything a provider signs and verifies with, and the version it was read at; one trip."""
    return await tenant.once(_MATERIAL, {})


async def behind(db: Connection, kid: str, most: int) -> list[str]:
    """Important clients that have been seen, and never with this key; by client_id."""
    rows = await db.execute(
        text("""
            select c.client_id from insula.clients c
             where c.important and c.status = 'active'
               and exists (select from insula.key_adoption a where a.client_id = c.id)
               and not exists (select from insula.key_adoption a
                                where a.client_id = c.id and a.kid = :kid)
             order by c.client_id limit :most
        """),
        {"kid": kid, "most": most},
    )
    return list(rows.scalars())


async def adoption(db: Connection, after: str, limit: int) -> Sequence[Row]:
    """What is known of active clients by client_id, after one; *behind* null without evidence."""
    return (
        await db.execute(
            text("""
                select c.id, c.client_id, c.name, c.important, e.evidence,
                       case when e.evidence is not null then exists (
                         select from insula.signing_keys k
                          where k.state = 'next'
                            and not exists (select from insula.key_adoption a
                                             where a.client_id = c.id and a.kid = k.kid)) end as behind
                  from insula.clients c
                  cross join lateral (
                    select jsonb_agg(jsonb_build_object('kid', a.kid, 'alg', a.alg, 'how', a.how,
                                                        'last_seen', a.last_seen)
                                     order by a.last_seen desc, a.alg, a.how) as evidence
                      from insula.key_adoption a where a.client_id = c.id) e
                 where c.client_id > :after and c.status = 'active'
                 order by c.client_id limit :limit
            """),
            {"after": after, "limit": limit},
        )
    ).all()


#: The newest evidence of each kind; a client that is gone meanwhile is left out.
_WRITE_ADOPTION = statement("""
    insert into insula.key_adoption (client_id, how, alg, kid, last_seen)
    select x.client_id, x.how, x.alg, x.kid, to_timestamp(x.seen)
      from jsonb_to_recordset(%(rows)s::jsonb)
             x (client_id uuid, how text, alg text, kid text, seen double precision)
      join insula.clients c on c.tenant_id = %(tenant_id)s and c.id = x.client_id
     order by x.client_id, x.how, x.alg
       for key share of c
    on conflict (tenant_id, client_id, how, alg) do update
       set kid = excluded.kid, last_seen = excluded.last_seen
     where insula.key_adoption.last_seen < excluded.last_seen
""")


async def write_adoption(tenant: Tenant, rows: Sequence[tuple[UUID, str, str, str, float]]) -> None:
    """Store evidence (client, how, alg, kid, seconds since 1970) in one trip."""
    names = ("client_id", "how", "alg", "kid", "seen")
    told = [dict(zip(names, (str(row[0]), *row[1:]), strict=True)) for row in rows]
    await tenant.once(_WRITE_ADOPTION, {"rows": json.dumps(told)})
