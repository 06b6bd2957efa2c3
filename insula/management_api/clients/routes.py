"""/clients: applications, their secrets, and the end of their access (features.md H)."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query, Response

from insula.clients import service as clients
from insula.clients.administration import service
from insula.clients.administration.models import Application, Wanted
from insula.clients.models import Status
from insula.figures import service as figures
from insula.management_api.caller import Caller
from insula.management_api.clients.schemas import (
    ChangedClientDetail,
    Client,
    ClientChanges,
    ClientDetail,
    ClientPreview,
    ClientSecret,
    ClientSecrets,
    ClientStats,
    Deactivation,
    Ended,
    NewClient,
    NewClientDetail,
    NewSecret,
    Origin,
    ShownSecret,
    Sort,
    WholeClient,
)
from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import After, Count, IncludeCount, Limit, PageOf
from insula.management_api.rules import needs
from insula.management_api.versions import IfMatch, naming_who, seen, tag
from insula.resource_servers.builtin import check_power

router = router_of("Clients")

Id = Annotated[UUID, Path(description="The id of the client, not its client_id.")]
SecretId = Annotated[UUID, Path(description="The id of the secret.")]
_MOST_COUNTED = 10_000


async def _get(caller: Caller, client: UUID) -> Application:
    async with caller.tenant.transaction() as db:
        return await service.get(db, client)


async def _managed(caller: Caller, client: UUID) -> Application:
    """A client that the caller may manage."""
    application = await _get(caller, client)
    check_power(caller.scopes, application.metadata.scopes)
    return application


@router.get("/clients", summary="List and search clients", openapi_extra=needs("clients:read"))
async def list_clients(  # noqa: PLR0913  (parameters of the query)
    caller: Calling,
    limit: Limit = 25,
    after: After = None,
    sort: Sort = "client_id",
    q: Annotated[
        str | None, Query(max_length=200, description="Part of the name or the client_id.")
    ] = None,
    status: Annotated[Status | None, Query()] = None,
    origin: Annotated[Origin | None, Query()] = None,
    include_count: IncludeCount = False,  # noqa: FBT002  (a parameter of the query)
) -> PageOf[Client]:
    """A page that is not the last may hold few or none: so many are looked through, no more."""
    tenant, cursors = caller.tenant, caller.parts.cursors
    wanted, order = Wanted(q, status, origin), f"clients\0{sort}"
    place = cursors.open(tenant.id, order, after, 1)[0] if after else None
    count = None
    async with tenant.transaction() as db:
        found = await service.search(
            db, wanted, after=place, descending=sort.startswith("-"), limit=limit
        )
        if include_count:
            n, exact = await service.count(db, wanted, most=_MOST_COUNTED)
            count = Count(value=n, exact=exact)
    return PageOf(
        data=[Client.of(application) for application in found.applications],
        next=None if found.place is None else cursors.seal(tenant.id, order, [found.place]),
        has_more=found.place is not None,
        count=count,
    )


@router.post(
    "/clients",
    summary="Register a client",
    status_code=201,
    openapi_extra=needs("clients:write"),
)
async def create_client(caller: Calling, wanted: NewClient, response: Response) -> NewClientDetail:
    """Its secret, if it has one, is shown here and never again."""
    development = caller.parts.development
    metadata = clients.parse_metadata(wanted.values(), development=development)
    check_power(caller.scopes, metadata.scopes)
    made = await clients.register(caller.tenant, wanted.name, metadata, actor=caller.actor)
    application = await _get(caller, made.id)
    response.headers["Location"] = f"/api/v1/clients/{made.id}"
    tag(response, application.updated_at)
    detail = ClientDetail.of(application)
    return NewClientDetail(**_members(detail), client_secret=made.secret)


def _members(detail: ClientDetail) -> dict[str, Any]:
    return {name: getattr(detail, name) for name in ClientDetail.model_fields}


@router.get("/clients/{client}", summary="Read a client", openapi_extra=needs("clients:read"))
async def show_client(caller: Calling, client: Id, response: Response) -> ClientDetail:
    application = await _get(caller, client)
    tag(response, application.updated_at)
    return ClientDetail.of(application)


async def _change(  # noqa: PLR0913  (what a change is made of)
    caller: Caller,
    client: UUID,
    changes: dict[str, Any],
    name: str | None,
    if_match: str | None,
    response: Response,
) -> ChangedClientDetail:
    application = await _managed(caller, client)
    check_power(caller.scopes, tuple(changes.get("scopes", ())))
    record = caller.tenant.transaction()
    async with naming_who(record, "client", application.client_id):
        done = await clients.change(
            caller.tenant,
            application.client_id,
            changes,
            name=name,
            expected=seen(if_match),
            development=caller.parts.development,
            actor=caller.actor,
        )
    after = await _get(caller, client)
    tag(response, after.updated_at)
    return ChangedClientDetail(**_members(ClientDetail.of(after)), client_secret=done.secret)


@router.put("/clients/{client}", summary="Replace a client", openapi_extra=needs("clients:write"))
async def replace_client(
    caller: Calling,
    client: Id,
    wanted: WholeClient,
    response: Response,
    if_match: IfMatch = None,
) -> ChangedClientDetail:
    """A change of how it proves itself gives it a secret, shown here alone, or takes it away."""
    whole = clients.parse_metadata(wanted.given(), development=caller.parts.development)
    changes = whole.model_dump(exclude={"allow_dangerous_api"})
    return await _change(caller, client, changes, wanted.name, if_match, response)


@router.patch("/clients/{client}", summary="Change a client", openapi_extra=needs("clients:write"))
async def change_client(
    caller: Calling,
    client: Id,
    wanted: ClientChanges,
    response: Response,
    if_match: IfMatch = None,
) -> ChangedClientDetail:
    """A change of how it proves itself gives it a secret, shown here alone, or takes it away."""
    return await _change(caller, client, wanted.given(), wanted.name or None, if_match, response)


@router.post(
    "/clients/{client}/preview",
    summary="Preview a change of a client",
    openapi_extra=needs("clients:read"),
)
async def preview_client(caller: Calling, client: Id, wanted: ClientChanges) -> ClientPreview:
    """What would stop working; what the change would be refused for is refused here too."""
    application = await _managed(caller, client)
    told = await clients.preview_change(
        caller.tenant,
        application.client_id,
        wanted.given(),
        development=caller.parts.development,
    )
    return ClientPreview(stops=told)


@router.delete(
    "/clients/{client}",
    summary="Delete a client",
    status_code=204,
    openapi_extra=needs("clients:delete"),
)
async def delete_client(caller: Calling, client: Id) -> None:
    """Its secrets, codes and tokens go with it."""
    application = await _managed(caller, client)
    await clients.delete(caller.tenant, application.client_id, caller.actor)


@router.get(
    "/clients/{client}/stats", summary="Statistics of a client", openapi_extra=needs("clients:read")
)
async def show_client_stats(caller: Calling, client: Id) -> ClientStats:
    """
    What it was given and refused in the last 90 days, in UTC, and what people allow it now.

    Kept counts, written every half minute: a process that is killed loses the last of them.
    """
    await _get(caller, client)
    await caller.parts.keeper.freshen()
    async with caller.tenant.transaction() as db:
        done = await figures.of_client(db, client)
        allowed = await service.count_allowed(db, client, most=_MOST_COUNTED)
        people = await service.count_people(db, client, most=_MOST_COUNTED)
    return ClientStats.of(done, allowed, people)


@router.post(
    "/clients/{client}/activate",
    summary="Activate a client",
    openapi_extra=needs("clients:write"),
)
async def activate_client(caller: Calling, client: Id, response: Response) -> ClientDetail:
    application = await _managed(caller, client)
    await clients.change(
        caller.tenant,
        application.client_id,
        {},
        status="active",
        development=caller.parts.development,
        actor=caller.actor,
    )
    return await show_client(caller, client, response)


@router.post(
    "/clients/{client}/deactivate",
    summary="Deactivate a client",
    openapi_extra=needs("clients:write"),
)
async def deactivate_client(
    caller: Calling, client: Id, response: Response, wanted: Deactivation | None = None
) -> ClientDetail:
    """
    Stop it: every use is refused from now on, and what it was given is ended. Or pause it.

    Paused (`new_flows`) it begins nothing new (`unauthorized_client`); its tokens go on.
    """
    await _managed(caller, client)
    after = await service.deactivate(
        caller.tenant,
        client,
        (wanted or Deactivation()).mode,
        development=caller.parts.development,
        actor=caller.actor,
    )
    tag(response, after.updated_at)
    return ClientDetail.of(after)


@router.post(
    "/clients/{client}/verify",
    summary="Vouch for a client that registered itself",
    openapi_extra=needs("clients:write"),
)
async def verify_client(caller: Calling, client: Id, response: Response) -> ClientDetail:
    """People are no longer warned of it."""
    application = await _managed(caller, client)
    await clients.verify(caller.tenant, application.client_id, caller.actor)
    return await show_client(caller, client, response)


@router.post(
    "/clients/{client}/unverify",
    summary="Take that back",
    openapi_extra=needs("clients:write"),
)
async def unverify_client(caller: Calling, client: Id, response: Response) -> ClientDetail:
    application = await _managed(caller, client)
    await clients.unverify(caller.tenant, application.client_id, caller.actor)
    return await show_client(caller, client, response)


@router.get(
    "/clients/{client}/secrets",
    summary="List a client's secrets",
    openapi_extra=needs("clients:read"),
)
async def list_client_secrets(caller: Calling, client: Id) -> ClientSecrets:
    async with caller.tenant.transaction() as db:
        found = await service.secrets(db, client)
    return ClientSecrets(data=[ClientSecret.of(secret) for secret in found])


@router.post(
    "/clients/{client}/secrets",
    summary="Make a new secret",
    status_code=201,
    openapi_extra=needs("clients:write", tier="sensitive", dangerous=True),
)
async def rotate_client_secret(
    caller: Calling, client: Id, wanted: NewSecret | None = None
) -> ShownSecret:
    """The one before lives on for as long as is asked; there are two at most."""
    application = await _managed(caller, client)
    overlap = timedelta(seconds=(wanted or NewSecret()).overlap_seconds)
    secret = await clients.rotate_secret(
        caller.tenant, application.client_id, overlap=overlap, actor=caller.actor
    )
    return ShownSecret(client_secret=secret)


@router.delete(
    "/clients/{client}/secrets/{secret}",
    summary="End one secret",
    status_code=204,
    openapi_extra=needs("clients:write", tier="sensitive"),
)
async def end_client_secret(caller: Calling, client: Id, secret: SecretId) -> None:
    await _managed(caller, client)
    async with caller.tenant.transaction() as db:
        await service.end_secret(db, client, secret, caller.actor)


@router.delete(
    "/clients/{client}/access",
    summary="End all access of a client",
    openapi_extra=needs("clients:delete"),
)
async def end_client_access(caller: Calling, client: Id) -> Ended:
    """Tokens, codes, devices, and what people have allowed; it may be used anew."""
    await _managed(caller, client)
    done = await service.end_access(caller.tenant, client, caller.actor)
    return Ended(revoked_count=done.count, complete=done.complete)
