"""/settings: what the tenant of the host decides for itself (features.md C07, C09, C11, J03)."""

from typing import Annotated, Literal

from fastapi import Body, Path, Query, Response

from insula.config_overrides import history, service, taken_away
from insula.config_overrides.masks import all_masked
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import After, Limit, PageOf
from insula.management_api.rules import needs
from insula.management_api.sections.acts import Acts, saving, tag, telling_fields
from insula.management_api.sections.places import MAY_PLAN, Asking, Own, SectionKey
from insula.management_api.sections.schemas import (
    Changed,
    Export,
    Import,
    Preview,
    Proposal,
    Release,
    Restore,
    Sections,
    SectionState,
    Version,
    VersionDetail,
)
from insula.management_api.sections.told import ShutOut, Value
from insula.management_api.versions import IfMatch

router = router_of("Settings")

Number = Annotated[int, Path(ge=1, le=2**62, description="The version's number.")]
Explain = Annotated[bool, Query(description="Say of each field where its value comes from.")]
SecretsAs = Annotated[
    Literal["masked", "sealed"], Query(description="What stands in the place of secrets.")
]
Values = Annotated[
    dict[str, Value],
    Body(description="Values by field; null inherits.", examples=[{"id_token": 300}]),
]


def _acts(caller: Caller) -> Acts:
    return Acts(caller.tenant.transaction)


@router.get("/settings", summary="Read all settings", openapi_extra=needs("settings:read"))
async def list_settings(
    caller: Calling,
    explain: Explain = False,  # noqa: FBT002  (a parameter of the query)
) -> Sections:
    layers = await service.load(caller.tenant)
    sections = caller.parts.catalogue
    return Sections(data=[SectionState.of(each, layers, explained=explain) for each in sections])


@router.post("/settings/preview", summary="Preview a save", openapi_extra=needs("settings:read"))
async def preview_settings(caller: Calling, wanted: Proposal) -> Preview:
    """
    What would hold instead, and whom that would shut out.

    What the save would be refused for is refused here too. That names were given is recorded.
    """
    section = caller.parts.catalogue.of_tenant(wanted.section)
    how = saving(caller.parts.envelope, caller.actor, None)
    changes, impacts = await _acts(caller).preview(
        caller.parts.catalogue, section, wanted.values, how, names=wanted.names
    )
    return Preview(changes=changes, shut_out=[ShutOut.told(each) for each in impacts])


@router.get(
    "/settings/export",
    summary="Export all settings",
    openapi_extra=needs("settings:read", tier="sensitive"),
)
async def export_settings(
    caller: Calling, response: Response, secrets: SecretsAs = "masked"
) -> Export:
    """
    A mask, imported, keeps what is stored; what is sealed opens in this tenant alone.

    Each export is recorded.
    """
    async with caller.tenant.transaction() as db:
        own = await taken_away.export(db, caller.actor, sealed=secrets == "sealed")
    tag(response, own)
    return Export(settings=own if secrets == "sealed" else all_masked(own))


@router.post(
    "/settings/import",
    summary="Import all settings",
    openapi_extra=needs("settings:write", tier="sensitive", dangerous=True),
)
async def import_settings(caller: Calling, wanted: Import, if_match: IfMatch = None) -> Changed:
    """All of it or nothing."""
    how = saving(caller.parts.envelope, caller.actor, if_match, reason=wanted.reason)
    sections = caller.parts.catalogue.of_tenants()
    with telling_fields():
        async with caller.tenant.transaction() as db:
            changed = await service.replace_all(db, sections, wanted.settings, how)
    return Changed(changed=changed)


@router.get("/settings/versions", summary="List saves", openapi_extra=needs("settings:read"))
async def list_versions(caller: Calling, limit: Limit = 25, after: After = None) -> PageOf[Version]:
    """Newest first; fifty are kept."""
    cursors, home = caller.parts.cursors, caller.tenant.id
    before = int(cursors.open(home, "versions", after, 1)[0]) if after else None
    async with caller.tenant.transaction() as db:
        found = await history.versions(db, before=before, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    return PageOf(
        data=[Version.of(each) for each in shown],
        next=cursors.seal(home, "versions", [str(shown[-1].number)]) if more else None,
        has_more=more,
    )


@router.get(
    "/settings/versions/{number}", summary="Read a save", openapi_extra=needs("settings:read")
)
async def show_version(caller: Calling, number: Number) -> VersionDetail:
    async with caller.tenant.transaction() as db:
        return VersionDetail.of(await history.version(db, number))


@router.post(
    "/settings/versions/{number}/restore",
    summary="Go back to a save",
    openapi_extra=needs("settings:write", tier="sensitive", dangerous=True),
)
async def restore_version(
    caller: Calling, number: Number, wanted: Restore | None = None
) -> Changed:
    """A new save, within today's bounds."""
    how = saving(caller.parts.envelope, caller.actor, None, reason=wanted.reason if wanted else "")
    with telling_fields():
        async with caller.tenant.transaction() as db:
            sections = caller.parts.catalogue.of_tenants()
            return Changed(changed=await history.restore(db, sections, number, how))


@router.get("/settings/{section}", summary="Read a section", openapi_extra=needs("settings:read"))
async def show_section(
    caller: Calling,
    section: SectionKey,
    response: Response,
    explain: Explain = False,  # noqa: FBT002  (a parameter of the query)
) -> SectionState:
    kind = caller.parts.catalogue.get(section)
    return await _acts(caller).show(kind, response, explained=explain)


@router.put(
    "/settings/{section}",
    summary="Replace a section",
    response_model=SectionState,
    responses=MAY_PLAN,
    openapi_extra=needs("settings:write"),
)
async def replace_section(
    place: Own, values: Values, asked: Asking, response: Response
) -> SectionState | Response:
    """What is not named is inherited; `If-Match` is required."""
    return await place.save(values, asked, response, replace=True)


@router.patch(
    "/settings/{section}",
    summary="Change a section",
    response_model=SectionState,
    responses=MAY_PLAN,
    openapi_extra=needs("settings:write"),
)
async def change_section(
    place: Own, values: Values, asked: Asking, response: Response
) -> SectionState | Response:
    """What is not named stays."""
    return await place.save(values, asked, response, replace=False)


@router.delete(
    "/settings/{section}",
    summary="Reset a section",
    response_model=SectionState,
    responses=MAY_PLAN,
    openapi_extra=needs("settings:write", tier="delete"),
)
async def reset_section(place: Own, asked: Asking, response: Response) -> SectionState | Response:
    """Everything in it is inherited again."""
    return await place.save(None, asked, response, replace=False)


@router.post(
    "/settings/{section}/release",
    summary="Release fields that documents own",
    openapi_extra=needs("settings:write", dangerous=True),
)
async def release_fields(
    caller: Calling, section: SectionKey, wanted: Release, response: Response
) -> SectionState:
    """They may be changed by hand, until the documents are applied again."""
    kind = caller.parts.catalogue.get(section)
    how = saving(caller.parts.envelope, caller.actor, None, reason=wanted.reason)
    return await _acts(caller).release(kind, wanted.fields, how, response)
