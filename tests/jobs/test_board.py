"""The queue as people see it: what was given up says why, is tried again, and nobody crowds it."""

import asyncio
from uuid import uuid4

import pytest

from insula.jobs import board
from insula.jobs.errors import NoSuchJob, NotFailed
from insula.jobs.queue import enqueue
from insula.kernel.errors import Invalid, Unavailable


@pytest.fixture
def look(platform_door):
    async def look(act, *args, **how):
        async with platform_door.transaction() as db:
            return await act(db, *args, **how)

    return look


@pytest.mark.spec("features W02")
async def test_what_was_given_up_says_why_and_is_done_when_it_is_tried_again(house, queue, look):
    away = True

    async def note(tenant_id, subject):  # noqa: ARG001  (a task gets its ids)
        if away:
            raise Unavailable("away", detail="the host does not answer")

    queue.tenant_task("tests.note", note, attempts=0)
    subject = uuid4()
    async with house.tenant.transaction() as db:
        job = await enqueue(db, "tests.note", {"subject": subject})
    await queue.work_off()

    (failed,) = await look(board.page, status="failed")
    assert (failed.id, failed.task, failed.slug) == (job, "tests.note", house.tenant.slug)
    assert failed.ids == {"subject": str(subject)}
    assert failed.error == "Unavailable: the host does not answer"
    assert (await look(board.counts))["failed"] == 1

    away = False
    assert (await look(board.retry, job)).status == "todo"
    with pytest.raises(NotFailed):
        await look(board.retry, job)
    await queue.work_off()
    assert await look(board.page) == []
    with pytest.raises(NoSuchJob):
        await look(board.find, job)


async def test_of_many_who_retry_or_forget_one_job_at_once_one_does(house, queue, look):
    done = []

    async def note(tenant_id):
        done.append(tenant_id)
        if len(done) == 1:
            raise LookupError

    queue.tenant_task("tests.note", note, attempts=0)
    async with house.tenant.transaction() as db:
        job = await enqueue(db, "tests.note")
    await queue.work_off()
    acts = [board.retry, board.discard] * 4

    answers = await asyncio.gather(*(look(act, job) for act in acts), return_exceptions=True)

    (won,) = [n for n, answer in enumerate(answers) if not isinstance(answer, Exception)]
    assert {type(each) for n, each in enumerate(answers) if n != won} <= {NotFailed, NoSuchJob}
    await queue.work_off()
    assert len(done) == (2 if acts[won] is board.retry else 1)


async def test_what_was_given_up_is_forgotten_on_request_and_nothing_else(house, queue, look):
    async def note(tenant_id):
        raise LookupError(tenant_id)

    queue.tenant_task("tests.note", note, attempts=0)
    async with house.tenant.transaction() as db:
        job = await enqueue(db, "tests.note")
    with pytest.raises(NotFailed):
        await look(board.discard, job)
    await queue.work_off()
    assert (await look(board.discard, job)).id == job
    with pytest.raises(NoSuchJob):
        await look(board.discard, job)
    with pytest.raises(Invalid):
        await look(board.page, status="perhaps")


async def test_work_that_waits_already_is_not_queued_a_second_time_by_hand(house, queue, look):
    async def note(tenant_id):
        raise LookupError(tenant_id)

    queue.tenant_task("tests.note", note, attempts=0)
    async with house.tenant.transaction() as db:
        job = await enqueue(db, "tests.note", once="note")
    await queue.work_off()
    async with house.tenant.transaction() as db:
        await enqueue(db, "tests.note", once="note")
    with pytest.raises(NotFailed):
        await look(board.retry, job)


async def test_jobs_are_read_page_by_page(house, jobs, look):  # noqa: ARG001  (an empty queue)
    async with house.tenant.transaction() as db:
        ids = [await enqueue(db, "tests.note") for _ in range(3)]
    first = await look(board.page, limit=2)
    second = await look(board.page, limit=2, before=first[-1].id)
    assert [each.id for each in [*first, *second]] == ids[::-1]


@pytest.mark.spec("features BEY-10")
async def test_a_tenant_that_queues_very_much_keeps_nobody_else_waiting(two_houses, queue):
    crowd, other = two_houses
    done = []

    async def note(tenant_id):
        done.append(tenant_id)

    queue.tenant_task("tests.note", note)
    async with crowd.tenant.transaction() as db:
        for _ in range(40):
            await enqueue(db, "tests.note")
    async with other.tenant.transaction() as db:
        for _ in range(3):
            await enqueue(db, "tests.note")
    await queue.work_off(concurrency=1)
    served = [place for place, who in enumerate(done) if who == other.tenant.id]
    assert len(done) == 43
    assert served[-1] < 8, "its third job is taken with the third of the crowd"
