"""The application as its server opens and closes it."""

import asyncio
import gc

from serving import environment

from insula.platform.app import create


async def test_what_stands_when_it_serves_is_not_collected_again(database, cluster, monkeypatch):
    found = environment(database.app, database.platform, cluster.valkey_url, 8000)
    for name, text in found.items():
        if name.startswith("INSULA_"):
            monkeypatch.setenv(name, text)
    told, said = asyncio.Queue(), asyncio.Queue()
    before = gc.get_freeze_count()
    server = asyncio.create_task(create()({"type": "lifespan"}, told.get, said.put))
    try:
        await told.put({"type": "lifespan.startup"})
        assert await said.get() == {"type": "lifespan.startup.complete"}
        assert gc.get_freeze_count() > before + 50_000
    finally:
        await told.put({"type": "lifespan.shutdown"})
        await server
        gc.unfreeze()
