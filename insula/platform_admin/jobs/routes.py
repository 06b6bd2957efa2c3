"""The queue: what waits, what was given up and why, tried again or forgotten by hand."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.audit import service as audit
from insula.audit.models import Event
from insula.jobs import board
from insula.jobs.board import JobView
from insula.jobs.errors import NotFailed
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.registry.errors import CursorInvalid
from insula.sign_in.guard import go_to, tenant_of
from insula.tenancy.db import Connection

JOBS = "/platform/jobs"
ONE_JOB = f"{JOBS}/{{job:int}}"
_LIMIT = 25
_LONGEST = 100
#: In the order of their urgency; what a status is called, and what it means.
STATUSES = {
    "failed": ("Given up", "wait for somebody"),
    "doing": ("Running", "at work now"),
    "todo": ("Waiting", "for a worker or for their time"),
}
_DONE = {
    "retried": "The job waits for a worker again.",
    "forgotten": "The job is forgotten.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of jobs is narrowed to."""

    status: str | None
    slug: str
    words: str
    before: int | None = None

    @property
    def is_any(self) -> bool:
        return not (self.status or self.slug or self.words)

    def address(self, *, status: str | None = "", before: int | None = None) -> str:
        """The list of this filter, or of another status; None is every status."""
        pairs = [
            ("status", self.status if status == "" else status),
            ("tenant", self.slug),
            ("q", self.words),
            ("before", before),
        ]
        query = urlencode([(name, value) for name, value in pairs if value])
        return f"{JOBS}?{query}" if query else JOBS


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(JOBS, show_jobs),
        panel.page(ONE_JOB, show_job),
        panel.act(f"{ONE_JOB}/retry", post_retry),
        panel.page(f"{ONE_JOB}/forget", show_forget, writes=True),
        panel.act(f"{ONE_JOB}/forget", post_forget),
    ]


def _wanted(request: Request) -> Wanted:
    query = request.query_params
    try:
        before = int(query["before"]) if query.get("before") else None
    except ValueError:
        raise CursorInvalid from None
    return Wanted(
        query.get("status") or None,
        query.get("tenant", "").strip()[:_LONGEST],
        query.get("q", "").strip()[:_LONGEST],
        before,
    )


async def show_jobs(panel: Panel, request: Request, session: AdminSession) -> Response:
    wanted = _wanted(request)
    async with panel.platform.transaction() as db:
        counts = await board.counts(db)
        found = await board.page(
            db, status=wanted.status, slug=wanted.slug, words=wanted.words,
            before=wanted.before, limit=_LIMIT + 1,
        )  # fmt: skip
    shown = found[:_LIMIT]
    return panel.show(
        request,
        session,
        "jobs.html",
        current="Jobs",
        jobs=shown,
        wanted=wanted,
        statuses=STATUSES,
        counts=counts,
        bound=board.MOST_COUNTED,
        following=wanted.address(before=shown[-1].id) if len(found) > _LIMIT else "",
        newest=wanted.address() if wanted.before else "",
        done=_DONE.get(request.query_params.get("done", ""), ""),
    )


async def _job_of(panel: Panel, request: Request) -> JobView:
    async with panel.platform.transaction() as db:
        return await board.find(db, min(request.path_params["job"], 2**62))


def _job_page(
    panel: Panel, request: Request, session: AdminSession, job: JobView, refused: str = ""
) -> Response:
    return panel.show(
        request,
        session,
        "job.html",
        current="Jobs",
        status=409 if refused else 200,
        job=job,
        statuses=STATUSES,
        done=_DONE.get(request.query_params.get("done", ""), ""),
        refused=refused,
    )


async def show_job(panel: Panel, request: Request, session: AdminSession) -> Response:
    return _job_page(panel, request, session, await _job_of(panel, request))


async def post_retry(panel: Panel, request: Request, session: AdminSession, _: Form) -> Response:
    job = await _job_of(panel, request)
    try:
        async with panel.platform.within(tenant_of(request).id) as db:
            await _note(db, request, session, await board.retry(db, job.id), "retried")
    except NotFailed as refusal:
        return _job_page(panel, request, session, job, refusal.description)
    return go_to(f"{JOBS}/{job.id}?done=retried")


async def show_forget(panel: Panel, request: Request, session: AdminSession) -> Response:
    job = await _job_of(panel, request)
    if job.status != "failed":
        return go_to(f"{JOBS}/{job.id}")
    return panel.show(request, session, "job_forget.html", current="Jobs", job=job)


async def post_forget(panel: Panel, request: Request, session: AdminSession, _: Form) -> Response:
    job = await _job_of(panel, request)
    try:
        async with panel.platform.within(tenant_of(request).id) as db:
            await _note(db, request, session, await board.discard(db, job.id), "discarded")
    except NotFailed as refusal:
        return _job_page(panel, request, session, job, refusal.description)
    return go_to(f"{JOBS}?done=forgotten")


async def _note(
    db: Connection, request: Request, session: AdminSession, job: JobView, act: str
) -> None:
    details = {"act": act, "task": job.task, "tenant": job.slug}
    await audit.record(
        db,
        Event(
            "maintenance.run", platform_actor(request, session), target_type="job",
            target_id=str(job.id), metadata=details,
        ),
    )  # fmt: skip
