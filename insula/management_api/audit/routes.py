"""/audit, and what concerns one user (features.md W01)."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Depends, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from insula.accounts.administration import service as people
from insula.audit import files, service
from insula.audit.models import Wanted
from insula.management_api.addresses import checked_address
from insula.management_api.audit.schemas import ActorType, AuditLine, Status
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import After, AuditLimit, PageOf
from insula.management_api.rules import needs

router = router_of("Audit")

_JSON: Final = "application/json"

Word = Annotated[str | None, Query(max_length=200)]
Moment = Annotated[AwareDatetime | None, Query()]


def _asked(  # noqa: PLR0913  (parameters of the query)
    event: Annotated[
        str | None,
        Query(max_length=200, description="An event, or by a dot at its end all that begin so."),
    ] = None,
    status: Annotated[Status | None, Query()] = None,
    user_id: Annotated[UUID | None, Query(description="Who acted, or to whom it was done.")] = None,
    actor_type: Annotated[ActorType | None, Query()] = None,
    actor_id: Word = None,
    target_type: Word = None,
    target_id: Word = None,
    ip: Annotated[str | None, Query(max_length=45)] = None,
    request_id: Word = None,
    since: Moment = None,
    until: Moment = None,
) -> Wanted:
    return Wanted(
        event=event,
        status=status,
        actor_type=actor_type,
        actor_id=actor_id,
        target_type=target_type,
        target_id=target_id,
        user=None if user_id is None else str(user_id),
        ip=checked_address(ip),
        request_id=request_id,
        since=since,
        until=until,
    )


Asked = Annotated[Wanted, Depends(_asked)]


async def _page(caller: Caller, wanted: Wanted, after: str | None, limit: int) -> PageOf[AuditLine]:
    tenant, cursors, order = caller.tenant, caller.parts.cursors, "audit"
    place = None
    if after:
        at, line = cursors.open(tenant.id, order, after, 2)
        place = (datetime.fromisoformat(at), UUID(line))
    async with tenant.transaction() as db:
        found = await service.search(db, wanted, place=place, limit=limit)
    then = None
    if found.place is not None:
        at, line = found.place[0].isoformat(), str(found.place[1])
        then = cursors.seal(tenant.id, order, [at, line])
    return PageOf(
        data=[AuditLine.of(line) for line in found.lines], next=then, has_more=then is not None
    )


@router.get("/audit", summary="Read the audit log", openapi_extra=needs("audit:read"))
async def list_audit(
    caller: Calling, wanted: Asked, limit: AuditLimit = 50, after: After = None
) -> PageOf[AuditLine]:
    """Newest first. A page that is not the last may hold few: so many are looked through."""
    return await _page(caller, wanted, after, limit)


@router.get(
    "/export/audit",
    summary="Export the audit log",
    response_class=StreamingResponse,
    responses={200: {"description": "The file.", "content": {"text/csv": {}, _JSON: {}}}},
    openapi_extra=needs("audit:read", tier="sensitive"),
)
async def export_audit(
    caller: Calling,
    wanted: Asked,
    form: Annotated[Literal["csv", "json"], Query(alias="format")] = "json",
) -> Response:
    """All lines of a filter as a file, newest first. That it was taken away is recorded."""
    batches = await service.export(caller.tenant, wanted, caller.actor, form)
    if form == "csv":
        text, kind = files.csv_of(batches), "text/csv; charset=utf-8"
    else:
        text, kind = files.json_of(batches), _JSON
    name = {"content-disposition": f'attachment; filename="audit.{form}"'}
    return StreamingResponse(text, media_type=kind, headers=name)


@router.get("/audit/{line}", summary="Read a line", openapi_extra=needs("audit:read"))
async def show_line(
    caller: Calling, line: Annotated[UUID, Path(description="The id of the line.")]
) -> AuditLine:
    async with caller.tenant.transaction() as db:
        return AuditLine.of(await service.get(db, line))


@router.get(
    "/users/{user_id}/events",
    summary="Read what concerns a user",
    openapi_extra=needs("audit:read"),
)
async def list_user_events(
    caller: Calling,
    user_id: Annotated[UUID, Path(description="The id of the user.")],
    limit: AuditLimit = 50,
    after: After = None,
) -> PageOf[AuditLine]:
    """What they did, and what was done to them; newest first."""
    async with caller.tenant.transaction() as db:
        await people.get(db, user_id)
    return await _page(caller, Wanted(user=str(user_id)), after, limit)
