"""All SQL on tenant_data_keys, but for the trip that fetches a tenant's signing keys with it."""

from uuid import UUID

from sqlalchemy import text

from insula.kernel.db import Database
from insula.tenancy.db import Connection, Row, statement


async def insert(db: Connection, wrapped: bytes) -> None:
    await db.execute(
        text("insert into insula.tenant_data_keys (wrapped) values (:wrapped)"),
        {"wrapped": wrapped},
    )


async def find(db: Connection) -> Row | None:
    """The bound tenant's id and its wrapped key."""
    return (
        await db.execute(text("select tenant_id, wrapped from insula.tenant_data_keys"))
    ).one_or_none()


_PEEK = statement("select wrapped from insula.tenant_data_keys")


async def peek(database: Database, tenant_id: UUID) -> bytes | None:
    """The wrapped key of one tenant in one trip, before there is a door to it."""
    rows = await database.once(tenant_id, _PEEK, {})
    return bytes(rows[0].wrapped) if rows else None
