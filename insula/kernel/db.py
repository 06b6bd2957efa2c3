"""
The pools of one process, and the two ways through them.

`Database.transaction` is SQLAlchemy Core in a transaction; `Database.once` is one network
round trip (begin, bind, one atomic statement, commit) by psycopg's client-side cursor.
Both bind the tenant inside the transaction and nowhere else (security.md R4, R7). Nothing
here is prepared by the driver, and plans that the one-trip door keeps are given up when
somebody in between changes connections, so pgbouncer in transaction mode works (R27).
"""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
import psycopg_pool
import sqlalchemy as sa
import structlog
from psycopg.rows import namedtuple_row
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from insula.kernel.errors import Unavailable

_log = structlog.get_logger(__name__)

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


_PARAMETER = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Statement:
    """
    One atomic statement for the one-trip door, as the messages that carry it.

    *plain* sends the statement itself. *execute* runs it as a plan that the connection has kept
    since *prepare*: planning such a statement takes ten times as long as running it.
    """

    name: str
    text: str
    plain: str
    prepare: str = ""
    execute: str = ""


def _message(body: str, before: str = "") -> str:
    bind = "select set_config('insula.tenant_id',%(bound_tenant)s,true)"
    return f"{before}begin;{bind};{body};commit"


def statement(text: str, types: Mapping[str, str] | None = None) -> Statement:
    """
    Write a statement in SQL, parameters as `%(name)s`.

    *types* are the SQL types of its parameters by name; with them it is prepared once on each
    connection. Messages are put together here, at import, so that the driver's cache of parsed
    queries holds one entry for all tenants.
    """
    text = text.strip()
    name = "s" + hashlib.sha256(text.encode()).hexdigest()[:16]
    if types is None:
        return Statement(name, text, _message(text))
    order = list(dict.fromkeys(_PARAMETER.findall(text)))
    places = {parameter: f"${number}" for number, parameter in enumerate(order, 1)}
    numbered = _PARAMETER.sub(lambda match: places[match[1]], text)
    prepare = f"prepare {name}({','.join(types[p] for p in order)}) as {numbered};"
    execute = f"execute {name}({','.join(f'%({p})s' for p in order)})"
    return Statement(name, text, _message(text), _message(execute, prepare), _message(execute))


def compiled(core: sa.sql.expression.ClauseElement) -> Statement:
    """Compile a SQLAlchemy Core statement to text once."""
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it so
    return statement(str(core.compile(dialect=dialect)))


def count_trip() -> None:
    """Note one round trip on the current request."""
    counter = trips.get()
    if counter is not None:
        counter[0] += 1


@contextlib.contextmanager
def _honest() -> Iterator[None]:
    """Turn 'the database is away' into the family that callers know."""
    try:
        yield
    except _AWAY as error:
        raise Unavailable(
            "the database is away", detail=f"{type(error).__name__}: {error}"
        ) from error


class Database:
    """
    One role's pools in one process.

    *size* is how many connections each of the two pools may hold. *application* is shown in
    pg_stat_activity and holds nothing of a tenant.
    """

    def __init__(self, url: str, *, size: int = 10, application: str = "insula") -> None:
        self.url = url
        arguments = {**_CONNECTION, "application_name": application}
        self._pool = psycopg_pool.AsyncConnectionPool(
            url,
            kwargs={
                **arguments,
                "autocommit": True,
                "prepare_threshold": None,
                "cursor_factory": psycopg.AsyncClientCursor,
                "row_factory": namedtuple_row,
            },
            min_size=min(2, size),
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
        self._checking: asyncio.Task[None] | None = None
        #: Which statements each connection has prepared.
        self._prepared: WeakKeyDictionary[psycopg.AsyncConnection[Row], set[str]] = (
            WeakKeyDictionary()
        )
        self._keeps_plans = True

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        if self._checking is not None:
            await asyncio.wait([self._checking], timeout=5)
        await self._pool.close()
        await self._engine.dispose()

    async def once(
        self, tenant_id: UUID, statement: Statement, params: Mapping[str, Any]
    ) -> Sequence[Row]:
        """
        Send one statement, bound to *tenant_id* and committed, in one round trip.

        Raises `Unavailable` when the database is away. The commit is on its way before the
        answer is seen, so the statement itself must decide everything.
        """
        count_trip()
        values = {**params, "tenant_id": tenant_id, "bound_tenant": str(tenant_id)}
        try:
            with _honest():
                async with self._pool.connection() as connection:
                    return await self._send(connection, statement, values)
        except Unavailable:
            self._check_soon()
            raise

    async def _send(
        self,
        connection: "psycopg.AsyncConnection[Row]",
        statement: Statement,
        values: Mapping[str, Any],
    ) -> Sequence[Row]:
        skip = 2
        message = statement.plain
        prepared = None
        if statement.execute and self._keeps_plans:
            prepared = self._prepared.setdefault(connection, set())
            if statement.name in prepared:
                message = statement.execute
            else:
                message, skip = statement.prepare, 3
        try:
            cursor = await connection.execute(message, values)
        except (psycopg.errors.InvalidSqlStatementName, psycopg.errors.DuplicatePreparedStatement):
            # Somebody between us and the server changes connections under our feet (pgbouncer in
            # transaction mode). Nothing was done: the statement never ran. Go on without plans.
            _log.warning("database.plans_not_kept")
            self._keeps_plans = False
            await connection.rollback()
            cursor, skip = await connection.execute(statement.plain, values), 2
        if prepared is not None:
            prepared.add(statement.name)
        for _ in range(skip):
            cursor.nextset()
        return await cursor.fetchall() if cursor.description else ()

    @contextlib.asynccontextmanager
    async def transaction(self, tenant_id: UUID | None = None) -> AsyncIterator[Connection]:
        """
        A transaction, bound to *tenant_id* as its first statement; unbound it sees no rows.

        Raises `Unavailable` when the database is away.
        """
        with _honest():
            async with self._engine.begin() as connection:
                if tenant_id is not None:
                    await bind(connection, tenant_id)
                count_trip()
                yield connection
                count_trip()

    async def fetch(self, sql: str, params: Mapping[str, Any] | None = None) -> Sequence[Row]:
        """An unbound read in one trip: definer functions, health, never a tenant's table."""
        count_trip()
        try:
            with _honest():
                async with self._pool.connection() as connection:
                    cursor = await connection.execute(sql, params)
                    return await cursor.fetchall()
        except Unavailable:
            self._check_soon()
            raise

    def _check_soon(self) -> None:
        """Throw dead connections out of the pool in the background, once at a time."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._pool.check())

    def figures(self) -> Mapping[str, int]:
        """What the pool says of itself, for metrics."""
        return self._pool.get_stats()


async def bind(db: Connection, tenant_id: UUID) -> None:
    """Bind the rest of the transaction to one tenant; only tenancy and tenants call this."""
    count_trip()
    await db.execute(
        sa.text("select set_config('insula.tenant_id', :tenant_id, true)"),
        {"tenant_id": str(tenant_id)},
    )
