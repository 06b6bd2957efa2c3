"""A change is heard at once over the bus, by the poll without it, and a gap is known as one."""

import asyncio
import time
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from cuttable import Wire
from redis.asyncio import Redis

from insula.kernel.events import Bus
from insula.tenancy.changes import ChangeFeed
from insula.tenancy.db import Doors, Platform, raise_version
from insula.tenancy.directory import Directory
from insula.tenancy.models import Naming


class Ear:
    """Notes what a feed says."""

    def __init__(self):
        self.heard = []
        self.gaps = 0
        self._news = asyncio.Event()

    def on_change(self, tenant_id, version):
        self.heard.append((tenant_id, version))
        self._news.set()

    def on_gap(self):
        self.gaps += 1

    async def hears(self, tenant_id, version, within):
        """How long it took until the change was heard."""
        started = time.monotonic()
        async with asyncio.timeout(within):
            while (tenant_id, version) not in self.heard:
                self._news.clear()
                await self._news.wait()
        return time.monotonic() - started


async def until(condition):
    """Wait for what nobody signals."""
    async with asyncio.timeout(3):
        while not condition():  # noqa: ASYNC110  (there is no event to wait for)
            await asyncio.sleep(0.01)


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
async def listening(app_db, ear):
    """Starts a feed; it is stopped at the end."""
    feeds = []

    async def start(bus, every=60):
        feed = ChangeFeed(app_db, bus, ear.on_change, ear.on_gap, every=every)
        await feed.start()
        feeds.append(feed)
        await until(lambda: ear.gaps and (bus is _SILENT or bus.connected))

    yield start
    for feed in feeds:
        await feed.stop()


_SILENT = Bus(None)


async def change(tenant):
    async with tenant.transaction() as db:
        return await raise_version(db, "tenant")


@pytest.mark.spec("architecture 4")
async def test_a_change_is_heard_within_a_second_over_the_bus(cluster, listening, ear, house):
    other = Bus(cluster.valkey_url)
    await listening(other)
    version = await change(house.tenant)
    assert await ear.hears(house.tenant.id, version, within=1) < 1
    await other.close()


async def test_a_change_is_heard_by_the_poll_when_there_is_no_bus(listening, ear, doors, house):
    await listening(_SILENT, every=0.2)
    silent = await Directory.over(Doors(doors.database, _SILENT), Naming("localhost")).find(
        f"slug:{house.tenant.slug}"
    )
    version = await change(silent)
    await ear.hears(house.tenant.id, version, within=2)


async def test_what_happened_while_the_bus_was_away_is_asked_for_when_it_is_back(
    cluster, listening, ear, house
):
    to = urlsplit(cluster.valkey_url)
    async with Wire(to.hostname, to.port) as wire:
        bus = Bus(cluster.valkey_url.replace(f":{to.port}", f":{wire.port}"))
        await listening(bus)
        await wire.cut()
        await until(lambda: not bus.connected)
        version = await change(house.tenant)
        await asyncio.sleep(0.1)
        assert (house.tenant.id, version) not in ear.heard
        await wire.restore()
        await ear.hears(house.tenant.id, version, within=4)
        await bus.close()


async def test_a_change_that_is_rolled_back_is_not_announced(cluster, listening, ear, house):
    bus = Bus(cluster.valkey_url)
    await listening(bus)
    with suppress(ZeroDivisionError):
        async with house.tenant.transaction() as db:
            undone = await raise_version(db, "tenant")
            raise ZeroDivisionError
    version = await change(house.tenant)
    assert version == undone
    await ear.hears(house.tenant.id, version, within=1)
    assert ear.heard.count((house.tenant.id, version)) == 1
    await bus.close()


async def test_the_platforms_changes_are_announced_too(cluster, listening, ear, house, platform_db):
    bus, listener = Bus(cluster.valkey_url), Bus(cluster.valkey_url)
    await listening(listener)
    async with Platform(platform_db, bus).within(house.tenant.id) as db:
        version = await raise_version(db, "tenant")
    await ear.hears(house.tenant.id, version, within=1)
    await bus.close()
    await listener.close()


async def test_the_first_mark_counts_as_a_gap(app_db, ear, house):
    """What was read before there was a mark may have changed before there was one."""
    feed = ChangeFeed(app_db, _SILENT, ear.on_change, ear.on_gap)
    await feed.poll()
    assert (ear.gaps, ear.heard) == (1, [])
    version = await change(house.tenant)
    await feed.poll()
    assert (house.tenant.id, version) in ear.heard
    assert ear.gaps == 1


async def test_a_mark_that_went_back_is_a_gap(app_db, ear):
    feed = ChangeFeed(app_db, _SILENT, ear.on_change, ear.on_gap)
    feed._mark = str(1 << 60)  # noqa: SLF001  (a server that was restored from a backup)
    await feed.poll()
    assert ear.gaps == 1
    await feed.poll()
    assert ear.gaps == 1


async def test_a_poll_that_fails_is_tried_again_and_misses_nothing(app_db, ear, house, monkeypatch):
    feed = ChangeFeed(app_db, _SILENT, ear.on_change, ear.on_gap, every=0.05)
    await feed.poll()
    fetch, failures = app_db.fetch, iter([OSError(), RuntimeError()])

    async def flaky(*args):
        if (failure := next(failures, None)) is not None:
            raise failure
        return await fetch(*args)

    monkeypatch.setattr(app_db, "fetch", flaky)
    version = await change(house.tenant)
    await feed.start()
    await ear.hears(house.tenant.id, version, within=2)
    await feed.stop()


async def test_messages_that_are_not_ours_are_ignored(cluster, listening, ear, house):
    bus = Bus(cluster.valkey_url)
    await listening(bus)
    client = Redis.from_url(cluster.valkey_url)
    for body in (b"", b"{}", b"[]", b"null", b'{"tenant": 1, "kind": "x", "version": 1}', b"\xff"):
        await client.publish("insula:x:y", body)
    await client.aclose()
    version = await change(house.tenant)
    await ear.hears(house.tenant.id, version, within=1)
    assert bus.connected
    await bus.close()


async def test_versions_of_two_changes_rise(house):
    first = await change(house.tenant)
    assert await change(house.tenant) == first + 1
    assert first > house.tenant.version
