"""/resources (features.md H08)."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.resources.schemas import (
    NewResource,
    Resource,
    ResourceChanges,
    Resources,
)
from insula.management_api.rules import needs
from insula.resource_servers import servers
from insula.resource_servers.models import ServerSettings, parse_settings

router = router_of("API resources")

Id = Annotated[UUID, Path(description="The id of the resource, not its identifier.")]


async def _all(caller: Caller) -> list[Resource]:
    return [Resource.of(row) for row in await servers.list_servers(caller.tenant)]


async def _identifier(caller: Caller, resource: UUID) -> str:
    async with caller.tenant.transaction() as db:
        return await servers.identifier_of(db, resource)


@router.get("/resources", summary="List API resources", openapi_extra=needs("clients:read"))
async def list_resources(caller: Calling) -> Resources:
    return Resources(data=await _all(caller))


@router.post(
    "/resources",
    summary="Add an API resource",
    status_code=201,
    openapi_extra=needs("clients:write"),
)
async def create_resource(caller: Calling, wanted: NewResource) -> Resource:
    settings = parse_settings(wanted.model_dump(include=set(ServerSettings.model_fields)))
    await servers.add(
        caller.tenant,
        wanted.identifier,
        wanted.name,
        settings,
        caller.actor,
        scopes=wanted.scopes,
    )
    return next(each for each in await _all(caller) if each.identifier == wanted.identifier)


@router.patch(
    "/resources/{resource}", summary="Change an API resource", openapi_extra=needs("clients:write")
)
async def change_resource(caller: Calling, resource: Id, changes: ResourceChanges) -> Resource:
    """A scope that clients have stands in the way of taking it out."""
    await servers.change(
        caller.tenant,
        await _identifier(caller, resource),
        changes.settings(),
        name=changes.name or None,
        scopes=changes.scopes if "scopes" in changes.model_fields_set else None,
        actor=caller.actor,
    )
    return next(each for each in await _all(caller) if each.id == resource)


@router.delete(
    "/resources/{resource}",
    summary="Take an API resource away",
    status_code=204,
    openapi_extra=needs("clients:delete"),
)
async def delete_resource(
    caller: Calling,
    resource: Id,
    force: Annotated[  # noqa: FBT002  (a parameter of the query)
        bool, Query(description="Take it from the clients that use it.")
    ] = False,
) -> None:
    """Its scopes go with it. Clients that use it stand in the way, unless forced."""
    identifier = await _identifier(caller, resource)
    await servers.delete(caller.tenant, identifier, force=force, actor=caller.actor)
