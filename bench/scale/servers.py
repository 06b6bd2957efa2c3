"""Servers that start, fill their memory, and hear of changes."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator

from bench import processes
from bench.flows import OK, expect
from bench.http import Connection, connect, get
from bench.installation import Installation
from bench.processes import Process
from insula.config_overrides import service as config_overrides
from insula.platform import environment
from insula.platform.embedded.ports import free_port
from insula.platform.seeding.models import slug_of
from insula.platform.wiring import Wiring
from insula.providers.settings import ProtocolFeatures

_DISCOVERY = "/.well-known/openid-configuration"
_TOUCHED = 1000
_CHANGES = 3
_LONGEST = 20.0


@contextlib.asynccontextmanager
async def started(here: Installation) -> AsyncIterator[tuple[Process, dict[str, float]]]:
    """A server, and what it took until it was ready."""
    began = time.perf_counter()
    server = here.start()
    try:
        await processes.ready(here.port, here.ops_host, every=0.01)
        yield (
            server,
            {
                "start-up of `serve`": time.perf_counter() - began,
                "start-up of `serve`, CPU": processes.cpu_seconds(server),
            },
        )
    finally:
        processes.stop(server)


@contextlib.asynccontextmanager
async def _listening(here: Installation, **more: str) -> AsyncIterator[int]:
    """One more server, starting; its port."""
    port = free_port()
    server = here.start(INSULA_PORT=str(port), **more)
    try:
        yield port
    finally:
        processes.stop(server)


async def memory(here: Installation, server: Process, size: int) -> dict[str, float]:
    """What a fresh server holds, and what it holds when a thousand tenants have been asked for."""
    before = processes.resident_bytes(server)
    line = await connect(here.port)
    for number in range(0, size, max(1, size // _TOUCHED)):
        await expect(line, get(here.host(slug_of(number)), _DISCOVERY), OK)
    line.close()
    return {
        "memory after start": before / 1e6,
        "memory after 1,000 tenants": processes.resident_bytes(server) / 1e6,
    }


async def effect(here: Installation, size: int) -> dict[str, float]:
    """
    From saving a change in this process to another's answering by it.

    One of the others hears events; for the second there is nobody where it listens.
    """
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    async with _listening(here) as hearing, _listening(here, INSULA_REDIS_URL=nowhere) as deaf:
        for port in (hearing, deaf):
            await processes.ready(port, here.ops_host)
        lines = await connect(hearing), await connect(deaf)
        os.environ.update(here.environment)
        wiring = Wiring(environment.load())
        await wiring.database.open()
        try:
            found = [await _change(wiring, here, lines, size) for _ in range(_CHANGES)]
        finally:
            await wiring.close()
            for line in lines:
                line.close()
    return {
        "change to effect, with events, slowest": max(each[0] for each in found),
        "change to effect, events away, slowest": max(each[1] for each in found),
    }


async def _change(
    wiring: Wiring, here: Installation, lines: tuple[Connection, Connection], size: int
) -> tuple[float, float]:
    """Turn a feature off at one tenant, and watch it leave two servers; milliseconds of each."""
    slug = slug_of(random.randrange(size))  # noqa: S311  (a sample)
    wiring.directory.forget_all()
    tenant = await wiring.directory.find(f"slug:{slug}")
    assert tenant is not None  # noqa: S101  (seeded)
    await config_overrides.change(tenant, ProtocolFeatures, {"par": True})
    request = get(here.host(slug), _DISCOVERY)
    for line in lines:
        await _until(line, request, offered=True)
    await asyncio.sleep(random.random() * 3)  # noqa: S311  (somewhere between two polls)
    began = time.perf_counter()
    await config_overrides.change(tenant, ProtocolFeatures, {"par": False})
    watched = await asyncio.gather(*(_until(line, request, offered=False) for line in lines))
    return (watched[0] - began) * 1e3, (watched[1] - began) * 1e3


async def _until(line: Connection, request: bytes, *, offered: bool) -> float:
    """When the document says so."""
    async with asyncio.timeout(_LONGEST):
        while True:
            _, body = await expect(line, request, OK)
            if (b"pushed_authorization_request_endpoint" in body) is offered:
                return time.perf_counter()
            await asyncio.sleep(0.005)
