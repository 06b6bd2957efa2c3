"""The worker outlives its database, and ends when it is told to."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from uuid import uuid4

import psycopg
import pytest
from cluster import database_url
from serving import ROOT, environment

from insula.jobs.queue import Queue
from insula.platform.dev.secrets import Remembered
from insula.platform.dev.store import prepare
from insula.platform.embedded import EmbeddedPostgres


@pytest.fixture
def postgres(tmp_path):
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def urls(postgres):
    return prepare(postgres.superuser_url, Remembered())


def queue_up(postgres, subject):
    """Queue `tests.note` behind the product's back."""
    with psycopg.connect(database_url(postgres.superuser_url, "insula")) as db:
        db.execute("set search_path = insula_jobs")
        db.execute(
            "insert into procrastinate_jobs (queue_name, task_name, args)"
            " values ('default', 'tests.note', %s)",
            [json.dumps({"tenant_id": str(subject)})],
        )


def crash(postgres):
    os.kill(postgres.pid, signal.SIGKILL)
    while postgres.is_running():
        time.sleep(0.01)


async def until(holds, seconds=45):
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  (looked at from outside)
            await asyncio.sleep(0.05)


@pytest.fixture
async def worker(urls):
    """A running worker and what it has done."""
    done = []

    async def note(tenant_id):
        done.append(tenant_id)

    queue = Queue(urls.platform)
    queue.tenant_task("tests.note", note)
    running = asyncio.create_task(queue.work())
    yield running, done
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_after_its_database_was_killed_the_worker_works_on(postgres, worker):
    running, done = worker
    before, after = uuid4(), uuid4()
    queue_up(postgres, before)
    await until(lambda: done == [before])

    await asyncio.to_thread(crash, postgres)
    await asyncio.sleep(3)  # long enough for it to notice
    assert not running.done()
    await asyncio.to_thread(postgres.start)
    queue_up(postgres, after)

    await until(lambda: done == [before, after])


async def test_a_worker_without_a_database_ends_when_it_is_cancelled(postgres, worker):
    running, done = worker
    subject = uuid4()
    queue_up(postgres, subject)
    await until(lambda: done == [subject])
    await asyncio.to_thread(crash, postgres)

    running.cancel()

    await asyncio.wait([running], timeout=30)
    assert running.cancelled()


ENDS = """
import sys
from insula.jobs.queue import Queue
from insula.platform.cli.main import main

async def work(self, **_):
    pass

Queue.work = work
sys.argv = ["insula", "worker"]
main()
"""


def test_a_worker_that_ends_unasked_says_so_and_fails(database):
    ended = subprocess.run(  # noqa: S603  (ours)
        [sys.executable, "-c", ENDS],
        cwd=ROOT,
        env=environment(database.app, database.platform, None, 8000),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 3
    assert ended.stderr.strip().splitlines()[-1].startswith("insula: the worker ended")
