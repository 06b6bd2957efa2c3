"""/platform/settings/versions: what the platform had decided, and going back to it (J03, C05)."""

from dataclasses import replace

from fastapi import Response

from insula.config_overrides import history, platform_history, reach, service
from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import After, Limit, PageOf
from insula.management_api.platform_history.schemas import PlatformChange, RestorePreview
from insula.management_api.platform_settings.schemas import Affected
from insula.management_api.rules import needs
from insula.management_api.sections.acts import saving, tag
from insula.management_api.sections.routes import Number
from insula.management_api.sections.schemas import Changed, Restore, Version, VersionDetail
from insula.management_api.versions import IfMatch

router = router_of("Platform settings")


@router.get(
    "/platform/settings/versions",
    summary="List saves of defaults and bounds",
    openapi_extra=needs("cross-tenant:read"),
)
async def list_platform_versions(
    caller: Calling, limit: Limit = 25, after: After = None
) -> PageOf[Version]:
    """Newest first; fifty are kept."""
    cursors, home = caller.parts.cursors, caller.tenant.id
    before = int(cursors.open(home, "platform-versions", after, 1)[0]) if after else None
    async with caller.parts.platform.within(home) as db:
        found = await history.versions(db, scope="platform", before=before, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    return PageOf(
        data=[Version.of(each) for each in shown],
        next=cursors.seal(home, "platform-versions", [str(shown[-1].number)]) if more else None,
        has_more=more,
    )


@router.get(
    "/platform/settings/versions/{number}",
    summary="Read a save of defaults and bounds",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_platform_version(caller: Calling, number: Number) -> VersionDetail:
    """Its snapshot has `values` and `bounds`."""
    async with caller.parts.platform.within(caller.tenant.id) as db:
        return VersionDetail.of(await history.version(db, number, scope="platform"))


@router.post(
    "/platform/settings/versions/{number}/preview",
    summary="Preview going back to it",
    openapi_extra=needs("cross-tenant:read"),
)
async def preview_platform_version(
    caller: Calling, number: Number, response: Response
) -> RestorePreview:
    """Nothing is saved; the ETag names what is decided now."""
    parts = caller.parts
    async with parts.platform.within(caller.tenant.id) as db:
        layers = await service.load_in(db)
        snapshot = (await history.version(db, number, scope="platform")).snapshot
    tag(response, platform_history.present(layers))
    found = platform_history.changes(parts.catalogue, layers, snapshot)
    moved = await platform_history.preview(parts.platform, parts.catalogue, layers, snapshot)
    clamped = {
        key: Affected.of(
            each,
            await reach.shut_out(parts.platform, parts.catalogue, parts.catalogue.get(key), each),
        )
        for key, each in moved.items()
        if each.tenants
    }
    return RestorePreview(
        changes=[
            PlatformChange(
                part=each.part,
                field=f"{each.section}.{each.name}",
                before=each.before,
                after=each.after,
            )
            for each in found
        ],
        clamped=clamped,
    )


@router.post(
    "/platform/settings/versions/{number}/restore",
    summary="Go back to a save of defaults and bounds",
    openapi_extra=needs("cross-tenant:write", tier="sensitive", dangerous=True),
)
async def restore_platform_version(
    caller: Calling, number: Number, wanted: Restore | None = None, if_match: IfMatch = None
) -> Changed:
    """A new save; what tenants have stored beyond its bounds is kept and clamped."""
    actor = replace(caller.actor, type="platform")
    reason = wanted.reason if wanted else ""
    how = saving(caller.parts.envelope, actor, if_match, reason=reason)
    async with caller.parts.platform.within(caller.tenant.id) as db:
        sections = caller.parts.catalogue
        return Changed(changed=await platform_history.restore(db, sections, number, how))
