"""/sessions, and those of one user (features.md I01 to I04, G12)."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from insula.accounts.administration import service as people
from insula.management_api.addresses import checked_address
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import After, Limit, PageOf
from insula.management_api.rules import needs
from insula.management_api.sessions.schemas import Ended, Issue, Session, SessionDetail
from insula.sign_in.administration import service
from insula.sign_in.administration.models import SessionsWanted

router = router_of("Sessions")

SessionId = Annotated[UUID, Path(description="The id of the session.")]
UserId = Annotated[UUID, Path(description="The id of the user.")]
OfUser = Annotated[UUID | None, Query(description="The id of a user.")]
OfClient = Annotated[UUID | None, Query(description="The id of a client, not its client_id.")]
Active = Annotated[bool | None, Query(description="Whether it is alive.")]


async def _page(
    caller: Caller, wanted: SessionsWanted, after: str | None, limit: int
) -> PageOf[Session]:
    tenant, cursors, order = caller.tenant, caller.parts.cursors, "sessions"
    place = UUID(cursors.open(tenant.id, order, after, 1)[0]) if after else None
    async with tenant.transaction() as db:
        found, then = await service.sessions(db, wanted, after=place, limit=limit)
    return PageOf(
        data=[Session.model_validate(each) for each in found],
        next=None if then is None else cursors.seal(tenant.id, order, [str(then)]),
        has_more=then is not None,
    )


@router.get("/sessions", summary="List sessions", openapi_extra=needs("sessions:read"))
async def list_sessions(  # noqa: PLR0913  (parameters of the query)
    caller: Calling,
    limit: Limit = 25,
    after: After = None,
    user_id: OfUser = None,
    client_id: OfClient = None,
    ip: Annotated[str | None, Query(max_length=45, description="An address.")] = None,
    active: Active = None,
) -> PageOf[Session]:
    """By id. A page that is not the last may hold few or none: so many are looked through."""
    wanted = SessionsWanted(user_id, client_id, checked_address(ip), active)
    return await _page(caller, wanted, after, limit)


@router.get(
    "/sessions/{session_id}", summary="Read a session", openapi_extra=needs("sessions:read")
)
async def show_session(caller: Calling, session_id: SessionId) -> SessionDetail:
    async with caller.tenant.transaction() as db:
        found, issues = await service.session(db, session_id)
    return SessionDetail(
        **Session.model_validate(found).model_dump(),
        issues=[Issue.model_validate(each) for each in issues],
    )


@router.delete(
    "/sessions/{session_id}",
    summary="End a session",
    status_code=204,
    openapi_extra=needs("sessions:delete"),
)
async def end_session(caller: Calling, session_id: SessionId) -> None:
    """With all tokens that were issued in it; its applications hear of it."""
    async with caller.tenant.transaction() as db:
        await service.end_session(db, session_id, caller.actor)


@router.delete(
    "/sessions",
    summary="End the sessions of a user or a client",
    openapi_extra=needs("sessions:delete"),
)
async def end_sessions(
    caller: Calling, user_id: OfUser = None, client_id: OfClient = None
) -> Ended:
    """One of the two must be named."""
    if user_id is not None:
        await _check_there(caller, user_id)
    done = await service.end_sessions(
        caller.tenant, user=user_id, client=client_id, actor=caller.actor
    )
    return Ended(revoked_count=done.count, complete=done.complete)


async def _check_there(caller: Caller, user_id: UUID) -> None:
    people.refuse_oneself(user_id, caller.actor)
    async with caller.tenant.transaction() as db:
        await people.get(db, user_id)


@router.get(
    "/users/{user_id}/sessions",
    summary="List a user's sessions",
    openapi_extra=needs("sessions:read"),
)
async def list_user_sessions(
    caller: Calling,
    user_id: UserId,
    limit: Limit = 25,
    after: After = None,
    active: Active = None,
) -> PageOf[Session]:
    async with caller.tenant.transaction() as db:
        await people.get(db, user_id)
    return await _page(caller, SessionsWanted(user=user_id, active=active), after, limit)


@router.delete(
    "/users/{user_id}/sessions",
    summary="End all of a user's sessions",
    openapi_extra=needs("sessions:delete"),
)
async def end_user_sessions(caller: Calling, user_id: UserId) -> Ended:
    """Nobody ends their own here."""
    await _check_there(caller, user_id)
    done = await service.end_sessions(caller.tenant, user=user_id, client=None, actor=caller.actor)
    return Ended(revoked_count=done.count, complete=done.complete)
