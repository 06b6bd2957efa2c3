"""
The application that the probe of the wall asks (BEY-1): the serving one's parts, made once more.

Host resolution, pool, engine and API are the classes that serve tenants. What differs is one rule
of the resolver: here the canaries are found and nobody else, and where tenants are served everybody
but them. Nothing listens for it; whoever would ask it must hold the object.
"""

from dataclasses import dataclass, field, replace

from insula.accounts.hashing import Passwords
from insula.devices.codes import UserCodes
from insula.figures.service import Keeper
from insula.kernel.crypto import Envelope
from insula.kernel.db import Database
from insula.kernel.events import Bus
from insula.kernel.tally import Tally
from insula.keys.settings import KeyRotation
from insula.management_api.api import ManagementApi
from insula.management_api.idempotency import Idempotency
from insula.management_api.paging import Cursors
from insula.management_api.parts import Parts
from insula.management_api.rates import Rates
from insula.oidc.provider import Provider
from insula.oidc.provider import addresses as protocol_addresses
from insula.outbound.door import Door
from insula.platform.edge import App, Edge, Rules, Scope, Send
from insula.platform.refusals import refuse
from insula.platform.sections import CATALOGUE
from insula.platform.tenant_app import Mount, TenantApp, provider_of, refuse_resolution
from insula.platform.variables import Settings
from insula.providers.build import Builder
from insula.providers.client_keys import ClientKeys
from insula.providers.pool import ProviderPool
from insula.sign_in.cookies import Jar
from insula.tenancy import resolution
from insula.tenancy.db import Doors, Platform, Tenant
from insula.tenancy.directory import Directory
from insula.tenancy.hosts import NOBODY
from insula.tenancy.middleware import Receive, TenancyMiddleware
from insula.tenancy.resolution import Resolver
from insula.tenants.domains.proofs import Prover

#: There are two who could be in the pool.
_POOL = 4


@dataclass(slots=True)
class Probed:
    """Makes that application of what a process has open anyway, when it is first asked for."""

    settings: Settings
    database: Database
    platform: Platform
    bus: Bus
    envelope: Envelope
    passwords: Passwords
    door: Door
    prover: Prover
    _made: "_Made | None" = field(default=None, init=False)

    def __call__(self) -> App:
        """It knows nothing of the run before, so that it asks the database for all of it."""
        # one for the process: what FastAPI remembers of an application it never lets go
        if self._made is None:
            self._made = self._make()
        self._made.directory.forget_all()
        self._made.pool.drop_all()
        return self._made.app

    def _make(self) -> "_Made":
        # with many tenants also where there is one: the canaries are told apart by their hosts
        naming = replace(self.settings.naming(), multi_tenant=True)
        directory = Directory.over(Doors(self.database, self.bus), naming)
        rules = resolution.Rules(naming, self.settings.env, priority=("subdomain",), canaries=True)
        pool = ProviderPool(self._build, max_size=_POOL, counted=False)
        provider = provider_of(pool)
        api = self._api(pool, directory)
        mounts = (
            Mount("protocol", ("/oauth2/", "/.well-known/"), provider, protocol_addresses),
            Mount("api", ("/api/v1/",), api, api.addresses),
        )
        tenancy = TenancyMiddleware(
            app=TenantApp(mounts, ()),
            ops=_nothing,
            resolver=Resolver(rules, directory),
            header_peers=NOBODY,
            refuse=refuse_resolution,
            on_disagreement=_nobody_disagrees,
        )
        edge = Rules(NOBODY, https=naming.scheme == "https", counted=False)
        return _Made(Edge(tenancy, edge), directory, pool)

    async def _build(self, tenant: Tenant) -> tuple[Provider, int]:
        """With a builder of its own, which remembers nobody who brought a wrong secret."""
        builder = Builder(
            self.envelope,
            Jar(secure=self.settings.naming().scheme == "https" and self.settings.cookie_secure),
            self.door,
            ClientKeys(self.door),
            UserCodes(self.settings.hmac_key_bytes()),
            development=self.settings.env == "development",
        )
        return await builder.build(tenant)

    def _api(self, pool: ProviderPool[Provider], directory: Directory) -> ManagementApi:
        secret = self.settings.hmac_key_bytes().hex()
        return ManagementApi(
            Parts(
                pool=pool,
                platform=self.platform,
                directory=directory,
                naming=self.settings.naming(),
                envelope=self.envelope,
                rotation=KeyRotation(),
                passwords=self.passwords,
                rates=Rates(None),
                cursors=Cursors(secret),
                idempotency=Idempotency(secret),
                catalogue=CATALOGUE,
                prover=self.prover,
                keeper=Keeper(self.platform, Tally(), lambda: (0, 0)),
            )
        )


@dataclass(frozen=True, slots=True)
class _Made:
    app: App
    directory: Directory
    pool: ProviderPool[Provider]


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  (a body is never read)
    """Where the ops gateway would be: no canary is known by its name."""
    await refuse(scope, send, 404, "not_found", "The address does not belong to anything here.")


async def _nobody_disagrees(tenant: Tenant, scope: Scope) -> None:
    """No header names a tenant here, so it never differs from the host."""
