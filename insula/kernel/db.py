"""
The pools of one process, and the two ways through them.

`Database.transaction` is SQLAlchemy Core in a transaction; `Database.once` is one network
round trip (bind, one atomic statement, commit: kernel.one_trip). Both bind the tenant inside
the transaction and nowhere else (security.md R4, R7). Nothing else is kept on a connection, so
pgbouncer in transaction mode works (R27).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
import psycopg_pool
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from insula.kernel.connections import Connections
from insula.kernel.errors import Unavailable
from insula.kernel.one_trip import OneTrip, Statement, statement

Connection = AsyncConnection
Row = Any

#: Round trips to the database that the current request has made.
trips: ContextVar[list[int] | None] = ContextVar("trips", default=None)

_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15000,  # a lost peer is noticed in 15 s (security.md F-32)
}

#: Seconds for one transaction. A server that is frozen says nothing, and then neither its own
#: timeouts nor TCP's end the wait (security.md F-32).
_PATIENCE = 12.0

#: What the server says when it is not the statement's fault.
_AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg_pool.PoolTimeout,
    psycopg_pool.PoolClosed,
    psycopg_pool.TooManyRequests,
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.TimeoutError,
    OSError,
)


def count_trip() -> None:
    """Note one round trip on the current request."""
    counter = trips.get()
    if counter is not None:
        counter[0] += 1


@contextlib.contextmanager
def uncounted() -> Iterator[None]:
    """What is asked inside belongs to no request: a scrape is not what the trips are about."""
    mark = trips.set(None)
    try:
        yield
    finally:
        trips.reset(mark)


#: Of these, what says that there is no connection to be had, and not that one was lost.
_BUSY = (psycopg_pool.PoolTimeout, psycopg_pool.TooManyRequests)


@contextlib.contextmanager
def _honest() -> Iterator[None]:
    """Turn 'the database is away' into the family that callers know."""
    try:
        yield
    except _AWAY as error:
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> Unavailable:
    return Unavailable("the database is away", detail=f"{type(error).__name__}: {error}")


_unbound = lru_cache(128)(statement)


class Database:
    """
    One role's pools in one process.

    *size* is how many connections each of the two pools may hold, *ready* how many the pool of
    trips makes before anybody asks. *application* is shown in pg_stat_activity and holds nothing
    of a tenant.
    """

    def __init__(
        self, url: str, *, size: int = 10, ready: int = 2, application: str = "insula"
    ) -> None:
        self.url = url
        arguments = {**_CONNECTION, "application_name": application}
        self._pool = psycopg_pool.AsyncConnectionPool(
            url,
            kwargs={
                **arguments,
                "autocommit": True,
                "prepare_threshold": None,
            },
            min_size=min(ready, size),
            max_size=size,
            timeout=3,
            max_waiting=size * 50,
            max_idle=300,
            reconnect_timeout=0,
            open=False,
        )
        self._engine = create_async_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"),
            pool_size=size,
            max_overflow=0,
            pool_timeout=3,
            pool_recycle=1800,
            connect_args={**arguments, "prepare_threshold": None},
        )
        self._connections = Connections(self._pool)
        self._checking: asyncio.Task[None] | None = None
        self._trips = OneTrip()

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        if self._checking is not None:
            await asyncio.wait([self._checking], timeout=5)
        await self._connections.put_back()
        await self._pool.close()
        await self._engine.dispose()

    async def once(
        self, tenant_id: UUID, act: Statement, params: Mapping[str, Any]
    ) -> Sequence[Row]:
        """
        Send one statement, bound to *tenant_id* and committed, in one round trip.

        Raises `Unavailable` when the database is away. The commit is on its way before the
        answer is seen, so the statement itself must decide everything.
        """
        return await self._trip(tenant_id, act, params)

    async def _trip(
        self, tenant_id: UUID | None, act: Statement, params: Mapping[str, Any]
    ) -> Sequence[Row]:
        """One trip, bound or to nobody; written flat, as the hottest lines there are."""
        count_trip()
        try:
            connection = await self._connections.take()
            try:
                return await self._trips.make(connection, tenant_id, act, params)
            finally:
                self._connections.give(connection)
        except _AWAY as error:
            self._check_soon(lost=not isinstance(error, _BUSY))
            raise _unavailable(error) from error

    @contextlib.asynccontextmanager
    async def transaction(self, tenant_id: UUID | None = None) -> AsyncIterator[Connection]:
        """
        A transaction, bound to *tenant_id* as its first statement; unbound it sees no rows.

        Raises `Unavailable` when the database is away.
        """
        with _honest():
            async with asyncio.timeout(_PATIENCE), self._engine.begin() as connection:
                if tenant_id is not None:
                    await bind(connection, tenant_id)
                count_trip()
                yield connection
                count_trip()

    async def fetch(self, sql: str, params: Mapping[str, Any] | None = None) -> Sequence[Row]:
        """An unbound read in one trip: definer functions, health, never a tenant's table."""
        return await self._trip(None, _unbound(sql), params or {})

    def _check_soon(self, *, lost: bool) -> None:
        """Throw dead connections out of both pools in the background, once at a time."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._check(lost=lost))

    async def _check(self, *, lost: bool) -> None:
        if lost:
            # What idles for transactions has died with it; what is in use ends when it comes back.
            await self._engine.dispose()
        await self._connections.put_back()
        await self._pool.check()


async def bind(db: Connection, tenant_id: UUID) -> None:
    """Bind the rest of the transaction to one tenant; only tenancy and tenants call this."""
    count_trip()
    await db.execute(
        sa.text("select set_config('insula.tenant_id', :tenant_id, true)"),
        {"tenant_id": str(tenant_id)},
    )
