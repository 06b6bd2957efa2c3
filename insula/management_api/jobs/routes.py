"""/platform/jobs: what waits, what was given up, and trying it again."""

from typing import Annotated, Literal

from fastapi import Path, Query

from insula.audit import service as audit
from insula.audit.models import Event
from insula.jobs import board
from insula.jobs.board import JobView
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.jobs.schemas import Job
from insula.management_api.paging import After, Limit, PageOf
from insula.management_api.rules import needs
from insula.tenancy.db import Connection

router = router_of("Jobs")

JobId = Annotated[int, Path(ge=1, le=2**62, description="The job's number.")]


@router.get("/platform/jobs", summary="List jobs", openapi_extra=needs("cross-tenant:read"))
async def list_jobs(
    caller: Calling,
    limit: Limit = 25,
    after: After = None,
    status: Annotated[
        Literal["todo", "doing", "failed"] | None, Query(description="Only these.")
    ] = None,
) -> PageOf[Job]:
    """Newest first; `failed` ones were given up and wait for somebody."""
    cursors, home = caller.parts.cursors, caller.tenant.id
    order = f"jobs\0{status or ''}"
    before = int(cursors.open(home, order, after, 1)[0]) if after else None
    async with caller.parts.platform.transaction() as db:
        found = await board.page(db, status=status, before=before, limit=limit + 1)
    shown, more = found[:limit], len(found) > limit
    return PageOf(
        data=[Job.of(each) for each in shown],
        next=cursors.seal(home, order, [str(shown[-1].id)]) if more else None,
        has_more=more,
    )


@router.get("/platform/jobs/{job}", summary="Read a job", openapi_extra=needs("cross-tenant:read"))
async def show_job(caller: Calling, job: JobId) -> Job:
    async with caller.parts.platform.transaction() as db:
        return Job.of(await board.find(db, job))


@router.post(
    "/platform/jobs/{job}/retry",
    summary="Try a job again",
    openapi_extra=needs("cross-tenant:write"),
)
async def retry_job(caller: Calling, job: JobId) -> Job:
    async with caller.parts.platform.within(caller.tenant.id) as db:
        found = await board.retry(db, job)
        await _note(db, caller, found, "retried")
    return Job.of(found)


@router.delete(
    "/platform/jobs/{job}",
    summary="Forget a job that was given up",
    status_code=204,
    openapi_extra=needs("cross-tenant:write", tier="delete"),
)
async def discard_job(caller: Calling, job: JobId) -> None:
    async with caller.parts.platform.within(caller.tenant.id) as db:
        await _note(db, caller, await board.discard(db, job), "discarded")


async def _note(db: Connection, caller: Caller, job: JobView, act: str) -> None:
    details = {"act": act, "task": job.task, "tenant": job.slug}
    await audit.record(
        db,
        Event(
            "maintenance.run", caller.actor, target_type="job", target_id=str(job.id),
            metadata=details,
        ),
    )  # fmt: skip
