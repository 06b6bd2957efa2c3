"""All SQL on the queue that procrastinate does not bring: queueing, looking, trying again."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from insula.kernel.db import Connection, Row

#: As procrastinate's connector sends it.
NOTE_ERROR = """
    insert into insula_jobs.job_errors (job_id, attempt, error)
    values (%(job)s, %(attempt)s, %(error)s)
    on conflict (job_id) do update
       set at = now(), attempt = excluded.attempt, error = excluded.error
"""

#: Likewise; by the index of what failed.
FORGET_FAILED = """
    delete from insula_jobs.procrastinate_jobs
     where status = 'failed' and id < %(done)s and task_name = %(task)s
"""

_ENQUEUE = text("""
    select insula.enqueue_job(:task, :queue, cast(:args as jsonb), cast(:at as timestamptz), :lock)
""")


async def enqueue(  # noqa: PLR0913  (each by its name)
    db: Connection,
    task: str,
    args: Mapping[str, str | int | UUID] | None = None,
    *,
    queue: str = "default",
    at: datetime | None = None,
    once: str | None = None,
) -> int | None:
    """
    Queue *task* for the bound tenant, in the caller's transaction; the job's id.

    *args* are ids. *once* names the work: while a job of that name waits, another is not queued
    and the answer is None.
    """
    values = {name: str(v) if isinstance(v, UUID) else v for name, v in (args or {}).items()}
    return (
        await db.execute(
            _ENQUEUE,
            {"task": task, "queue": queue, "args": json.dumps(values), "at": at, "lock": once},
        )
    ).scalar_one_or_none()


_JOBS = """
    select j.id, j.task_name as task, cast(j.status as text) as status, j.attempts, j.scheduled_at, j.args,
           t.slug, e.error, e.at as failed_at,
           (select min(v.at) from insula_jobs.procrastinate_events v where v.job_id = j.id) as queued_at
      from insula_jobs.procrastinate_jobs j
      left join insula.tenants t on t.id = cast(j.args ->> 'tenant_id' as uuid)
      left join insula_jobs.job_errors e on e.job_id = j.id
"""


async def page(db: Connection, status: str | None, before: int | None, limit: int) -> Sequence[Row]:
    """Jobs, newest first, with ids below *before*."""
    return (
        await db.execute(
            text(f"""
                {_JOBS}
                 where (cast(:status as text) is null
                        or j.status = cast(:status as insula_jobs.procrastinate_job_status))
                   and (cast(:before as bigint) is null or j.id < :before)
                 order by j.id desc limit :limit
            """),
            {"status": status, "before": before, "limit": limit},
        )
    ).all()


async def search(  # noqa: PLR0913  (each by its name)
    db: Connection,
    *,
    status: str | None,
    slug: str,
    words: str,
    before: int | None,
    limit: int,
    among: int,
) -> Sequence[Row]:
    """
    Jobs of a tenant, and jobs with *words* in their name or in why they failed; as `page`.

    Only the newest *among* of a status are looked at, so that a long queue costs no more.
    """
    return (
        await db.execute(
            text(f"""
                {_JOBS}
                 where j.id in (
                         select n.id from insula_jobs.procrastinate_jobs n
                          where (cast(:status as text) is null or n.status
                                 = cast(:status as insula_jobs.procrastinate_job_status))
                            and (cast(:before as bigint) is null or n.id < :before)
                          order by n.id desc limit :among)
                   and (:slug = '' or t.slug = :slug)
                   and (:words = '' or strpos(lower(j.task_name), lower(:words)) > 0
                        or strpos(lower(coalesce(e.error, '')), lower(:words)) > 0)
                 order by j.id desc limit :limit
            """),  # noqa: S608  (columns of this module)
            {"status": status, "slug": slug, "words": words, "before": before, "limit": limit,
             "among": among},
        )
    ).all()  # fmt: skip


async def find(db: Connection, job_id: int) -> Row | None:
    return (await db.execute(text(f"{_JOBS} where j.id = :id"), {"id": job_id})).one_or_none()


async def counts(db: Connection, most: int) -> Mapping[str, int]:
    """How many jobs there are of each status that is at rest or at work, counted up to *most*."""
    rows = await db.execute(
        text("""
            select s.status, (select count(*) from (
                     select from insula_jobs.procrastinate_jobs j
                      where j.status = cast(s.status as insula_jobs.procrastinate_job_status)
                      limit :most) counted) as n
              from unnest(array['todo', 'doing', 'failed']) s (status)
        """),
        {"most": most},
    )
    return {row.status: row.n for row in rows}


@asynccontextmanager
async def _at_home(db: Connection) -> AsyncIterator[None]:
    """Let procrastinate's triggers find the types and tables that they name without a schema."""
    await db.execute(text("set local search_path = insula_jobs, pg_catalog"))
    yield
    await db.execute(text("set local search_path to default"))


async def retry(db: Connection, job_id: int) -> bool | None:
    """Queue a failed job again, as if new; False if it did not fail, None if it waits already."""
    try:
        async with db.begin_nested(), _at_home(db):
            result = await db.execute(
                text("""
                    update insula_jobs.procrastinate_jobs
                       set status = 'todo', attempts = 0, scheduled_at = null
                     where id = :id and status = 'failed'
                """),
                {"id": job_id},
            )
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return None
    return result.rowcount > 0


async def discard(db: Connection, job_id: int) -> bool:
    """Forget a failed job; False if there is no such one."""
    async with _at_home(db):
        result = await db.execute(
            text("delete from insula_jobs.procrastinate_jobs where id = :id and status = 'failed'"),
            {"id": job_id},
        )
    return result.rowcount > 0
