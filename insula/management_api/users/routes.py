"""/users: list, create, read, change, lock, roles, password, and all at once (features.md G)."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from insula.accounts.activation import service as activation
from insula.accounts.administration import service
from insula.accounts.administration.models import Person, Wanted
from insula.accounts.models import normalise_name
from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import After, Count, IncludeCount, Limit, PageOf
from insula.management_api.rules import needs
from insula.management_api.step_up import check_step_up
from insula.management_api.users.schemas import (
    ActivationLink,
    BulkStatus,
    Lock,
    NewUser,
    NewUserDetail,
    PasswordReset,
    Result,
    Results,
    Sort,
    TenantRole,
    User,
    UserChanges,
    UserDetail,
)
from insula.management_api.versions import IfMatch, naming_who, seen, tag

router = router_of("Users")

UserId = Annotated[UUID, Path(description="The id of the user.")]
Role = Annotated[TenantRole, Path(description="A tenant role.")]
_MOST_COUNTED = 10_000


def _tagged(response: Response, person: Person) -> UserDetail:
    tag(response, person.updated_at)
    return UserDetail.of(person)


@router.get("/users", summary="List and search users", openapi_extra=needs("users:read"))
async def list_users(  # noqa: PLR0913  (parameters of the query)
    caller: Calling,
    limit: Limit = 25,
    after: After = None,
    sort: Sort = "username",
    q: Annotated[
        str | None, Query(max_length=200, description="Part of user name, address or name.")
    ] = None,
    enabled: Annotated[bool | None, Query()] = None,
    locked: Annotated[bool | None, Query()] = None,
    email_verified: Annotated[bool | None, Query()] = None,
    role: Annotated[TenantRole | None, Query()] = None,
    include_count: IncludeCount = False,  # noqa: FBT002  (a parameter of the query)
) -> PageOf[User]:
    """A page that is not the last may hold few or none: so many are looked through, no more."""
    tenant, cursors = caller.tenant, caller.parts.cursors
    wanted = Wanted(normalise_name(q) if q else None, enabled, locked, email_verified, role)
    order = f"users\0{sort}"
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
        data=[User.of(person) for person in found.people],
        next=None if found.place is None else cursors.seal(tenant.id, order, [found.place]),
        has_more=found.place is not None,
        count=count,
    )


@router.post("/users", summary="Create a user", status_code=201, openapi_extra=needs("users:write"))
async def create_user(caller: Calling, wanted: NewUser, response: Response) -> NewUserDetail:
    """
    They have no password: nobody chooses another person's.

    The link by which they choose one is shown here and never again.
    """
    values = wanted.changes()
    role = values.pop("role", "user")
    linked = values.pop("credential", wanted.credential) == "activation_link" and wanted.enabled
    if role != "user":  # a role with rights is given as on its own route
        await check_step_up(caller)
    tenant = caller.tenant
    async with tenant.transaction() as db:
        made = await service.create(db, values, (), caller.actor)
        made = await service.grant_role(
            db, tenant, made.id, role, held=caller.held_roles, actor=caller.actor
        )
        link = await activation.issue(db, tenant.id, made.id, caller.actor) if linked else None
    response.headers["Location"] = f"/api/v1/users/{made.id}"
    tag(response, made.updated_at)
    return NewUserDetail.made(made, ActivationLink.of(link, tenant.issuer) if link else None)


@router.post(
    "/users/bulk-status",
    summary="Enable, disable, lock or unlock many users",
    openapi_extra=needs("users:write"),
)
async def change_many_users(caller: Calling, wanted: BulkStatus) -> Results:
    """Each is done or refused alone, and told apart in the answer."""
    outcomes = await service.change_many(
        caller.tenant,
        list(dict.fromkeys(wanted.ids)),
        wanted.action,
        reason=wanted.reason,
        actor=caller.actor,
    )
    return Results(
        data=[
            Result(
                id=each.id,
                done=each.refused is None,
                code=each.refused,
                detail=each.description or None,
            )
            for each in outcomes
        ]
    )


@router.get("/users/{user_id}", summary="Read a user", openapi_extra=needs("users:read"))
async def show_user(caller: Calling, user_id: UserId, response: Response) -> UserDetail:
    async with caller.tenant.transaction() as db:
        return _tagged(response, await service.get(db, user_id))


@router.patch("/users/{user_id}", summary="Change a user", openapi_extra=needs("users:write"))
async def change_user(
    caller: Calling,
    user_id: UserId,
    changes: UserChanges,
    response: Response,
    if_match: IfMatch = None,
) -> UserDetail:
    """Who is disabled is out at once."""
    async with (
        naming_who(caller.tenant.transaction(), "user", str(user_id)),
        caller.tenant.transaction() as db,
    ):
        person = await service.update(
            db, user_id, changes.changes(), expected=seen(if_match), actor=caller.actor
        )
    return _tagged(response, person)


@router.post("/users/{user_id}/lock", summary="Lock a user", openapi_extra=needs("users:write"))
async def lock_user(
    caller: Calling, user_id: UserId, response: Response, wanted: Lock | None = None
) -> UserDetail:
    """Who is locked is out at once."""
    terms = wanted or Lock()
    async with caller.tenant.transaction() as db:
        person = await service.lock(
            db, user_id, until=terms.until, reason=terms.reason, actor=caller.actor
        )
    return _tagged(response, person)


@router.delete("/users/{user_id}/lock", summary="Unlock a user", openapi_extra=needs("users:write"))
async def unlock_user(caller: Calling, user_id: UserId, response: Response) -> UserDetail:
    async with caller.tenant.transaction() as db:
        return _tagged(response, await service.unlock(db, user_id, caller.actor))


@router.post(
    "/users/{user_id}/password-reset",
    summary="Make a user choose a new password",
    response_model=ActivationLink,
    responses={204: {"description": "It will be asked for; there is no link."}},
    openapi_extra=needs("users:write", tier="sensitive"),
)
async def reset_password(
    caller: Calling, user_id: UserId, wanted: PasswordReset
) -> ActivationLink | Response:
    """
    At the next sign-in, or by a link that needs step-up; sessions that there are go on until then.

    Who bears the link becomes that person, so only who holds such a role gets that of a
    `superadmin`. No mail is sent: hand the link over.
    """
    tenant = caller.tenant
    if wanted.mode == "send_link":
        await check_step_up(caller)
        async with tenant.transaction() as db:
            link = await service.send_link(
                db, tenant, user_id, held=caller.held_roles, actor=caller.actor
            )
        return ActivationLink.of(link, tenant.issuer)
    async with tenant.transaction() as db:
        await service.force_new_password(db, user_id, caller.actor)
    return Response(status_code=204)


@router.post(
    "/users/{user_id}/revoke-tokens",
    summary="End a user's sessions and tokens",
    status_code=204,
    openapi_extra=needs("sessions:delete"),
)
async def revoke_tokens(caller: Calling, user_id: UserId) -> None:
    async with caller.tenant.transaction() as db:
        await service.end_everything(db, user_id, caller.actor)


@router.put(
    "/users/{user_id}/roles/{role}",
    summary="Give a role",
    openapi_extra=needs("users:write", dangerous=True),
)
async def grant_role(
    caller: Calling, user_id: UserId, role: Role, response: Response
) -> UserDetail:
    async with caller.tenant.transaction() as db:
        person = await service.grant_role(
            db, caller.tenant, user_id, role, held=caller.held_roles, actor=caller.actor
        )
    return _tagged(response, person)


@router.delete(
    "/users/{user_id}/roles/{role}",
    summary="Take a role",
    openapi_extra=needs("users:write", dangerous=True),
)
async def revoke_role(
    caller: Calling, user_id: UserId, role: Role, response: Response
) -> UserDetail:
    """Who loses more than `user` loses sessions and tokens with it."""
    async with caller.tenant.transaction() as db:
        person = await service.revoke_role(
            db, caller.tenant, user_id, role, held=caller.held_roles, actor=caller.actor
        )
    return _tagged(response, person)
