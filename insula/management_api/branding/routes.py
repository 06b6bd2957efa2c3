"""/settings/branding/assets and its twin under /tenants/{slug}/config (features.md J11)."""

from dataclasses import replace
from typing import Annotated, Final
from uuid import UUID

from fastapi import Path, Query, Request

from insula.assets import service
from insula.assets.routes import read_upload
from insula.audit.models import Actor
from insula.management_api.branding.schemas import BODY, Asset, Assets
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.problems import Refusal
from insula.management_api.rules import needs
from insula.management_api.sections.acts import Open
from insula.management_api.tenants.routes import Slug
from insula.tenants import registry

router = router_of("Branding")

Id = Annotated[UUID, Path(description="The image's id.")]
Kind = Annotated[str, Query(max_length=32, description="What a file that comes alone is for.")]
_ALONE: Final = frozenset(BODY["requestBody"]["content"]) | {
    "image/vnd.microsoft.icon", "application/octet-stream",
}  # fmt: skip


async def _upload(request: Request, kind: str, opened: Open, actor: Actor) -> Asset:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _ALONE:
        raise Refusal(415, "media_type", "Send a PNG, WebP, ICO or SVG file, or a form with one.")
    if media_type == "multipart/form-data":
        fields, files = await read_upload(request)
        body = files.get("file", b"")
        kind = kind or next(iter(fields.get("kind", [])), "")
    else:
        body = await request.body()
    drawn = await service.draw(kind, body)
    async with opened() as db:
        return Asset.of(await service.add(db, kind, drawn, actor))


async def _of_tenant(caller: Caller, slug: str) -> Open:
    entry = await registry.get(caller.parts.platform, slug)
    return lambda: caller.parts.platform.within(entry.id)


def _platform(caller: Caller) -> Actor:
    """Who acts, as a tenant's own record names them: the platform."""
    return replace(caller.actor, type="platform")


@router.get(
    "/settings/branding/assets", summary="List images", openapi_extra=needs("settings:read")
)
async def list_assets(caller: Calling) -> Assets:
    async with caller.tenant.transaction() as db:
        return Assets(data=[Asset.of(each) for each in await service.all_of(db)])


@router.post(
    "/settings/branding/assets",
    status_code=201,
    summary="Upload an image",
    openapi_extra={**needs("settings:write", takes_file=True), **BODY},
)
async def upload_asset(caller: Calling, request: Request, kind: Kind = "") -> Asset:
    """
    PNG, WebP, ICO or SVG of at most 1 MB and 2,000 pixels, drawn anew.

    Give its `path` to a field of the section `branding`; what no field holds leaves after a week.
    """
    return await _upload(request, kind, caller.tenant.transaction, caller.actor)


@router.delete(
    "/settings/branding/assets/{asset}",
    status_code=204,
    summary="Take an image away",
    openapi_extra=needs("settings:write", tier="delete"),
)
async def remove_asset(caller: Calling, asset: Id) -> None:
    async with caller.tenant.transaction() as db:
        await service.remove(db, asset, caller.actor)


@router.get(
    "/tenants/{slug}/config/branding/assets",
    summary="List images of a tenant",
    openapi_extra=needs("cross-tenant:read"),
)
async def list_assets_of(caller: Calling, slug: Slug) -> Assets:
    async with (await _of_tenant(caller, slug))() as db:
        return Assets(data=[Asset.of(each) for each in await service.all_of(db)])


@router.post(
    "/tenants/{slug}/config/branding/assets",
    status_code=201,
    summary="Upload an image for a tenant",
    openapi_extra={**needs("cross-tenant:write", takes_file=True), **BODY},
)
async def upload_asset_of(caller: Calling, slug: Slug, request: Request, kind: Kind = "") -> Asset:
    return await _upload(request, kind, await _of_tenant(caller, slug), _platform(caller))


@router.delete(
    "/tenants/{slug}/config/branding/assets/{asset}",
    status_code=204,
    summary="Take an image of a tenant away",
    openapi_extra=needs("cross-tenant:write", tier="delete"),
)
async def remove_asset_of(caller: Calling, slug: Slug, asset: Id) -> None:
    async with (await _of_tenant(caller, slug))() as db:
        await service.remove(db, asset, _platform(caller))
