"""Giving a tenant its data key, and opening it."""

from insula.data_keys import store
from insula.data_keys.errors import REMEDY, SealedByAnother
from insula.kernel.crypto import DoesNotOpen, Envelope, TenantCipher
from insula.kernel.db import Database
from insula.kernel.errors import Unavailable
from insula.tenancy.db import Connection
from insula.tenancy.models import DEFAULT, DEFAULT_TENANT_ID


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


async def refuse_another_master_key(database: Database, envelope: Envelope) -> None:
    """
    Refuse a master key with which nothing here opens; one trip.

    The tenant that every installation has tells it: it gets its data key with the first start. What
    has none yet takes any master key. Raises `SealedByAnother`, `Unavailable`.
    """
    wrapped = await store.peek(database, DEFAULT_TENANT_ID)
    if wrapped is None:
        return
    try:
        envelope.cipher(DEFAULT_TENANT_ID, wrapped)
    except DoesNotOpen as error:
        raise SealedByAnother(f"The keys of {DEFAULT} do not open: {REMEDY}") from error
