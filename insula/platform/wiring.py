"""What one process is made of, from its settings: the only place where parts meet."""

from uuid import UUID

import structlog

from insula import __version__
from insula.accounts.hashing import Passwords
from insula.accounts.settings import Hashing
from insula.admin_sessions.guard import Door as AdminDoor
from insula.admin_sessions.routes import AdminPages
from insula.branding.look import branding_of
from insula.devices.codes import UserCodes
from insula.devices.routes import DevicePages
from insula.figures.service import Keeper
from insula.isolation.service import Watch
from insula.kernel import logs
from insula.kernel.crypto import Envelope
from insula.kernel.db import Database
from insula.kernel.errors import Invalid
from insula.kernel.events import Bus
from insula.kernel.metrics import REGISTRY
from insula.kernel.tally import TALLY
from insula.keys.settings import KeyRotation
from insula.management_api.api import ManagementApi
from insula.management_api.idempotency import Idempotency
from insula.management_api.paging import Cursors
from insula.management_api.parts import Parts
from insula.management_api.rates import Rates
from insula.ops_gateway.routes import OpsGateway
from insula.outbound.door import Door
from insula.platform import bootstrap, edge, environment, fitness, readiness
from insula.platform.housekeeping import Housekeeping
from insula.platform.probed import Probed
from insula.platform.sections import CATALOGUE
from insula.platform.tasks import Tasks
from insula.platform_admin.guard import Installation, Panel
from insula.providers.build import Builder
from insula.providers.client_keys import ClientKeys
from insula.providers.pool import ProviderPool
from insula.sign_in.cookies import Jar
from insula.sign_in.guard import Pages
from insula.tenancy.changes import ChangeFeed
from insula.tenancy.db import Doors, Platform
from insula.tenancy.directory import Directory
from insula.tenancy.hosts import NOBODY, Networks
from insula.tenancy.models import DEFAULT, PLATFORMS
from insula.tenancy.resolution import Resolver
from insula.tenants import service as tenants
from insula.tenants.domains.proofs import Prover
from insula.tenants.domains.txt_records import TxtRecords

_log = structlog.get_logger(__name__)


class Wiring:
    """The parts of a serving process; `open` before the first request, `close` after the last."""

    def __init__(self, settings: environment.Settings) -> None:
        self.settings = settings
        self.naming = settings.naming()
        self.bus = Bus(settings.redis_url_text())
        self.database = Database(
            settings.database_url_text(), size=settings.database_pool_size, application="insula-web"
        )
        self.platform_database = Database(
            settings.database_platform_url_text(), size=2, application="insula-platform"
        )
        self.doors = Doors(self.database, self.bus)
        self.platform = Platform(self.platform_database, self.bus)
        self.envelope = Envelope(settings.secrets_key_bytes(), settings.previous_keys_bytes())
        self.passwords = Passwords(Hashing())
        self.door = Door(settings.outbound_rules())
        prover = Prover(self.door, TxtRecords(settings.dns_servers()))
        self.jar = Jar(secure=self.naming.scheme == "https" and settings.cookie_secure)
        self._platforms_id: UUID | None = None
        self._platforms_version = 0
        self.rotation = KeyRotation()
        self.directory = Directory.over(self.doors, self.naming)
        rules = settings.resolution_rules()
        self.resolver = Resolver(rules, self.directory)
        self.header_peers: Networks = rules.trusted
        codes = UserCodes(settings.hmac_key_bytes())
        builder = Builder(
            self.envelope,
            self.jar,
            self.door,
            ClientKeys(self.door),
            codes,
            development=settings.env == "development",
        )
        self.sightings = builder.sightings
        self.pool = ProviderPool(
            builder.build,
            max_size=settings.multi_tenancy_provider_pool_max_size,
            idle_ttl=settings.multi_tenancy_provider_pool_idle_ttl_ms / 1000,
            cleanup_interval=settings.multi_tenancy_provider_pool_cleanup_interval_ms / 1000,
        )
        self.keeper = Keeper(self.platform, TALLY, self._pool_use)
        self.feed = ChangeFeed(
            self.database, self.bus, self._changed, self._gap, every=settings.poll_seconds
        )
        self.pages = Pages(self.passwords, self.jar, settings.hmac_key_bytes(), branding_of)
        self.device_pages = DevicePages(self.pages, codes)
        proxies = Networks(settings.trusted_proxies)
        self.admin_door = AdminDoor(self.pages)
        self.admin_pages = AdminPages(self.admin_door, self.naming.multi_tenant)
        self.panel = Panel(
            self.admin_door,
            self.platform,
            self.naming,
            self.envelope,
            self.rotation,
            Installation(
                variables=lambda: [*environment.effective(settings)],
                warnings=lambda: environment.warnings(settings),
                events=self._events,
                pool=self.pool.figures,
                idle=self.pool.idle,
                release=__version__,
            ),
            CATALOGUE,
            prover,
            self.keeper,
        )
        self.ops = OpsGateway(
            checks=readiness.checks(self.database),
            reports={"events": self._report_events, "isolation": Watch(self.platform).report},
            registry=REGISTRY,
            metrics_from=Networks(settings.metrics_cidrs),
            proxies=proxies,
            header_peers=self.header_peers if "header" in rules.priority else NOBODY,
            key=settings.hmac_key_bytes(),
        )
        self._housekeeping = self._queue_here(prover) if settings.worker_in_process else None
        secret = settings.hmac_key_bytes().hex()
        self.api = ManagementApi(
            Parts(
                pool=self.pool,
                platform=self.platform,
                directory=self.directory,
                naming=self.naming,
                envelope=self.envelope,
                rotation=self.rotation,
                passwords=self.passwords,
                rates=Rates(settings.redis_url_text()),
                cursors=Cursors(secret),
                idempotency=Idempotency(secret),
                catalogue=CATALOGUE,
                prover=prover,
                keeper=self.keeper,
                host_needed="header" not in rules.priority or not rules.trusted,
                development=settings.env == "development",
            )
        )
        self.edge_rules = edge.Rules(
            trusted_proxies=proxies,
            proxy_secret=settings.proxy_secret_bytes(),
            https=self.naming.scheme == "https",
        )

    def _queue_here(self, prover: Prover) -> Housekeeping:
        probed = Probed(
            self.settings, self.database, self.platform, self.bus, self.envelope, self.passwords,
            self.door, prover,
        )  # fmt: skip
        tasks = Tasks(
            self.platform, self.directory, self.envelope, self.door, prover, self.database, probed,
            self.settings.admin_audit_retention_days,
        )  # fmt: skip
        return Housekeeping(tasks.queue(self.settings.database_platform_url_text()))

    def _pool_use(self) -> tuple[int, int]:
        figures = self.pool.figures()
        return figures.requests - figures.misses, figures.misses

    def _changed(self, tenant_id: UUID, version: int) -> None:
        if tenant_id == self._platforms_id and version > self._platforms_version:
            self._platforms_version = version
            self._gap()  # what the platform decides, every tenant inherits
            return
        known = self.directory.version(tenant_id)
        if known is None or known < version:
            self.directory.forget(tenant_id)
        self.pool.changed(tenant_id, version)

    def _gap(self) -> None:
        self.directory.forget_all()
        self.pool.drop_all()

    async def _report_events(self) -> str:
        return self._events()

    def _events(self) -> str:
        if not self.settings.redis_url_text():
            return "not configured; changes are polled"
        return "ok" if self.bus.connected else "away; changes are polled"

    async def open(self) -> None:
        """
        Connect, check and begin to listen.

        Raises `Invalid` for what an operator must mend (a role that is too strong, a schema that
        is not migrated, a master key of another installation), `Unavailable` when the database is
        away.
        """
        logs.configure(json=self.settings.env != "development", level=self.settings.log_level)
        await self.door.open()
        await self.database.open()
        await self.platform_database.open()
        await fitness.refuse_unfit(self.database, self.platform_database, self.envelope)
        for made in await tenants.ensure_special(self.platform, self.envelope, self.rotation):
            _log.info("tenant.made", slug=made)
        await self._watch_platform()
        await self._bootstrap()
        for warning in environment.warnings(self.settings):
            _log.warning("configuration.warning", warning=warning)
        await self.feed.start()
        await self.sightings.start()
        self.keeper.start()
        if self.naming.multi_tenant:
            await self.pool.start()
        if self._housekeeping is not None:
            self._housekeeping.start()

    async def _watch_platform(self) -> None:
        """Know `_platforms` when it changes."""
        platforms = await self.directory.find(f"slug:{PLATFORMS}")
        if platforms is None:
            raise Invalid(f"The tenant {PLATFORMS} is missing.")
        self._platforms_id, self._platforms_version = platforms.id, platforms.version

    async def _bootstrap(self) -> None:
        email, password = self.settings.bootstrap_admin()
        if not email or not password:
            return
        slug = PLATFORMS if self.naming.multi_tenant else DEFAULT
        tenant = await self.directory.find(f"slug:{slug}")
        if tenant is None:
            raise Invalid(f"The tenant {slug} is missing.")
        await bootstrap.make_administrator(
            self.platform,
            self.passwords,
            tenant.id,
            email=email,
            password=password,
            multi_tenant=self.naming.multi_tenant,
        )

    async def close(self) -> None:
        if self._housekeeping is not None:
            await self._housekeeping.stop()
        await self.feed.stop()
        await self.sightings.stop()
        await self.keeper.stop()
        await self.pool.stop()
        await self.door.close()
        await self.bus.close()
        await self.database.close()
        await self.platform_database.close()
        self.passwords.close()
