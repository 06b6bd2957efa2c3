"""Transactions that a test holds open until somebody waits for them."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

_WAITERS = """
    with recursive held_up(pid) as (
      select pg_backend_pid()
      union
      select l.pid from pg_locks l, held_up h
       where not l.granted and h.pid = any(pg_blocking_pids(l.pid))
    )
    select count(*) - 1 from held_up
"""
_HOLD = "select from insula.tenants where id = %s for no key update"
_PATIENCE = 20


def _waiters(db):
    """How many wait for the open transaction of *db*, or for somebody who does."""
    return db.execute(_WAITERS).fetchone()[0]


async def until_waited_for(db, by=1):
    """Until so many others wait for what the open transaction of *db* holds."""
    async with asyncio.timeout(_PATIENCE):
        while _waiters(db) < by:  # noqa: ASYNC110  (the database tells nobody)
            await asyncio.sleep(0.01)


async def at_once(db, tenant_id, *acts):
    """What became of *acts* that hold a tenant: all are under way before the first of them can."""
    with db.transaction():
        db.execute(_HOLD, [tenant_id])
        tasks = []
        for n, act in enumerate(acts, 1):
            tasks.append(asyncio.ensure_future(act))
            await until_waited_for(db, n)
    return await asyncio.gather(*tasks, return_exceptions=True)


def called_at_once(db, tenant_id, *calls):
    """The same over HTTP, where each call is a thread."""
    with ThreadPoolExecutor(len(calls)) as pool:
        with db.transaction():
            db.execute(_HOLD, [tenant_id])
            futures = [pool.submit(call) for call in calls]
            deadline = time.monotonic() + _PATIENCE
            while _waiters(db) < len(calls):
                assert time.monotonic() < deadline, "not everybody waited for the tenant"
                time.sleep(0.01)
        return [future.result(30) for future in futures]
