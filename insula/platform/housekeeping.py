"""The worker beside a process that serves: for development, and for a house with one process."""

import asyncio
import contextlib

from insula.jobs.queue import Queue


class Housekeeping:
    """Runs the jobs of a queue from `start` to `stop`, in the loop of whoever starts it."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._queue.work())

    async def stop(self) -> None:
        """What is being done is left to another worker, or to this one when it is there again."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None
