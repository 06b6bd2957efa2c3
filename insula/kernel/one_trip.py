"""
One tenant-bound statement in one network round trip, by libpq's pipeline mode.

What goes over the wire at once is `set_config` of the tenant, the statement, and a sync. The
server runs what comes before a sync as one transaction and commits it there, so the binding
holds for this statement and ends with it, and an error leaves nothing open. Values travel as
parameters, never inside the text, and each connection keeps the plan of each statement that
says its types: planning a liveness join takes ten times as long as running it
(docs/decisions/0008).
"""

import asyncio
import hashlib
import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
import structlog
from psycopg import pq
from psycopg.adapt import Transformer

_log = structlog.get_logger(__name__)

Row = Any
Connection = psycopg.AsyncConnection[Any]

_PARAMETER = re.compile(r"%\((\w+)\)s")
_BIND = b"select set_config('insula.tenant_id',$1,true)"
_BIND_NAME = b"insula_bind"
_BINARY = 1
_PATIENCE = 5.0  # seconds that an answer nobody waits for may take
#: Seconds that the server may say nothing. One that is frozen says nothing at all, and then neither
#: its own timeouts nor TCP's end the wait (security.md F-32).
_SILENCE = 12.0

#: Object ids of the types that parameters of ours have (pg_type.dat, the same in every release).
OIDS: Mapping[str, int] = {
    "boolean": 16,
    "bytea": 17,
    "bigint": 20,
    "integer": 23,
    "text": 25,
    "float8": 701,
    "bytea[]": 1001,
    "text[]": 1009,
    "timestamptz": 1184,
    "interval": 1186,
    "interval[]": 1187,
    "uuid": 2950,
}


@dataclass(frozen=True, slots=True)
class Statement:
    """
    One atomic statement, parameters numbered.

    *order* is the order of its parameters' names. *types* are their object ids where they are
    declared; such a statement is prepared once on each connection.
    """

    name: bytes
    sql: bytes
    text: str
    order: tuple[str, ...]
    types: tuple[int, ...] | None


def statement(text: str, types: Mapping[str, str] | None = None) -> Statement:
    """
    Write a statement in SQL, parameters as `%(name)s`.

    *types* are the SQL types of its parameters by name; without them the statement is planned
    each time, and its casts must say what a text is.
    """
    text = text.strip()
    order = tuple(dict.fromkeys(_PARAMETER.findall(text)))
    places = {parameter: f"${number}" for number, parameter in enumerate(order, 1)}
    sql = _PARAMETER.sub(lambda match: places[match[1]], text)
    name = "s" + hashlib.sha256(sql.encode()).hexdigest()[:16]
    oids = None if types is None else tuple(OIDS[types[parameter]] for parameter in order)
    return Statement(name.encode(), sql.encode(), text, order, oids)


def _interval(value: timedelta) -> bytes:
    return b"%d days %d seconds %d microseconds" % (value.days, value.seconds, value.microseconds)


def _array(items: Sequence[Any], encode: Callable[[Any], bytes]) -> bytes:
    quoted = (
        b'"' + encode(item).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"' for item in items
    )
    return b"{" + b",".join(quoted) + b"}"


def _encode(value: Any) -> tuple[bytes | None, int]:  # noqa: ANN401, PLR0911  (one line for each kind of value)
    """A value as libpq takes it, in text, and the object id of its type (0: the server infers)."""
    if value is None:
        return None, 0
    if isinstance(value, str):
        return value.encode(), 0
    if isinstance(value, bytes):
        return b"\\x" + value.hex().encode(), OIDS["bytea"]
    if isinstance(value, UUID):
        return b"%032x" % value.int, OIDS["uuid"]  # a third of the time of its text
    if isinstance(value, bool):
        return (b"t" if value else b"f"), OIDS["boolean"]
    if isinstance(value, timedelta):
        return _interval(value), OIDS["interval"]
    if isinstance(value, int):
        # the smaller type widens by itself; the larger one would not find an integer's function
        return b"%d" % value, OIDS["integer" if abs(value) < 1 << 31 else "bigint"]
    if isinstance(value, float):
        return repr(value).encode(), OIDS["float8"]
    if isinstance(value, list):
        return _encode_list(value)
    raise TypeError(f"no parameter of ours: {type(value).__name__}")


def _encode_list(items: list[Any]) -> tuple[bytes, int]:
    first = items[0] if items else ""
    if isinstance(first, bytes):
        return _array(items, lambda item: b"\\x" + item.hex().encode()), OIDS["bytea[]"]
    if isinstance(first, timedelta):
        return _array(items, _interval), OIDS["interval[]"]
    return _array(items, str.encode), OIDS["text[]"]


def is_alive(connection: Connection) -> bool:
    """Whether nobody has noticed its end."""
    return connection.pgconn.status == pq.ConnStatus.OK


def is_idle(connection: Connection) -> bool:
    """Whether it lives, and is in the middle of nothing."""
    server = connection.pgconn
    return (
        server.status == pq.ConnStatus.OK
        and server.transaction_status == pq.TransactionStatus.IDLE
        and server.pipeline_status == pq.PipelineStatus.OFF
    )


class _Known:
    """What one connection knows: its prepared statements and how to read their rows."""

    __slots__ = ("prepared", "transformer")

    def __init__(self, connection: Connection) -> None:
        self.prepared: set[bytes] = set()
        self.transformer = Transformer.from_context(connection)


class OneTrip:
    """Makes the trips of one pool."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Connection, _Known] = WeakKeyDictionary()
        self._rows: dict[bytes, Callable[[Sequence[Any]], Row]] = {}
        self._keeps_plans = True

    async def make(
        self,
        connection: Connection,
        tenant_id: UUID | None,
        statement: Statement,
        params: Mapping[str, Any],
    ) -> Sequence[Row]:
        """
        Run *statement* bound to *tenant_id*, or to nobody, and committed; its rows.

        Raises the driver's errors. When the caller goes away in the middle, the answer is read to
        its end before the connection is anybody else's; one that cannot be is closed.
        """
        values = [tenant_id if name == "tenant_id" else params[name] for name in statement.order]
        try:
            try:
                return await self._exchange(connection, tenant_id, statement, values)
            except (
                psycopg.errors.InvalidSqlStatementName,
                psycopg.errors.DuplicatePreparedStatement,
            ):
                # Nothing was done: the statement never ran. Go on without plans (pgbouncer).
                _log.warning("database.plans_not_kept")
                self._keeps_plans = False
                return await self._exchange(connection, tenant_id, statement, values)
        except psycopg.Error:
            if statement.types is not None and not self._has_plan(connection, statement):
                await connection.close()  # prepared or not: nobody knows what it has kept
            raise
        except TimeoutError:
            await connection.close()  # in the middle of an answer
            raise
        except asyncio.CancelledError:
            if statement.types is None or self._has_plan(connection, statement):
                await _clear(connection)
            else:
                await connection.close()
            raise

    def _has_plan(self, connection: Connection, statement: Statement) -> bool:
        known = self._known.get(connection)
        return known is not None and statement.name in known.prepared

    async def _exchange(
        self,
        connection: Connection,
        tenant_id: UUID | None,
        statement: Statement,
        values: list[Any],
    ) -> Sequence[Row]:
        known = self._known.get(connection)
        if known is None:
            known = self._known[connection] = _Known(connection)
        server = connection.pgconn
        server.enter_pipeline_mode()
        self._send_all(server, known, tenant_id, statement, values)
        result = await _last_result(server)
        server.exit_pipeline_mode()
        if self._keeps_plans and statement.types is not None:
            known.prepared.update((statement.name, _BIND_NAME))
        return self._read(known, statement, result)

    def _send_all(
        self,
        server: pq.abc.PGconn,
        known: _Known,
        tenant_id: UUID | None,
        statement: Statement,
        values: list[Any],
    ) -> None:
        encoded = [_encode(value) for value in values]
        tenant = [str(tenant_id).encode()]
        texts = [text for text, _ in encoded]
        if self._keeps_plans and statement.types is not None:
            if statement.name not in known.prepared:
                if _BIND_NAME not in known.prepared:
                    server.send_prepare(_BIND_NAME, _BIND)
                server.send_prepare(statement.name, statement.sql, statement.types)
            if tenant_id is not None:
                server.send_query_prepared(_BIND_NAME, tenant)
            server.send_query_prepared(statement.name, texts, result_format=_BINARY)
        else:
            types = statement.types or tuple(oid for _, oid in encoded)
            if tenant_id is not None:
                server.send_query_params(_BIND, tenant)
            server.send_query_params(statement.sql, texts, types, result_format=_BINARY)
        server.pipeline_sync()

    def _read(self, known: _Known, statement: Statement, result: pq.abc.PGresult) -> Sequence[Row]:
        if result.status != pq.ExecStatus.TUPLES_OK or not result.ntuples:
            return []
        make = self._rows.get(statement.name)
        if make is None:
            names = [(result.fname(i) or b"").decode() for i in range(result.nfields)]
            shape = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024  (its fields are the statement's)
            make = self._rows[statement.name] = shape._make
        known.transformer.set_pgresult(result)
        return known.transformer.load_rows(0, result.ntuples, make)


async def _clear(connection: Connection) -> None:
    """Read what is still to come for a caller that went away, or close the connection."""
    server = connection.pgconn
    try:
        async with asyncio.timeout(_PATIENCE):
            if server.pipeline_status != pq.PipelineStatus.OFF:
                while server.flush():
                    await _until(server.socket, writable=True)
                while (await _next_result(server)).status != pq.ExecStatus.PIPELINE_SYNC:
                    pass
                server.exit_pipeline_mode()
    except (psycopg.Error, TimeoutError, OSError, asyncio.CancelledError):
        await connection.close()


async def _last_result(server: pq.abc.PGconn) -> pq.abc.PGresult:
    """
    Send what is queued and read up to the sync; the last statement's result.

    Raises the first error of the pipeline, once the sync has cleared it.
    """
    while server.flush():
        await _until(server.socket, writable=True)
    results: list[pq.abc.PGresult] = []
    while True:
        result = await _next_result(server)
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            break
        results.append(result)
        if server.status == pq.ConnStatus.BAD:
            break
    refused = next((r for r in results if r.status == pq.ExecStatus.FATAL_ERROR), None)
    if refused is None:
        return results[-1]
    if server.status != pq.ConnStatus.BAD:
        server.exit_pipeline_mode()
    raise _error(refused)


async def _next_result(server: pq.abc.PGconn) -> pq.abc.PGresult:
    """The next result of the pipeline; the empty ones between statements are passed over."""
    while True:
        while server.is_busy():
            await _until(server.socket)
            server.consume_input()
        result = server.get_result()
        if result is not None:
            return result
        if server.status == pq.ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is lost")


async def _until(socket: int, *, writable: bool = False) -> None:
    """Wait for the socket; the connection is nobody else's meanwhile."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    def give_up() -> None:
        if not ready.done():
            ready.set_exception(TimeoutError("the database says nothing"))

    if writable:
        loop.add_writer(socket, wake)
    else:
        loop.add_reader(socket, wake)
    silence = loop.call_later(_SILENCE, give_up)
    try:
        await ready
    finally:
        silence.cancel()
        if writable:
            loop.remove_writer(socket)
        else:
            loop.remove_reader(socket)


def _error(result: pq.abc.PGresult) -> psycopg.Error:
    """The driver's error for a refused statement."""
    state = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
    message = (result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or b"").decode(
        "utf-8", "replace"
    )
    try:
        kind = psycopg.errors.lookup(state.decode())
    except KeyError:
        kind = psycopg.OperationalError if not state else psycopg.DatabaseError
    return kind(message or "the connection is lost")
