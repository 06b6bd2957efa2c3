"""DELETE /tenants/{slug}, its undo, and how far it is (features.md D12, BEY-6)."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query

from insula.audit.models import Actor
from insula.deletion import service
from insula.management_api.caller import Caller
from insula.management_api.deletions.schemas import Deletion, Purge, Restored
from insula.management_api.guard import Calling, router_of
from insula.management_api.rules import needs
from insula.management_api.tenants.routes import Slug

router = router_of("Tenants")

Why = Annotated[str, Query(max_length=500, description="Kept in the record.")]


def _actor(caller: Caller) -> Actor:
    """Who acts, as the tenant's own record names them: the platform."""
    return replace(caller.actor, type="platform")


@router.delete(
    "/tenants/{slug}",
    summary="Delete a tenant",
    status_code=202,
    openapi_extra=needs("tenants:delete", dangerous=True),
)
async def delete_tenant(caller: Calling, slug: Slug, reason: Why = "") -> Deletion:
    """Its access ends at once; it is purged after the grace, until which it can be undone."""
    await service.schedule(caller.parts.platform, slug, reason=reason, actor=_actor(caller))
    return Deletion.of(await service.find(caller.parts.platform, slug))


@router.post(
    "/tenants/{slug}/undo-delete",
    summary="Take a deletion back",
    openapi_extra=needs("tenants:delete", dangerous=True),
)
async def undo_deletion(caller: Calling, slug: Slug) -> Restored:
    status = await service.undo(caller.parts.platform, slug, actor=_actor(caller))
    return Restored(slug=slug, status=status)


@router.get(
    "/tenants/{slug}/deletion",
    summary="How far a deletion is",
    openapi_extra=needs("tenants:read"),
)
async def show_deletion(caller: Calling, slug: Slug) -> Deletion:
    """Also of a tenant that is gone, with the certificate of it."""
    return Deletion.of(await service.find(caller.parts.platform, slug))


@router.patch(
    "/tenants/{slug}/deletion",
    summary="Let a purge rest or go on",
    openapi_extra=needs("tenants:delete"),
)
async def pause_deletion(caller: Calling, slug: Slug, wanted: Purge) -> Deletion:
    act = service.pause if wanted.paused else service.resume
    await act(caller.parts.platform, slug, actor=_actor(caller))
    return Deletion.of(await service.find(caller.parts.platform, slug))
