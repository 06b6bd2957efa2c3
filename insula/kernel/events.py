"""
Change events over Valkey or Redis: an accelerator that may vanish at any moment.

A message says that a tenant changed and how far; it carries no data. It is published after
the commit that it tells of and never waited for. Who misses one hears of the change from
the version poll (tenancy.changes).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from insula.kernel.metrics import EVENTS_CONNECTED, EVENTS_RECEIVED

_log = structlog.get_logger(__name__)

_PREFIX = "insula:"
_PATIENCE = 0.2  # seconds for one call; the bus is never worth a wait (security.md F-7)
_AWAY = (RedisError, OSError, TimeoutError)

Listener = Callable[[UUID, str, int], None]


class Bus:
    """Publishes and hears changes; without a URL it does nothing, truthfully."""

    def __init__(self, url: str | None) -> None:
        self._client: Redis | None = None
        if url:
            # Blocking: a burst of changes waits for a connection, within the second that it has.
            pool = BlockingConnectionPool.from_url(
                url,
                max_connections=8,
                timeout=_PATIENCE * 5,
                socket_connect_timeout=_PATIENCE * 5,
                socket_timeout=_PATIENCE * 5,
                retry=Retry(NoBackoff(), 0),
                health_check_interval=0,
            )
            self._client = Redis.from_pool(pool)
        self._open_until = 0.0
        self.connected = False
        self._sending: set[asyncio.Task[None]] = set()

    def publish(self, tenant_id: UUID, kind: str, version: int) -> None:
        """Tell the other processes, in the background; the poll heals what fails."""
        if self._client is None or asyncio.get_running_loop().time() < self._open_until:
            return
        task = asyncio.create_task(self._publish(tenant_id, kind, version))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def flush(self) -> None:
        """Wait for what is on its way; for commands that end right after a change."""
        if self._sending:
            await asyncio.wait(tuple(self._sending), timeout=2)

    async def _publish(self, tenant_id: UUID, kind: str, version: int) -> None:
        assert self._client is not None  # noqa: S101  (publish has looked)
        message = json.dumps({"tenant": str(tenant_id), "kind": kind, "version": version})
        try:
            async with asyncio.timeout(1):
                await self._client.publish(f"{_PREFIX}{tenant_id}:{kind}", message)
        except _AWAY as error:
            # the circuit: for a while nobody waits for a bus that is away
            self._open_until = asyncio.get_running_loop().time() + 1.0
            _log.warning("events.publish_failed", error=type(error).__name__)

    async def listen(self, heard: Listener, connected: Callable[[], None]) -> None:
        """
        Call *heard* for each change and *connected* after each (re)connection, for ever.

        A connection that was away may have missed something: *connected* is where to ask.
        """
        if self._client is None:
            await asyncio.Event().wait()
            return
        pause = 0.1
        while True:
            with contextlib.suppress(*_AWAY):
                async for tenant_id, kind, version in self._messages(connected):
                    pause = 0.1
                    EVENTS_RECEIVED.inc()
                    heard(tenant_id, kind, version)
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError  # the client had made an error of its own of it
            if self.connected:
                _log.warning("events.lost")
            self.connected = False
            EVENTS_CONNECTED.set(0)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    async def _messages(
        self, connected: Callable[[], None]
    ) -> AsyncIterator[tuple[UUID, str, int]]:
        assert self._client is not None  # noqa: S101  (listen has looked)
        async with self._client.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.psubscribe(f"{_PREFIX}*")
            self.connected = True
            EVENTS_CONNECTED.set(1)
            connected()
            asked = False
            while True:
                message = await channel.get_message(timeout=5)
                if message is None:
                    if asked:
                        raise ConnectionError("no answer to a ping")
                    await channel.ping()  # a dead peer is noticed by this, not by silence
                    asked = True
                    continue
                asked = False
                try:
                    body = json.loads(message["data"])
                    found = UUID(str(body["tenant"])), str(body["kind"]), int(body["version"])
                except (ValueError, KeyError, TypeError):
                    continue  # not ours
                yield found

    async def answers(self) -> bool:
        """Whether the bus answers now; for `insula check`."""
        if self._client is None:
            return False
        try:
            async with asyncio.timeout(1):
                await self._client.ping()
        except _AWAY:
            return False
        return True

    async def close(self) -> None:
        await self.flush()
        if self._client is not None:
            with contextlib.suppress(*_AWAY):
                await self._client.aclose()
