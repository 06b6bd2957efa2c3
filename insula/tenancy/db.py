"""
`Tenant`, the object a request carries, with the two doors to its rows.

Whoever holds a `Tenant` can reach that tenant's rows and nobody else's; there is no other
way to them. Crossing tenants is `Platform`, a connection that one must ask for by name.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import text

from insula.kernel.db import Connection, Database, Row, bind
from insula.kernel.events import Bus
from insula.kernel.one_trip import Statement, statement

__all__ = ["Connection", "Platform", "PlatformSettings", "Row", "Statement", "Tenant", "statement"]

#: What the running transaction will announce once it has committed.
_announcements: ContextVar[list[tuple[UUID, str, int]] | None] = ContextVar(
    "announcements", default=None
)

_RAISE_VERSION = text(
    "update insula.tenants set version = version + 1, changed_xid = pg_current_xact_id()"
    " where id = insula.current_tenant() returning id, version"
)


async def raise_version(db: Connection, kind: str) -> int:
    """
    Say, in the transaction of a change, that the bound tenant has changed; its new version.

    *kind* is what changed ("keys", "clients", "tenant"). The other processes are told after
    the commit.
    """
    row = (await db.execute(_RAISE_VERSION)).one()
    pending = _announcements.get()
    if pending is not None:
        pending.append((row.id, kind, row.version))
    version: int = row.version
    return version


@asynccontextmanager
async def _announcing(bus: Bus) -> AsyncIterator[None]:
    """Announce what `raise_version` noted inside, if the block (the transaction) succeeds."""
    pending: list[tuple[UUID, str, int]] = []
    outer = _announcements.set(pending)
    try:
        yield
    finally:
        _announcements.reset(outer)
    for tenant_id, kind, version in pending:
        bus.publish(tenant_id, kind, version)


PlatformSettings = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Doors:
    """The serving role's pools and the bus that is told after a commit."""

    database: Database
    bus: Bus
    _shared: list[PlatformSettings] = field(default_factory=list, repr=False, compare=False)

    def platform_settings(self, read: PlatformSettings) -> PlatformSettings:
        """*read*, or the equal one of before: a hundred thousand tenants share one in memory."""
        if not self._shared or self._shared[0] != read:
            self._shared[:] = [read]
        return self._shared[0]


@dataclass(frozen=True, slots=True)
class Tenant:
    """
    One tenant as this process knows it; immutable, replaced when its version rises.

    *hosts* are its login domains; *host* is its primary one. *issuer* comes from
    configuration and registry, never from a request. *settings* are what it has decided, by
    section, *platform_settings* what the platform has (`value` and `bounds` of each section): raw,
    for `config_overrides.service.of`, which keeps what it made of them in *memo*. *images* has the
    width and height of the images that its look names, by digest.
    """

    id: UUID
    slug: str
    display_name: str
    status: str
    version: int
    hosts: tuple[str, ...]
    host: str
    issuer: str
    _doors: Doors = field(repr=False, compare=False)
    settings: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict, repr=False, compare=False
    )
    platform_settings: PlatformSettings = field(default_factory=dict, repr=False, compare=False)
    images: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)
    memo: dict[type, object] = field(default_factory=dict, repr=False, compare=False)
    _joined: Connection | None = field(default=None, repr=False, compare=False)
    _supposes: bool = field(default=False, repr=False, compare=False)

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction bound to this tenant, for use cases. Raises `Unavailable`."""
        if self._joined is not None:
            yield self._joined
            return
        async with (
            _announcing(self._doors.bus),
            self._doors.database.transaction(self.id) as db,
        ):
            yield db

    def joining(self, db: Connection) -> "Tenant":
        """
        The same tenant, whose transactions are all *db*, a transaction of its own.

        So several use cases become one act: all of them happen or none. `once` stays a trip apart.
        """
        return replace(self, _joined=db)

    def supposing(self, decided: PlatformSettings) -> "Tenant":
        """The same tenant as if the platform had *decided* so: to try something, not to keep it."""
        return replace(self, platform_settings=decided, memo={}, _supposes=True)

    @property
    def supposed(self) -> PlatformSettings | None:
        """What the platform is taken to have decided; None where it is what is stored."""
        return self.platform_settings if self._supposes else None

    async def once(self, statement: Statement, params: Mapping[str, Any]) -> Sequence[Row]:
        """One bound, committed statement in one round trip, for hot steps. Raises `Unavailable`."""
        return await self._doors.database.once(self.id, statement, params)


class Platform:
    """The door across tenants: the role `insula_platform`, over pools of its own."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction that sees the registry and no tenant's rows."""
        async with _announcing(self._bus), self._database.transaction() as db:
            yield db

    @asynccontextmanager
    async def within(self, tenant_id: UUID) -> AsyncIterator[Connection]:
        """A transaction that sees the registry and the rows of one tenant."""
        async with self.transaction() as db:
            await bind(db, tenant_id)
            yield db

    async def fetch(self, sql: str, params: Mapping[str, Any] | None = None) -> Sequence[Row]:
        """One call of a definer function, in one trip."""
        return await self._database.fetch(sql, params)


async def rebind(db: Connection, tenant_id: UUID) -> None:
    """Bind a platform transaction to another tenant: one just made, or one that hears of an act."""
    await bind(db, tenant_id)
