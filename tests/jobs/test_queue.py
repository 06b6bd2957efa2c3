"""The queue: a job is committed with its cause, belongs to one tenant, and is not lost."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from procrastinate.jobs import Job

from insula.jobs.queue import Backoff, Queue, enqueue


def waiting(jobs):
    rows = jobs.execute("select * from procrastinate_jobs where status = 'todo' order by id")
    return rows.fetchall()


async def test_a_job_is_committed_with_its_cause(house, jobs):
    async with house.tenant.transaction() as db:
        job_id = await enqueue(db, "tests.note", {"subject": uuid4()})
        assert waiting(jobs) == []  # nobody can take it before the act is done

    (job,) = waiting(jobs)
    assert (job.id, job.task_name) == (job_id, "tests.note")


async def test_without_its_cause_there_is_no_job(house, jobs):
    async def act():
        async with house.tenant.transaction() as db:
            await enqueue(db, "tests.note")
            raise LookupError

    with pytest.raises(LookupError):
        await act()

    assert waiting(jobs) == []


async def test_a_job_belongs_to_the_tenant_that_queued_it_whatever_it_says(two_houses, queue, jobs):
    ada, bea = two_houses
    done = []

    async def note(tenant_id):
        done.append(tenant_id)

    queue.tenant_task("tests.note", note)
    async with ada.tenant.transaction() as db:
        await enqueue(db, "tests.note", {"tenant_id": bea.tenant.id})

    await queue.work_off()

    assert done == [ada.tenant.id]
    assert waiting(jobs) == []


async def test_work_that_waits_is_not_queued_again(house, jobs):
    async with house.tenant.transaction() as db:
        first = await enqueue(db, "tests.note", once="note")
        second = await enqueue(db, "tests.note", once="note")
        other = await enqueue(db, "tests.note", once="another note")

    assert second is None
    assert [job.id for job in waiting(jobs)] == [first, other]


@pytest.mark.parametrize(("task", "queue"), [("Tests; drop", "default"), ("tests.note", "a b")])
async def test_an_ill_formed_job_is_refused(house, task, queue):
    with pytest.raises(Exception, match="ill-formed job"):
        async with house.tenant.transaction() as db:
            await enqueue(db, task, queue=queue)


async def test_a_job_for_later_waits_for_its_time(house, queue, jobs):
    done = []

    async def note(tenant_id):
        done.append(tenant_id)

    queue.tenant_task("tests.note", note)
    async with house.tenant.transaction() as db:
        await enqueue(db, "tests.note", at=datetime.now(UTC) + timedelta(hours=1))

    await queue.work_off()
    assert done == []
    jobs.execute("update procrastinate_jobs set scheduled_at = now() - interval '1 second'")
    await queue.work_off()

    assert done == [house.tenant.id]


async def test_a_failed_job_is_tried_again_after_a_pause(house, queue, jobs):
    tries = []

    async def fail_once(tenant_id):
        tries.append(tenant_id)
        if len(tries) == 1:
            raise ConnectionError("the mail server is away")

    queue.tenant_task("tests.send", fail_once)
    async with house.tenant.transaction() as db:
        await enqueue(db, "tests.send")

    await queue.work_off()
    (job,) = waiting(jobs)
    assert job.attempts == 1
    assert job.scheduled_at > datetime.now(UTC)
    jobs.execute("update procrastinate_jobs set scheduled_at = now()")
    await queue.work_off()

    assert len(tries) == 2
    assert waiting(jobs) == []


async def test_a_job_that_always_fails_stays_to_be_looked_at(house, queue, jobs):
    async def fail(_tenant_id):
        raise ConnectionError("the mail server is away")

    queue.tenant_task("tests.send", fail)
    async with house.tenant.transaction() as db:
        await enqueue(db, "tests.send")
    jobs.execute("update procrastinate_jobs set attempts = 12")

    await queue.work_off()

    (job,) = jobs.execute("select status from procrastinate_jobs").fetchall()
    assert job.status == "failed"


def pauses(attempts):
    job = Job(
        id=1, queue="default", lock=None, queueing_lock=None, task_name="t", attempts=attempts
    )
    found = []
    for _ in range(50):
        decision = Backoff().get_retry_decision(exception=OSError(), job=job)
        found.append((decision.retry_at - datetime.now(UTC)).total_seconds())
    return found


@pytest.mark.parametrize(("attempts", "longest"), [(1, 4), (4, 32), (8, 512), (11, 3600)])
def test_pauses_double_up_to_an_hour_and_never_come_in_step(attempts, longest):
    found = pauses(attempts)

    assert max(found) <= longest
    assert min(found) >= longest / 2 - 1.1
    if longest > 4:
        assert len({round(pause) for pause in found}) > 3


@pytest.mark.usefixtures("jobs")
async def test_work_by_the_clock_is_done_once_however_many_workers_run(database):
    done = []

    async def sweep():
        done.append(1)

    running = []
    for _ in range(3):
        worker = Queue(database.platform)
        worker.periodic("tests.sweep", "* * * * * *", sweep)  # every second
        running.append(asyncio.create_task(worker.work()))
    await asyncio.sleep(2.5)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)

    assert 2 <= len(done) <= 4


def tried_again(jobs):
    jobs.execute("update procrastinate_jobs set scheduled_at = now() where status = 'todo'")


@pytest.mark.spec("security F-3")
async def test_a_turn_of_the_clock_that_fails_is_tried_again(queue, jobs):
    tries = []

    async def fail_once():
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError("the database is away")

    queue.periodic("tests.daily", "17 3 * * *", fail_once)
    await queue.work_off()
    (job,) = waiting(jobs)
    assert (job.task_name, job.attempts) == ("tests.daily", 1)
    tried_again(jobs)
    await queue.work_off()

    assert len(tries) == 2
    assert jobs.execute("select from procrastinate_jobs").fetchall() == []


@pytest.mark.spec("security F-3")
async def test_a_turn_that_is_done_makes_up_for_those_that_were_given_up(house, queue, jobs):
    away = True

    async def sweep(*_tenant):
        if away:
            raise ConnectionError("the database is away")

    queue.tenant_task("tests.send", sweep, attempts=0)
    async with house.tenant.transaction() as db:
        await enqueue(db, "tests.send")
    queue.periodic("tests.sweep", "* * * * *", sweep)
    for _ in range(6):
        await queue.work_off()
        tried_again(jobs)
    given_up = "select task_name from procrastinate_jobs where status = 'failed' order by id"
    assert [job.task_name for job in jobs.execute(given_up)] == ["tests.send", "tests.sweep"]

    away = False
    await queue.work_off()

    assert [job.task_name for job in jobs.execute(given_up)] == ["tests.send"]


async def test_what_fails_while_the_same_work_waits_is_left_to_that(house, queue, jobs):
    later = datetime.now(UTC) + timedelta(hours=1)
    waits = []

    async def fail(_tenant_id):
        async with house.tenant.transaction() as db:
            waits.append(await enqueue(db, "tests.note", once="note", at=later))
        raise ConnectionError("the mail server is away")

    queue.tenant_task("tests.note", fail)
    async with house.tenant.transaction() as db:
        await enqueue(db, "tests.note", once="note")
    await queue.work_off()

    left = jobs.execute("select id, status from procrastinate_jobs").fetchall()
    assert [(job.id, job.status) for job in left] == [(waits[0], "todo")]


WORKER = """
import asyncio, sys
from insula.jobs.queue import Queue

async def hang(tenant_id):
    print(tenant_id, flush=True)
    await asyncio.sleep(600)

queue = Queue(sys.argv[1])
queue.tenant_task("tests.note", hang)
asyncio.run(queue.work())
"""


def killed_at_work(url):
    """Run a worker until it has taken the job, then kill it; the tenant it worked for."""
    with subprocess.Popen(  # noqa: S603  (ours)
        [sys.executable, "-c", WORKER, url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        tenant_id = UUID(process.stdout.readline().decode().strip())
        os.kill(process.pid, signal.SIGKILL)
    return tenant_id


async def test_a_worker_that_is_killed_leaves_its_job_to_another(house, database, queue, jobs):
    done = []

    async def note(tenant_id):
        done.append(tenant_id)

    queue.tenant_task("tests.note", note)
    async with house.tenant.transaction() as db:
        await enqueue(db, "tests.note")
    assert await asyncio.to_thread(killed_at_work, database.platform) == house.tenant.id

    await queue.work_off()
    assert done == []  # it may be busy: it has been heard of a moment ago
    jobs.execute("update procrastinate_workers set last_heartbeat = now() - interval '31 seconds'")
    await queue.work_off()

    assert done == [house.tenant.id]


async def stalled(house, jobs, *, attempts=0, once=None):
    """A job whose worker is gone."""
    async with house.tenant.transaction() as db:
        job_id = await enqueue(db, "tests.note", once=once)
    jobs.execute(
        "update procrastinate_jobs set status = 'doing', attempts = %s where id = %s",
        [attempts, job_id],
    )
    return job_id


async def test_a_job_that_kills_every_worker_is_given_up(house, queue, jobs):
    async def note(_tenant_id):
        raise AssertionError("not again")

    queue.tenant_task("tests.note", note)
    job_id = await stalled(house, jobs, attempts=12)

    await queue.work_off()

    (job,) = jobs.execute("select id, status from procrastinate_jobs").fetchall()
    assert (job.id, job.status) == (job_id, "failed")


async def test_what_waits_already_is_not_queued_again_for_a_worker_that_is_gone(house, queue, jobs):
    done = []

    async def note(tenant_id):
        done.append(tenant_id)

    queue.tenant_task("tests.note", note)
    await stalled(house, jobs, once="note")
    async with house.tenant.transaction() as db:
        assert await enqueue(db, "tests.note", once="note") is not None
    queue._by_the_clock.reverse()  # noqa: SLF001
    await queue.work_off()

    assert done
    assert jobs.execute("select 1 from procrastinate_jobs").fetchall() == []
