"""All SQL on tenant_data_keys, but for the trip that fetches a tenant's signing keys with it."""

from sqlalchemy import text

from insula.tenancy.db import Connection, Row


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
