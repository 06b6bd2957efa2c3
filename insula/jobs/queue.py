"""
The queue: tasks by name, retried with back-off and jitter, run by any number of workers.

Built on procrastinate, so a job is a row that was committed with its cause, a worker that dies
leaves its job to another, and nothing is lost with Valkey.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, LiteralString
from uuid import UUID

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from insula.jobs.store import FORGET_FAILED, NOTE_ERROR, enqueue
from insula.kernel.errors import InsulaError, Unavailable
from insula.kernel.metrics import JOB_SECONDS, JOBS

__all__ = ["Queue", "enqueue"]

_log = structlog.get_logger(__name__)

#: A task that belongs to one tenant.
TenantTask = Callable[..., Awaitable[None]]
#: A task of the installation.
Task = Callable[[], Awaitable[None]]
#: The same, as the clock queues it: it is told when it was due.
Periodic = procrastinate.tasks.Task[..., Any, ...]


#: Tries of one job before somebody must look at it.
_ATTEMPTS = 12
#: Tries of one turn of what is done by the clock: they outlast a crash, and the next turn comes.
_ATTEMPTS_OF_A_TURN = 5
#: Seconds for a connection; a worker that is told to stop waits this long for a database that died.
_PATIENCE = 5.0
#: Seconds between two tries to work, at most, and after how many of work the pauses begin anew.
_LONGEST_PAUSE, _HEALTHY = 30.0, 60.0
#: A worker asks its database at least every ten seconds, and one without a database tries again
#: within a minute, time for giving up included; who did neither for so long is stuck.
_STUCK = 120.0


class Backoff(BaseRetryStrategy):
    """Tries again after 2, 4, 8 … seconds, at most an hour, each shortened by up to half."""

    def __init__(self, attempts: int = _ATTEMPTS) -> None:
        self._attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts >= self._attempts:
            _log.error(
                "job.given_up", task=job.task_name, job=job.id, error=type(exception).__name__
            )
            return None
        pause = min(2 ** (job.attempts + 1), 3600) * random.uniform(0.5, 1.0)  # noqa: S311  (jitter)
        return RetryDecision(retry_in={"seconds": max(1, round(pause))})


class _Connector(procrastinate.PsycopgConnector):
    """Notes when the database was last asked, whatever it said."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  (what the pool takes)
        super().__init__(**options)
        self.asked_at = time.monotonic()

    def note(self) -> None:
        self.asked_at = time.monotonic()

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:  # noqa: ANN401  (the library's)
        try:
            await super().execute_query_async(query, **arguments)
        finally:
            self.note()

    async def execute_query_one_async(
        self,
        query: LiteralString,
        **arguments: Any,  # noqa: ANN401  (the library's)
    ) -> dict[str, Any]:
        try:
            row: dict[str, Any] = await super().execute_query_one_async(query, **arguments)
            return row
        finally:
            self.note()

    async def execute_query_all_async(
        self,
        query: LiteralString,
        **arguments: Any,  # noqa: ANN401  (the library's)
    ) -> list[dict[str, Any]]:
        try:
            rows: list[dict[str, Any]] = await super().execute_query_all_async(query, **arguments)
            return rows
        finally:
            self.note()


class _Manager(JobManager):
    """Drops a job that is to be tried again where the same work waits already."""

    async def retry_job(self, job: Job, *args: Any, **options: Any) -> None:  # noqa: ANN401  (the library's)
        try:
            await super().retry_job(job, *args, **options)
        except UniqueViolation:
            await self.finish_job(job, Status.ABORTED, delete_job=True)


class Queue:
    """The tasks of an installation and the worker that runs them; *url* is the platform role's."""

    def __init__(self, url: str) -> None:
        self._connector = _Connector(
            conninfo=url,
            kwargs={
                "options": "-c search_path=insula_jobs",
                "application_name": "insula-worker",
            },
            min_size=1,
            max_size=4,
            timeout=_PATIENCE,
        )
        self._app = procrastinate.App(connector=self._connector)
        self._app.job_manager = _Manager(self._connector)
        self._by_the_clock: list[tuple[str, Periodic]] = []
        #: Tries of the tasks that have a number of their own.
        self._most: dict[str, int] = {}
        self._runs = 0
        self.periodic("jobs.retry_stalled", "* * * * *", self._retry_stalled)

    def tenant_task(self, name: str, work: TenantTask, *, attempts: int = _ATTEMPTS) -> None:
        """
        Register work for one tenant: it gets the tenant's id, and the job's other ids by name.

        *attempts* is how often it is tried, with the pauses of `Backoff` between.
        """

        async def run(context: procrastinate.JobContext, /, tenant_id: str, **ids: str) -> None:
            await self._logged(
                context,
                name,
                work(UUID(tenant_id), **{key: UUID(value) for key, value in ids.items()}),
            )

        self._most[name] = attempts
        self._app.task(name=name, queue="default", retry=Backoff(attempts), pass_context=True)(run)

    def periodic(self, name: str, cron: str, work: Task) -> None:
        """
        Register work that is done by the clock, once, however many workers run.

        What fails is tried a few times; a turn that is done makes up for those given up before.
        """

        async def run(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001  (procrastinate tells when it was due)
            await self._logged(context, name, work())
            await self._forget_failed(context.job)

        self._most[name] = _ATTEMPTS_OF_A_TURN
        task = self._app.task(
            name=name,
            queue="default",
            retry=Backoff(_ATTEMPTS_OF_A_TURN),
            queueing_lock=name,
            pass_context=True,
        )(run)
        self._by_the_clock.append((cron, task))

    async def work(self, *, concurrency: int = 64) -> None:
        """
        Run jobs until cancelled, whatever becomes of the database meanwhile.

        Many at once, since they wait for hosts of others: some dozens that wait for one that is
        dead must leave room for the rest, until the door leaves that host alone.
        procrastinate's worker ends when its database does, now with an error and now without one.
        """
        for cron, task in self._by_the_clock:
            self._app.periodic(cron=cron)(task)
        failures = 0
        while True:
            started = time.monotonic()
            self._connector.note()
            try:
                await self._work_once(concurrency)
                cause = "it stopped by itself"
            except Exception as error:  # noqa: BLE001  (whatever it was, the next try is its cure)
                cause = f"{type(error).__name__}: {error}"
            _refuse_to_outlive_a_cancellation()
            failures = 0 if time.monotonic() - started > _HEALTHY else failures + 1
            pause = min(2.0**failures / 2, _LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311  (jitter)
            _log.warning("worker.interrupted", cause=cause, again_in=round(pause, 1))
            await asyncio.sleep(pause)

    async def alive(self) -> None:
        """
        Tell a worker that goes on from one that is stuck; its database may be away.

        Raises `Unavailable` with how long nothing has happened.
        """
        still = time.monotonic() - self._connector.asked_at
        if still > _STUCK:
            raise Unavailable(f"the queue was not asked for {still:.0f} s")

    async def work_off(self, *, concurrency: int = 4) -> None:
        """Do what the clock asks for once, whatever the time, and all that is due in the queue."""
        async with self._app.open_async():
            for _, task in self._by_the_clock:
                with contextlib.suppress(AlreadyEnqueued):
                    await task.defer_async(timestamp=int(time.time()))
            before = -1
            while self._runs > before:  # what was done may have queued more
                before = self._runs
                await self._run(concurrency, wait=False)

    async def _work_once(self, concurrency: int) -> None:
        """Work until the worker ends; nothing of it stays open, however it does."""
        try:
            await self._app.open_async()
            await self._run(concurrency, wait=True)
        finally:
            await self._app.close_async()

    async def _run(self, concurrency: int, *, wait: bool) -> None:
        await self._app.run_worker_async(
            concurrency=concurrency,
            wait=wait,
            install_signal_handlers=False,
            delete_jobs="successful",
            shutdown_graceful_timeout=10,
            fetch_job_polling_interval=5.0,
        )

    async def _retry_stalled(self) -> None:
        """Queue again what a worker was doing that has not been heard of for half a minute."""
        manager = self._app.job_manager
        for job in await manager.get_stalled_jobs():
            _log.warning("job.stalled", task=job.task_name, job=job.id, attempts=job.attempts)
            if job.attempts >= self._most.get(job.task_name, _ATTEMPTS):  # the job may kill them
                await manager.finish_job(job, Status.FAILED, delete_job=False)
                continue
            await manager.retry_job(job)

    async def _logged(
        self, context: procrastinate.JobContext, name: str, work: Awaitable[None]
    ) -> None:
        started = time.monotonic()
        self._runs += 1
        try:
            await work
        except Exception as error:
            JOBS.labels(name, "failed").inc()
            _log.exception("job.failed", task=name)
            await self._note(context.job, error)
            raise
        seconds = time.monotonic() - started
        JOBS.labels(name, "done").inc()
        JOB_SECONDS.labels(name).observe(seconds)
        _log.info("job.done", task=name, seconds=round(seconds, 2))

    async def _forget_failed(self, done: Job) -> None:
        """Let go earlier turns that were given up; if that fails, the next turn does it."""
        with contextlib.suppress(procrastinate.exceptions.ConnectorException):
            await self._app.connector.execute_query_async(
                FORGET_FAILED, task=done.task_name, done=done.id
            )

    async def _note(self, job: Job, error: Exception) -> None:
        """Keep why a job failed beside it; if that fails too, the log has it."""
        says = error.detail or error.description if isinstance(error, InsulaError) else str(error)
        with contextlib.suppress(procrastinate.exceptions.ConnectorException):
            await self._app.connector.execute_query_async(
                NOTE_ERROR,
                job=job.id,
                attempt=job.attempts,
                error=f"{type(error).__name__}: {says}".replace("\0", "")[:500],
            )


def _refuse_to_outlive_a_cancellation() -> None:
    """A worker that cannot say goodbye to its database says so instead that it was cancelled."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
