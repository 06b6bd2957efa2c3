"""All SQL on idempotency_keys."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from insula.tenancy.db import Connection, Row


async def claim(
    db: Connection, key_hash: bytes, request_hash: bytes, life: timedelta
) -> UUID | None:
    """Take a key that nobody has taken within its life; None if somebody has."""
    new: UUID | None = await db.scalar(
        text("""
            insert into insula.idempotency_keys as k (key_hash, request_hash, expires_at, sweep_after)
            values (:key_hash, :request_hash, now() + :life, now() + :life)
            on conflict (tenant_id, key_hash) do update
               set request_hash = excluded.request_hash, answer = null,
                   expires_at = excluded.expires_at, sweep_after = excluded.sweep_after
             where k.expires_at <= now()
            returning id
        """),
        {"key_hash": key_hash, "request_hash": request_hash, "life": life},
    )
    return new


async def find(db: Connection, key_hash: bytes) -> Row | None:
    return (
        await db.execute(
            text(
                "select request_hash, answer from insula.idempotency_keys where key_hash = :key_hash"
            ),
            {"key_hash": key_hash},
        )
    ).one_or_none()


async def keep(db: Connection, claimed: UUID, answer: bytes) -> None:
    """Remember what was answered, sealed."""
    await db.execute(
        text("update insula.idempotency_keys set answer = :answer where id = :id"),
        {"answer": answer, "id": claimed},
    )


async def release(db: Connection, claimed: UUID) -> None:
    """Let a key be taken again, since nothing came of the request."""
    await db.execute(
        text("delete from insula.idempotency_keys where id = :id and answer is null"),
        {"id": claimed},
    )
