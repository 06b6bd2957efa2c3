"""GET and PUT /configuration: the tenant of the host, whole and conditional (BEY-12)."""

from typing import Annotated

from fastapi import Query, Response

from insula.configuration.applying import Applying, apply
from insula.configuration.models import Document
from insula.configuration.reading import read
from insula.management_api.configuration.schemas import (
    Outcome,
    OwnedObject,
    OwnedObjects,
    ReleasedObject,
)
from insula.management_api.guard import Calling, router_of
from insula.management_api.rules import needs
from insula.management_api.sections.acts import saving, tag, telling_fields
from insula.management_api.versions import IfMatch
from insula.ownership import service as ownership

router = router_of("Configuration")

DryRun = Annotated[bool, Query(description="Try it, say what would change, take it back.")]

Own = Annotated[
    bool,
    Query(
        description="The settings that the document sets and the objects that it names become"
        " the caller's: changed otherwise they are refused with `owned_by_git`. Whoever owns some"
        " goes on without saying so."
    ),
]
Source = Annotated[
    str, Query(max_length=200, description="Where the document is from, such as a commit.")
]


@router.get(
    "/configuration",
    summary="Read the whole configuration",
    response_model_exclude_none=True,
    openapi_extra=needs("settings:read"),
)
async def show_configuration(caller: Calling, response: Response) -> Document:
    """Settings, claims, APIs, scopes and clients; never a secret."""
    document = await read(caller.tenant)
    tag(response, document.plain())
    return document.masked()


@router.put(
    "/configuration",
    summary="Make the tenant as a document says",
    response_model_exclude_none=True,
    openapi_extra=needs("settings:write", dangerous=True),
)
async def replace_configuration(  # noqa: PLR0913  (parts of the request)
    caller: Calling,
    document: Document,
    response: Response,
    dry_run: DryRun = False,  # noqa: FBT002  (a parameter of the query)
    own: Own = False,  # noqa: FBT002  (a parameter of the query)
    source: Source = "",
    if_match: IfMatch = None,
) -> Outcome:
    """
    All of it or nothing; `If-Match` is required, `*` for whatever there is.

    A part that is missing is not touched; a part that is there is the whole of it. Of the scopes
    of this API a client is given no others than the caller has, and whether it may do dangerous
    acts stays as it is.
    """
    how = saving(caller.parts.envelope, caller.actor, if_match, required=True)
    with telling_fields():
        applied = await apply(
            caller.tenant,
            caller.parts.catalogue.of_tenants(),
            document,
            Applying(
                caller.actor,
                expected=how.expected,
                dry_run=dry_run,
                development=caller.parts.development,
                envelope=caller.parts.envelope,
                own=own,
                source=source,
                held=caller.scopes,
            ),
        )
    response.headers["ETag"] = f'"{applied.etag}"'
    return Outcome.of(applied)


@router.get(
    "/configuration/owned",
    summary="List objects that documents own",
    openapi_extra=needs("settings:read"),
)
async def list_owned(caller: Calling) -> OwnedObjects:
    """Claims, APIs, scopes and clients; of a setting it stands with the setting."""
    async with caller.tenant.transaction() as db:
        found = await ownership.every(db)
    return OwnedObjects(data=[OwnedObject.of(place, owned) for place, owned in found.items()])


@router.post(
    "/configuration/release",
    summary="Release an object that documents own",
    openapi_extra=needs("settings:write", dangerous=True),
)
async def release_object(caller: Calling, wanted: ReleasedObject) -> OwnedObject:
    """It may be changed by hand, until the documents are applied again."""
    async with caller.tenant.transaction() as db:
        await ownership.release(db, wanted.place, wanted.reason, caller.actor)
        found = await ownership.every(db)
    return OwnedObject.of(wanted.place, found[wanted.place])
