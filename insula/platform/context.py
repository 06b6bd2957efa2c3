"""What a command works with: the doors, opened for as long as the command runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from insula.accounts.hashing import Passwords
from insula.accounts.settings import Hashing
from insula.isolation.web.probe import Front
from insula.kernel import logs
from insula.kernel.crypto import Envelope
from insula.kernel.db import Database
from insula.kernel.errors import Invalid, Unavailable
from insula.kernel.events import Bus
from insula.keys.settings import KeyRotation
from insula.outbound.door import Door
from insula.platform import environment, fitness
from insula.tenancy import health
from insula.tenancy.changes import ChangeFeed
from insula.tenancy.db import Doors, Platform, Tenant
from insula.tenancy.directory import Directory
from insula.tenancy.models import DEFAULT, OPS, PLATFORMS
from insula.tenants.domains.proofs import Prover
from insula.tenants.domains.txt_records import TxtRecords
from insula.tenants.errors import NoSuchTenant, TenantProtected


@dataclass(frozen=True, slots=True)
class Context:
    """The installation, as a command reaches it."""

    settings: environment.Settings
    platform: Platform
    directory: Directory
    envelope: Envelope
    rotation: KeyRotation
    passwords: Passwords
    database: Database
    platform_database: Database
    bus: Bus
    door: Door
    prover: Prover

    def front(self) -> Front:
        """What makes the application that the probe of the wall asks."""
        from insula.platform.probed import Probed  # noqa: PLC0415  (a worker loads it, no other)

        return Probed(
            self.settings, self.database, self.platform, self.bus, self.envelope, self.passwords,
            self.door, self.prover,
        )  # fmt: skip

    async def tenant(self, slug: str | None) -> Tenant:
        """
        The tenant a command is about.

        Raises `NoSuchTenant`, `Invalid`, and `TenantProtected` for the gateway, which has nothing.
        """
        if slug is None:
            if self.settings.naming().multi_tenant:
                raise Invalid("name the tenant", field="--tenant", example="--tenant acme")
            slug = DEFAULT
        if slug == OPS:
            raise TenantProtected("This tenant is a name and no more; it decides nothing.")
        found = await self.directory.find(f"slug:{slug}")
        if found is None:
            raise NoSuchTenant(f"There is no tenant “{slug}”.")
        return found


@asynccontextmanager
async def following(here: Context) -> AsyncIterator[None]:
    """
    Let a command that runs on and on hear of changes: what it knows of tenants stays current.

    A change of `_platforms` is one for all, since every tenant inherits what the platform decides.
    """
    platforms = await here.directory.find(f"slug:{PLATFORMS}")

    def changed(tenant_id: UUID, version: int) -> None:
        if platforms is not None and tenant_id == platforms.id:
            here.directory.forget_all()
        elif (known := here.directory.version(tenant_id)) is not None and known < version:
            here.directory.forget(tenant_id)

    feed = ChangeFeed(
        here.database, here.bus, changed, here.directory.forget_all,
        every=here.settings.poll_seconds,
    )  # fmt: skip
    await feed.start()
    try:
        yield
    finally:
        await feed.stop()


async def whereabouts(database: Database, platform_database: Database) -> str:
    """Which databases do not answer: the variable and the host of each, without its password."""
    away = []
    for variable, asked in (
        ("INSULA_DATABASE_URL", database),
        ("INSULA_DATABASE_PLATFORM_URL", platform_database),
    ):
        try:
            await health.answers(asked)
        except Unavailable:
            away.append(f"{variable} names {urlsplit(asked.url).netloc.rpartition('@')[2]}")
    return f" ({'; '.join(away)})" if away else ""


@asynccontextmanager
async def opened(*, refuse_unfit: bool = True) -> AsyncIterator[Context]:
    """
    The context of one command; what it announced is on its way when this ends.

    Raises `Invalid` for a database, role or master key that is unfit, unless the command is there
    to say so.
    """
    settings = environment.load()
    logs.configure(json=settings.env != "development", level="WARNING", is_command=True)
    bus = Bus(settings.redis_url_text())
    few: dict[str, Any] = {"size": 2, "ready": 0, "application": "insula-cli"}
    database = Database(settings.database_url_text(), **few)
    platform_database = Database(settings.database_platform_url_text(), **few)
    await database.open()
    await platform_database.open()
    passwords = Passwords(Hashing())
    envelope = Envelope(settings.secrets_key_bytes(), settings.previous_keys_bytes())
    door = Door(settings.outbound_rules())  # loads what it trusts when a command first asks
    try:
        if refuse_unfit:
            await fitness.refuse_unfit(database, platform_database, envelope)
        yield Context(
            settings=settings,
            platform=Platform(platform_database, bus),
            directory=Directory.over(Doors(database, bus), settings.naming()),
            envelope=envelope,
            rotation=KeyRotation(),
            passwords=passwords,
            database=database,
            platform_database=platform_database,
            bus=bus,
            door=door,
            prover=Prover(door, TxtRecords(settings.dns_servers())),
        )
    finally:
        await door.close()
        await bus.close()
        await database.close()
        await platform_database.close()
        passwords.close()
