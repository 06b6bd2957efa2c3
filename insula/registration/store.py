"""All SQL on initial_access_tokens, and on clients where they register and manage themselves."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from insula.registration.models import Wanted
from insula.tenancy.db import Connection, Row, Tenant, statement

_USABLE = "uses_left > 0 and expires_at > now() and revoked_at is null"

_POLICY = statement(f"""
    select policy from insula.initial_access_tokens
     where tenant_id = %(tenant_id)s and token_hash = %(token_hash)s and {_USABLE}
""")  # noqa: S608  (words of ours)

_HELD = """
    select id, client_id, name, metadata, registration_policy, adopted_at is not null as is_adopted,
           extract(epoch from created_at)::bigint as issued_at
      from insula.clients"""

_FIND = statement(f"""{_HELD}
     where tenant_id = %(tenant_id)s and client_id = %(client_id)s
       and registration_hash = %(token_hash)s and status = 'active'
""")


_LOGO = statement("""
    select image from insula.client_logos
     where tenant_id = %(tenant_id)s and digest = %(digest)s::bytea limit 1
""")

_COUNT = statement("""
    insert into insula.attempt_counters as a (kind, subject, n, window_ends_at, sweep_after)
    values ('registration', %(subject)s::bytea, 1, now() + %(span)s::interval,
            now() + %(span)s::interval + interval '1 hour')
    on conflict (tenant_id, kind, subject) do update
       set n = case when a.window_ends_at <= now() then 1 else a.n + 1 end,
           window_ends_at = case when a.window_ends_at <= now() then excluded.window_ends_at
                                 else a.window_ends_at end,
           sweep_after = excluded.sweep_after
    returning n, extract(epoch from window_ends_at - now())::float8 as left_s
""")


async def count_attempt(tenant: Tenant, subject: bytes, span: timedelta) -> tuple[int, float]:
    """Count one more attempt of somebody; how many there were, and seconds until they are over."""
    row = (await tenant.once(_COUNT, {"subject": subject, "span": span}))[0]
    return row.n, row.left_s


async def policy(tenant: Tenant, token_hash: bytes) -> Mapping[str, Any] | None:
    rows = await tenant.once(_POLICY, {"token_hash": token_hash})
    return rows[0].policy if rows else None


async def use(db: Connection, token_hash: bytes) -> Row | None:
    """Take one use from a token, and say what it allows; None when there is none to take."""
    return (
        await db.execute(
            text(f"""
                update insula.initial_access_tokens set uses_left = uses_left - 1
                 where token_hash = :token_hash and {_USABLE}
                returning id, policy
            """),  # noqa: S608  (words of ours)
            {"token_hash": token_hash},
        )
    ).one_or_none()


async def count_dynamic(db: Connection) -> int:
    found: int = (
        await db.execute(text("select count(*) from insula.clients where origin = 'dynamic'"))
    ).scalar_one()
    return found


async def insert(db: Connection, wanted: Wanted, token_hash: bytes, admitted_by: Row | None) -> int:
    """Insert the client; when that was, in seconds since 1970."""
    issued_at: int = (
        await db.execute(
            text("""
                insert into insula.clients (id, client_id, name, metadata, origin, registration_hash,
                                            initial_access_token_id, registration_policy)
                values (:id, :client_id, :name, cast(:metadata as jsonb), 'dynamic', :token_hash,
                        :admitted_by, cast(:policy as jsonb))
                returning extract(epoch from created_at)::bigint
            """),
            {
                "id": wanted.id,
                "client_id": wanted.client_id,
                "name": wanted.name,
                "metadata": json.dumps(wanted.metadata.model_dump(mode="json")),
                "token_hash": token_hash,
                "admitted_by": admitted_by.id if admitted_by else None,
                "policy": json.dumps(admitted_by.policy if admitted_by else {}),
            },
        )
    ).scalar_one()
    return issued_at


async def find(tenant: Tenant, client_id: str, token_hash: bytes) -> Row | None:
    rows = await tenant.once(_FIND, {"client_id": client_id, "token_hash": token_hash})
    return rows[0] if rows else None


async def hold(db: Connection, client_id: str, token_hash: bytes) -> Row | None:
    """The client of a registration token; nobody else changes it before the transaction ends."""
    return (
        await db.execute(
            text(f"""{_HELD}
                where client_id = :client_id and registration_hash = :token_hash
                  and status = 'active' for update
            """),
            {"client_id": client_id, "token_hash": token_hash},
        )
    ).one_or_none()


async def replace(db: Connection, wanted: Wanted, token_hash: bytes) -> None:
    """Write all of a client; nobody has looked at what it says now (DR-17)."""
    await db.execute(
        text("""
            update insula.clients
               set name = :name, metadata = cast(:metadata as jsonb), registration_hash = :token_hash,
                   verified_at = null, updated_at = now()
             where id = :id
        """),
        {
            "id": wanted.id,
            "name": wanted.name,
            "metadata": json.dumps(wanted.metadata.model_dump(mode="json")),
            "token_hash": token_hash,
        },
    )


async def write_logo(db: Connection, wanted: Wanted) -> None:
    """Let the client have the logo that it has now, or none."""
    await db.execute(
        text("delete from insula.client_logos where client_id = :client"), {"client": wanted.id}
    )
    if wanted.logo is not None:
        await db.execute(
            text("""
                insert into insula.client_logos (client_id, digest, image)
                values (:client, :digest, :image)
            """),
            {"client": wanted.id, "digest": wanted.logo.digest, "image": wanted.logo.image},
        )


async def logo(tenant: Tenant, digest: bytes) -> bytes | None:
    rows = await tenant.once(_LOGO, {"digest": digest})
    return bytes(rows[0].image) if rows else None


async def delete(db: Connection, client: UUID) -> None:
    await db.execute(text("delete from insula.clients where id = :client"), {"client": client})


async def has_secret(db: Connection, client: UUID, digest: bytes) -> bool:
    """Whether this is one of the client's live secrets."""
    found: bool = (
        await db.execute(
            text("""
                select exists (select from insula.client_secrets
                                where client_id = :client and digest = :digest
                                  and (expires_at is null or expires_at > now()))
            """),
            {"client": client, "digest": digest},
        )
    ).scalar_one()
    return found


async def insert_secret(db: Connection, client: UUID, digest: bytes) -> None:
    await db.execute(
        text("insert into insula.client_secrets (client_id, digest) values (:client, :digest)"),
        {"client": client, "digest": digest},
    )


async def end_secrets(db: Connection, client: UUID) -> None:
    await db.execute(
        text("""
            update insula.client_secrets set expires_at = now()
             where client_id = :client and (expires_at is null or expires_at > now())
        """),
        {"client": client},
    )


# --- initial access tokens, as administrators see them


async def insert_token(  # noqa: PLR0913  (the columns of a row)
    db: Connection,
    token_hash: bytes,
    label: str,
    policy: Mapping[str, Any],
    uses: int,
    life: timedelta,
) -> Row:
    return (
        await db.execute(
            text("""
                insert into insula.initial_access_tokens
                  (token_hash, label, policy, uses_left, expires_at, sweep_after)
                values (:token_hash, :label, cast(:policy as jsonb), :uses, now() + :life,
                        now() + :life + interval '30 days')
                returning id, label, policy, uses_left, created_at, expires_at, revoked_at
            """),
            {
                "token_hash": token_hash,
                "label": label,
                "policy": json.dumps(policy),
                "uses": uses,
                "life": life,
            },
        )
    ).one()


async def tokens(db: Connection, limit: int) -> Sequence[Row]:
    return (
        await db.execute(
            text("""
                select id, label, policy, uses_left, created_at, expires_at, revoked_at
                  from insula.initial_access_tokens order by created_at desc, id limit :limit
            """),
            {"limit": limit},
        )
    ).all()


async def revoke_token(db: Connection, token: UUID) -> Row | None:
    """None where there is none of that id; a token that was revoked before stays so."""
    return (
        await db.execute(
            text("""
                update insula.initial_access_tokens set revoked_at = coalesce(revoked_at, now())
                 where id = :token returning id, label
            """),
            {"token": token},
        )
    ).one_or_none()
