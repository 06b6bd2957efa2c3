"""Giving a tenant its data key, and opening it."""

from insula.data_keys import store
from insula.kernel.crypto import Envelope, TenantCipher
from insula.kernel.errors import Unavailable
from insula.tenancy.db import Connection


async def keep(db: Connection, wrapped: bytes) -> None:
    """Give the bound tenant its key, at its birth."""
    await store.insert(db, wrapped)


async def wrapped_key(db: Connection) -> bytes | None:
    """The bound tenant's key as it is stored; None before it has one."""
    found = await store.find(db)
    return None if found is None else bytes(found.wrapped)


async def cipher(db: Connection, envelope: Envelope) -> TenantCipher:
    """
    What seals and opens for the bound tenant.

    Raises `Unavailable` for a tenant without a key, `DoesNotOpen` without the master key.
    """
    found = await store.find(db)
    if found is None:
        raise Unavailable("no data key", detail="the bound tenant has no data key")
    return envelope.cipher(found.tenant_id, bytes(found.wrapped))
