"""The bus is an accelerator: it is never waited for, and what is lost is noticed."""

import asyncio
import time
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from cuttable import Wire
from redis.asyncio import Redis

from insula.kernel.events import Bus

A = uuid4()


@pytest.fixture
async def wire(cluster):
    to = urlsplit(cluster.valkey_url)
    async with Wire(to.hostname, to.port) as wire:
        wire.url = cluster.valkey_url.replace(f":{to.port}", f":{wire.port}")
        yield wire


@pytest.fixture
async def heard(cluster):
    """What a healthy listener heard of tenant A."""
    found, connected = asyncio.Queue(), asyncio.Event()
    bus = Bus(cluster.valkey_url)
    listening = asyncio.create_task(
        bus.listen(lambda *event: event[0] == A and found.put_nowait(event), connected.set)
    )
    await asyncio.wait_for(connected.wait(), 3)
    yield found
    listening.cancel()
    await asyncio.wait([listening])
    await bus.close()


async def test_a_published_change_is_heard(bus, heard):
    bus.publish(A, "keys", 7)
    assert await asyncio.wait_for(heard.get(), 1) == (A, "keys", 7)


async def test_publishing_is_on_its_way_when_flushed(bus, heard):
    for version in range(20):
        bus.publish(A, "keys", version)
    await bus.flush()
    await asyncio.sleep(0.1)
    assert heard.qsize() == 20


async def test_a_message_carries_no_data(bus, cluster):
    client = Redis.from_url(cluster.valkey_url)
    async with client.pubsub(ignore_subscribe_messages=True) as channel:
        await channel.psubscribe("insula:*")
        bus.publish(A, "keys", 7)
        async with asyncio.timeout(2):
            while True:
                message = await channel.get_message(timeout=1)
                if message and str(A).encode() in message["channel"]:
                    break
    await client.aclose()
    assert message["data"] == b'{"tenant": "%s", "kind": "keys", "version": 7}' % str(A).encode()


async def test_without_an_address_the_bus_does_nothing_truthfully():
    bus = Bus(None)
    bus.publish(A, "keys", 1)
    listening = asyncio.create_task(bus.listen(lambda *_: None, lambda: None))
    await asyncio.sleep(0.01)
    assert not bus.connected
    assert not listening.done()
    listening.cancel()
    await asyncio.wait([listening])
    await bus.close()


@pytest.mark.spec("security F-6", "security F-7")
async def test_nobody_waits_for_a_bus_that_is_away_and_the_circuit_opens(wire):
    bus = Bus(wire.url)
    await wire.cut()
    started = time.monotonic()
    bus.publish(A, "keys", 1)
    assert time.monotonic() - started < 0.05
    await bus.flush()
    for version in range(100):
        bus.publish(A, "keys", version)
    assert len(bus._sending) == 0  # noqa: SLF001  (nothing is even tried while the circuit is open)
    await bus.close()


async def test_the_circuit_closes_again(wire, heard):
    bus = Bus(wire.url)
    await wire.cut()
    bus.publish(A, "keys", 1)
    await bus.flush()
    await wire.restore()
    async with asyncio.timeout(5):
        while heard.empty():
            bus.publish(A, "keys", 2)
            await asyncio.sleep(0.1)
    assert await heard.get() == (A, "keys", 2)
    await bus.close()


async def test_a_listener_comes_back_and_says_that_it_was_away(wire, bus):
    times, news = [], asyncio.Event()
    listener = Bus(wire.url)

    def connected():
        times.append(time.monotonic())
        news.set()

    listening = asyncio.create_task(listener.listen(lambda *_: None, connected))
    await asyncio.wait_for(news.wait(), 3)
    assert listener.connected
    news.clear()
    await wire.cut()
    async with asyncio.timeout(3):
        while listener.connected:  # noqa: ASYNC110  (there is no event to wait for)
            await asyncio.sleep(0.01)
    await wire.restore()
    await asyncio.wait_for(news.wait(), 5)
    assert len(times) == 2
    assert listener.connected
    listening.cancel()
    await asyncio.wait([listening])
    await listener.close()
    await bus.flush()


async def test_a_bus_that_closes_while_it_listens_ends_when_told(cluster):
    bus = Bus(cluster.valkey_url)
    listening = asyncio.create_task(bus.listen(lambda *_: None, lambda: None))
    await asyncio.sleep(0.05)
    await bus.close()
    listening.cancel()
    done, _ = await asyncio.wait([listening], timeout=2)
    assert done
