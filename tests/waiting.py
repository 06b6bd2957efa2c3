"""Transactions that a test holds open until somebody waits for them."""

import asyncio

_WAITS_FOR_US = """
    select count(distinct pid) from pg_locks
     where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))
"""


async def until_waited_for(db, by=1):
    """Until so many others wait for what the open transaction of *db* holds."""
    async with asyncio.timeout(20):
        while db.execute(_WAITS_FOR_US).fetchone()[0] < by:  # noqa: ASYNC110  (the database tells nobody)
            await asyncio.sleep(0.01)
