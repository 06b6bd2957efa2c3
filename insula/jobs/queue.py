"""
The queue: tasks by name, retried with back-off and jitter, run by any number of workers.

Built on procrastinate, so a job is a row that was committed with its cause, a worker that dies
leaves its job to another, and nothing is lost with Valkey.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import procrastinate
import structlog
from procrastinate.jobs import Job
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from insula.jobs.store import enqueue

__all__ = ["Queue", "enqueue"]

_log = structlog.get_logger(__name__)

#: A task that belongs to one tenant.
TenantTask = Callable[[UUID], Awaitable[None]]
#: A task of the installation.
Task = Callable[[], Awaitable[None]]


class Backoff(BaseRetryStrategy):
    """Tries again after 2, 4, 8 … seconds, at most an hour, each shortened by up to half."""

    def __init__(self, attempts: int = 12) -> None:
        self._attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts >= self._attempts:
            _log.error(
                "job.given_up", task=job.task_name, job=job.id, error=type(exception).__name__
            )
            return None
        pause = min(2 ** (job.attempts + 1), 3600) * random.uniform(0.5, 1.0)  # noqa: S311  (jitter)
        return RetryDecision(retry_in={"seconds": max(1, round(pause))})


class Queue:
    """The tasks of an installation and the worker that runs them; *url* is the platform role's."""

    def __init__(self, url: str) -> None:
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=url,
                kwargs={
                    "options": "-c search_path=insula_jobs",
                    "application_name": "insula-worker",
                },
                min_size=1,
                max_size=4,
            )
        )

    def tenant_task(self, name: str, work: TenantTask) -> None:
        """Register work for one tenant; its id is the job's `tenant_id`."""

        async def run(tenant_id: str, **_ids: Any) -> None:  # noqa: ANN401  (ids of the job)
            await _logged(name, work(UUID(tenant_id)))

        self._app.task(name=name, queue="default", retry=Backoff())(run)

    def periodic(self, name: str, cron: str, work: Task) -> None:
        """Register work that is done by the clock, once, however many workers run."""

        async def run(timestamp: int) -> None:  # noqa: ARG001  (procrastinate tells when it was due)
            await _logged(name, work())

        task = self._app.task(name=name, queue="default", retry=False, queueing_lock=name)(run)
        self._app.periodic(cron=cron)(task)

    async def work(self, *, concurrency: int = 4, wait: bool = True) -> None:
        """Run jobs until cancelled; with *wait* off, until the queue is empty."""
        async with self._app.open_async():
            await self._app.run_worker_async(
                concurrency=concurrency,
                wait=wait,
                install_signal_handlers=False,
                delete_jobs="successful",
                shutdown_graceful_timeout=10,
                fetch_job_polling_interval=5.0,
            )


async def _logged(name: str, work: Awaitable[None]) -> None:
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        await work
    except Exception:
        _log.exception("job.failed", task=name)
        raise
    _log.info("job.done", task=name, seconds=round(loop.time() - started, 2))
