"""Queueing a job in the transaction of the act that causes it."""

import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from insula.kernel.db import Connection

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
