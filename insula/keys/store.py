"""All SQL on signing_keys; a tenant's data key is fetched with them, in one trip."""

import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import text

from insula.keys.models import SigningKeyRecord
from insula.oidc.signing import GeneratedKey
from insula.tenancy.db import Connection, Row, Tenant, statement

_COLUMNS = (
    "id, kid, alg, state, public_jwk, published_at, activated_at, retiring_at, retired_at, due_at"
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

    One lock for all of them first, since rows that change meanwhile can be met in any order. Read
    after the lock, since who waited for it would miss a key that was published meanwhile.
    """
    await db.execute(
        text(
            "select pg_advisory_xact_lock("
            "hashtextextended('signing_keys ' || insula.current_tenant(), 0))"
        )
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
    db: Connection, kid: str, alg: str, interval: timedelta, overlap: timedelta
) -> None:
    """`next` becomes `active` and `active` becomes `retiring`, under the unique index."""
    await db.execute(
        text("""
            update insula.signing_keys
               set state = 'retiring', retiring_at = now(), due_at = now() + :overlap
             where alg = :alg and state = 'active'
        """),
        {"alg": alg, "overlap": overlap},
    )
    await db.execute(
        text("""
            update insula.signing_keys
               set state = 'active', activated_at = now(), due_at = now() + :interval
             where kid = :kid and state = 'next'
        """),
        {"kid": kid, "interval": interval},
    )


async def set_state(db: Connection, kid: str, state: str) -> None:
    await db.execute(
        text("""
            update insula.signing_keys
               set state = :state, due_at = null,
                   retired_at = case when :state = 'retired' then now() else retired_at end,
                   revoked_at = case when :state = 'revoked' then now() else revoked_at end
             where kid = :kid
        """),
        {"kid": kid, "state": state},
    )


async def resume_rotation(db: Connection, alg: str, interval: timedelta) -> None:
    """Let the active key of an algorithm come due again, as if nothing had been published."""
    await db.execute(
        text("""
            update insula.signing_keys set due_at = greatest(activated_at + :interval, now())
             where alg = :alg and state = 'active'
        """),
        {"alg": alg, "interval": interval},
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
