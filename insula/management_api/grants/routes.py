"""/grants (features.md I05 to I07)."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from insula.management_api.grants.schemas import Grant, GrantDetail
from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import After, Limit, PageOf
from insula.management_api.rules import needs
from insula.management_api.sessions.schemas import Ended, Issue
from insula.sign_in.administration import service
from insula.sign_in.administration.models import GrantsWanted

router = router_of("Grants")

GrantId = Annotated[UUID, Path(description="The id of the grant.")]
OfUser = Annotated[UUID | None, Query(description="The id of a user.")]
OfClient = Annotated[UUID | None, Query(description="The id of a client, not its client_id.")]


@router.get("/grants", summary="List grants", openapi_extra=needs("grants:read"))
async def list_grants(  # noqa: PLR0913  (parameters of the query)
    caller: Calling,
    limit: Limit = 25,
    after: After = None,
    user_id: OfUser = None,
    client_id: OfClient = None,
    scope: Annotated[str | None, Query(max_length=200, description="A scope in it.")] = None,
    active: Annotated[bool | None, Query(description="Whether it is in force.")] = None,
) -> PageOf[Grant]:
    """By id. A page that is not the last may hold few or none: so many are looked through."""
    tenant, cursors, order = caller.tenant, caller.parts.cursors, "grants"
    place = UUID(cursors.open(tenant.id, order, after, 1)[0]) if after else None
    wanted = GrantsWanted(user_id, client_id, scope, active)
    async with tenant.transaction() as db:
        found, then = await service.grants(db, wanted, after=place, limit=limit)
    return PageOf(
        data=[Grant.model_validate(each) for each in found],
        next=None if then is None else cursors.seal(tenant.id, order, [str(then)]),
        has_more=then is not None,
    )


@router.get("/grants/{grant_id}", summary="Read a grant", openapi_extra=needs("grants:read"))
async def show_grant(caller: Calling, grant_id: GrantId) -> GrantDetail:
    async with caller.tenant.transaction() as db:
        found, issues = await service.grant(db, grant_id)
    return GrantDetail(
        **Grant.model_validate(found).model_dump(),
        issues=[Issue.model_validate(each) for each in issues],
    )


@router.delete(
    "/grants/{grant_id}",
    summary="Revoke a grant",
    status_code=204,
    openapi_extra=needs("grants:delete"),
)
async def revoke_grant(caller: Calling, grant_id: GrantId) -> None:
    """With every token that came of it; the person is asked anew."""
    async with caller.tenant.transaction() as db:
        await service.revoke_grant(db, grant_id, caller.actor)


@router.delete(
    "/grants",
    summary="Revoke the grants of a user or a client",
    openapi_extra=needs("grants:delete"),
)
async def revoke_grants(
    caller: Calling, user_id: OfUser = None, client_id: OfClient = None
) -> Ended:
    """One of the two must be named."""
    done = await service.revoke_grants(
        caller.tenant, user=user_id, client=client_id, actor=caller.actor
    )
    return Ended(revoked_count=done.count, complete=done.complete)
