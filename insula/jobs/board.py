"""Looking at the queue, and trying again what was given up; over the platform's door."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from insula.jobs import store
from insula.jobs.errors import NoSuchJob, NotFailed
from insula.kernel.db import Connection, Row
from insula.kernel.errors import Invalid

Status = Literal["todo", "doing", "failed"]
#: Counting stops here.
MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class JobView:
    """
    A job as people see it. *slug* is its tenant's, None for work of the installation.

    *error* is why its last try failed; *ids* what it is about.
    """

    id: int
    task: str
    status: str
    attempts: int
    slug: str | None
    ids: Mapping[str, Any]
    queued_at: datetime | None
    scheduled_at: datetime | None
    error: str | None
    failed_at: datetime | None


def _view(row: Row) -> JobView:
    ids = {
        name: value for name, value in row.args.items() if name not in ("tenant_id", "timestamp")
    }
    return JobView(
        row.id, row.task, row.status, row.attempts, row.slug, ids, row.queued_at, row.scheduled_at,
        row.error, row.failed_at,
    )  # fmt: skip


async def page(  # noqa: PLR0913  (each by its name)
    db: Connection,
    *,
    status: str | None = None,
    before: int | None = None,
    limit: int = 50,
    slug: str = "",
    words: str = "",
) -> list[JobView]:
    """
    Jobs, newest first; *before* an id, for the next page.

    With *slug* those of one tenant, with *words* those that have them in their name or in why they
    failed; both among the newest `MOST_COUNTED`. Raises `Invalid`.
    """
    if status is not None and status not in get_args(Status):
        raise Invalid(f"one of {', '.join(get_args(Status))}", field="status", example="failed")
    if not slug and not words:
        return [_view(row) for row in await store.page(db, status, before, limit)]
    rows = await store.search(
        db, status=status, slug=slug, words=words, before=before, limit=limit, among=MOST_COUNTED
    )
    return [_view(row) for row in rows]


async def find(db: Connection, job_id: int) -> JobView:
    """One job. Raises `NoSuchJob`."""
    row = await store.find(db, job_id)
    if row is None:
        raise NoSuchJob("There is no such job; what was done is not kept.")
    return _view(row)


async def counts(db: Connection) -> Mapping[str, int]:
    """How many wait, run and were given up, each counted up to `MOST_COUNTED`."""
    return await store.counts(db, MOST_COUNTED)


async def retry(db: Connection, job_id: int) -> JobView:
    """Queue a job again that was given up. Raises `NoSuchJob`, `NotFailed`."""
    found = await find(db, job_id)
    queued = await store.retry(db, job_id)
    if queued is None:
        raise NotFailed("The same work waits already.")
    if not queued:
        raise NotFailed(f"This job was not given up: it is {found.status}.")
    return await find(db, job_id)


async def discard(db: Connection, job_id: int) -> JobView:
    """Forget a job that was given up; as it was. Raises `NoSuchJob`, `NotFailed`."""
    found = await find(db, job_id)
    if not await store.discard(db, job_id):
        raise NotFailed(f"This job was not given up: it is {found.status}.")
    return found
