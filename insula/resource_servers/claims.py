"""Claims of a tenant's own: which attribute of a person each tells."""

from collections.abc import Sequence

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.ownership import service as ownership
from insula.resource_servers import store
from insula.resource_servers.errors import InUse, NoSuchMapping
from insula.resource_servers.models import check_mapping
from insula.tenancy.db import Connection, Row, Tenant, raise_version


async def map_claim(tenant: Tenant, claim: str, attribute: str, actor: Actor = SYSTEM) -> None:
    """
    Let *claim* tell an *attribute* of a person, to whom a scope with the claim is granted.

    Raises `InvalidResource`, `OwnedByGit`.
    """
    check_mapping(claim, attribute)
    async with tenant.transaction() as db:
        await ownership.begin(db, actor)
        await ownership.refuse(db, actor, "claims", claim)
        await store.put_mapping(db, claim, attribute)
        await _note(db, "claim.mapped", claim, actor, attribute=attribute)


async def unmap(tenant: Tenant, claim: str, actor: Actor = SYSTEM) -> None:
    """
    Take a mapping away; no scope may stand for it.

    Raises `NoSuchMapping`, `InUse`, `OwnedByGit`.
    """
    async with tenant.transaction() as db:
        await ownership.begin(db, actor)
        await ownership.refuse(db, actor, "claims", claim)
        if not await store.lock_mapping(db, claim):
            raise NoSuchMapping("No mapping of that claim in this tenant.")
        if scopes := await store.scopes_with(db, claim):
            raise InUse(f"In use by the scopes {', '.join(scopes)}.")
        await store.delete_mapping(db, claim)
        await _note(db, "claim.unmapped", claim, actor)


async def list_mappings(tenant: Tenant) -> Sequence[Row]:
    """Every mapping by claim."""
    async with tenant.transaction() as db:
        return await store.mappings(db)


async def _note(db: Connection, event: str, claim: str, actor: Actor, **metadata: str) -> None:
    await audit.record(
        db, Event(event, actor, target_type="claim", target_id=claim, metadata=metadata)
    )
    await raise_version(db, "resource_servers")
