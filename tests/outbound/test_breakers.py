"""A host that fails is left alone for a while, and a slow one holds up nobody else's requests."""

import asyncio
import time

import pytest
from hosts_of_others import NAME, PUBLIC, Names, says, sends

from insula.outbound import hosts
from insula.outbound.errors import AddressRefused, BadAnswer, Busy, TooSlow, Unreachable

pytestmark = pytest.mark.spec("security F-9")

URL = f"https://{NAME}/"
OTHER = "https://other.example/"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


async def fetch(door, url=URL, party="a"):
    return await door.fetch(
        url, limit=1000, accept=("application/json",), purpose="test", party=party
    )


async def fail(door, times, kind=Unreachable):
    for _ in range(times):
        with pytest.raises(kind):
            await fetch(door)


async def test_a_host_that_fails_again_and_again_is_left_alone(make_door, internet, clock):
    door = make_door(clock=clock, failures_to_open=3)
    internet.dead.add(PUBLIC)
    await fail(door, 3)

    with pytest.raises(Unreachable, match="breaker") as refusal:
        await fetch(door)

    assert len(internet.addresses) == 3
    assert refusal.value.retry_after == 30


async def test_after_a_rest_one_request_tries_it_and_the_host_is_back(make_door, internet, clock):
    door = make_door(clock=clock, failures_to_open=3, rest_seconds=30)
    internet.dead.add(PUBLIC)
    await fail(door, 3)
    internet.dead.clear()
    clock.now += 30

    await fetch(door)
    await fetch(door)
    internet.dead.add(PUBLIC)
    await fail(door, 2)  # counted from nothing
    internet.dead.clear()

    await fetch(door)


async def test_after_a_rest_that_did_not_help_it_rests_again(make_door, internet, clock):
    door = make_door(clock=clock, failures_to_open=3, rest_seconds=30)
    internet.dead.add(PUBLIC)
    await fail(door, 3)
    clock.now += 30
    await fail(door, 1)
    internet.dead.clear()

    with pytest.raises(Unreachable, match="breaker"):
        await fetch(door)

    clock.now += 30
    await fetch(door)


async def test_only_one_request_tries_a_host_that_rested(make_door, internet, clock, server):
    door = make_door(clock=clock, failures_to_open=1, rest_seconds=30, seconds=0.5)
    internet.dead.add(PUBLIC)
    await fail(door, 1)
    internet.dead.clear()
    clock.now += 30
    server.answer = sends(every=10, first=b"")
    trial = asyncio.create_task(fetch(door))
    await asyncio.sleep(0.1)

    with pytest.raises(Unreachable, match="breaker"):
        await fetch(door)

    with pytest.raises(TooSlow):
        await trial


async def test_a_trial_that_is_cancelled_leaves_the_next_one_free(
    make_door, internet, clock, server
):
    door = make_door(clock=clock, failures_to_open=1, rest_seconds=30)
    internet.dead.add(PUBLIC)
    await fail(door, 1)
    internet.dead.clear()
    clock.now += 30
    good, server.answer = server.answer, sends(every=10, first=b"")
    trial = asyncio.create_task(fetch(door))
    await asyncio.sleep(0.1)
    trial.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trial
    server.answer = good

    await fetch(door)


async def test_a_host_that_answers_badly_is_not_away(make_door, server, clock):
    door = make_door(clock=clock, failures_to_open=2)
    server.answer = says(b"", status="404 Not Found")
    await fail(door, 5, BadAnswer)
    server.answer = says(b"{}")

    await fetch(door)


async def test_addresses_that_are_refused_open_no_breaker(make_door, clock):
    names = Names(rp_example=[["10.0.0.1"]])
    door = make_door(clock=clock, failures_to_open=2, look_up=names)
    await fail(door, 5, AddressRefused)
    names.answers["rp_example"] = [[PUBLIC]]

    await fetch(door)


async def test_slow_answers_open_the_breaker_too(make_door, server, clock):
    server.answer = sends(every=10, first=b"")
    door = make_door(clock=clock, failures_to_open=2, seconds=0.2)
    await fail(door, 2, TooSlow)

    with pytest.raises(Unreachable, match="breaker"):
        await fetch(door)


async def test_one_party_cannot_make_a_host_look_away_for_another(make_door, internet, clock):
    door = make_door(clock=clock, failures_to_open=2)
    internet.dead.add(PUBLIC)
    await fail(door, 3)
    internet.dead.clear()

    await fetch(door, party="b")


@pytest.fixture
def held(server):
    """Requests to the server hang until `set`; the most that were there at once, and when two."""
    gate, gate.two = asyncio.Event(), asyncio.Event()
    gate.most = gate.now = 0

    async def answer(_head):
        gate.now += 1
        gate.most = max(gate.most, gate.now)
        if gate.now == 2:
            gate.two.set()
        await gate.wait()
        gate.now -= 1
        async for part in says(b"{}")(_head):
            yield part

    server.answer = answer
    return gate


async def test_one_host_is_asked_by_a_few_requests_at_once(make_door, held):
    door = make_door(per_host=2)
    asking = [asyncio.create_task(fetch(door)) for _ in range(6)]
    await asyncio.wait_for(held.two.wait(), 20)
    await asyncio.sleep(0.3)  # time enough for a third, if there could be one
    held.set()

    await asyncio.gather(*asking)

    assert held.most == 2


async def test_a_slow_host_does_not_hold_up_another_host_or_party(make_door, server):
    server_names = Names(rp_example=[[PUBLIC]], other_example=[[PUBLIC]])
    door = make_door(per_host=1, look_up=server_names, seconds=2)
    quick, slow = says(b"{}"), sends(every=10, first=b"")

    def by_path(head):
        return slow(head) if b"GET /slow" in head else quick(head)

    server.answer = by_path
    held_up = asyncio.create_task(fetch(door, f"{URL}slow"))
    await asyncio.sleep(0.2)

    async with asyncio.timeout(1):
        await fetch(door, party="b")
        with pytest.raises(Unreachable, match="tls"):  # reached: its certificate is another's
            await fetch(door, OTHER)

    with pytest.raises(TooSlow):
        await held_up


@pytest.mark.usefixtures("held")
async def test_waiting_for_a_place_counts_as_time(make_door):
    door = make_door(per_host=1, seconds=0.3)
    began = time.monotonic()

    answers = await asyncio.gather(*(fetch(door) for _ in range(5)), return_exceptions=True)

    assert all(isinstance(answer, TooSlow | Busy) for answer in answers)
    assert time.monotonic() - began < 1


async def test_a_party_has_its_share_and_everybody_theirs(make_door, held):
    door = make_door(per_party=2, at_once=3)
    asking = [asyncio.create_task(fetch(door)) for _ in range(2)]
    await asyncio.sleep(0.1)

    with pytest.raises(Busy):
        await fetch(door)
    asking.append(asyncio.create_task(fetch(door, party="b")))
    await asyncio.sleep(0.1)
    with pytest.raises(Busy):
        await fetch(door, party="c")

    held.set()
    await asyncio.gather(*asking)
    await fetch(door)


async def test_hosts_are_forgotten_when_there_are_too_many(monkeypatch, make_door, internet):
    monkeypatch.setattr(hosts, "_MOST_REMEMBERED", 1)
    names = Names(rp_example=[[PUBLIC]], other_example=[[PUBLIC]])
    door = make_door(failures_to_open=1, look_up=names)
    internet.dead.add(PUBLIC)
    await fail(door, 1)
    with pytest.raises(Unreachable, match="breaker"):
        await fetch(door)
    with pytest.raises(Unreachable):
        await fetch(door, OTHER)
    internet.dead.clear()

    await fetch(door)


async def test_a_closed_door_looks_nothing_up(make_door, internet):
    door = make_door()
    await door.close()

    with pytest.raises(Busy):
        await fetch(door)

    assert internet.addresses == []
