"""
Connections of a psycopg pool, the free ones at hand.

A trip takes a hundred microseconds, and a pool of asyncio's a fifth of that to lend a connection
and to take it back. What a trip gives back stays at hand for the next one, which takes it without
waiting for anybody; the pool goes on making connections, replacing broken ones and growing. What
was not needed goes back to it every few seconds, so that it can also shrink and let age end.
"""

import asyncio
from typing import Protocol

from insula.kernel.one_trip import Connection, is_alive, is_idle

#: Seconds after which what is at hand goes back to the pool.
_AT_HAND = 5.0


class Pool(Protocol):
    """What a psycopg pool has."""

    @property
    def closed(self) -> bool: ...
    async def getconn(self) -> Connection: ...
    async def putconn(self, conn: Connection) -> None: ...


class Connections:
    """What lends one pool's connections, on one event loop."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._free: list[Connection] = []
        self._waiting = 0
        self._returning: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def take(self) -> Connection:
        """A connection, for one caller. Raises what the pool does when it has none to give."""
        while self._free:
            connection = self._free.pop()
            if is_alive(connection):
                return connection
            self._return(connection)
        self._waiting += 1
        try:
            return await self._pool.getconn()
        finally:
            self._waiting -= 1

    def give(self, connection: Connection) -> None:
        """Take it back. Nothing is waited for, so that no caller's end can lose it."""
        if self._waiting or not is_idle(connection) or self._pool.closed:
            self._return(connection)
            return
        self._free.append(connection)
        if self._sweep is None:
            loop = asyncio.get_running_loop()
            self._sweep = loop.call_later(_AT_HAND, self._return_free)

    def _return(self, connection: Connection) -> None:
        task = asyncio.ensure_future(self._pool.putconn(connection))
        self._returning.add(task)
        task.add_done_callback(self._returning.discard)

    def _return_free(self) -> None:
        self._sweep = None
        free, self._free = self._free, []
        for connection in free:
            self._return(connection)

    async def put_back(self) -> None:
        """Give the pool what is at hand, and wait until it has it."""
        if self._sweep is not None:
            self._sweep.cancel()
        self._return_free()
        if self._returning:
            await asyncio.wait(list(self._returning), timeout=5)
