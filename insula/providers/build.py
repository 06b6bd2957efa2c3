"""How a tenant's provider instance is built: two queries, then arithmetic."""

from dataclasses import dataclass, field, replace

from cachetools import TTLCache

from insula.branding.look import branding_of
from insula.config_overrides import service as config_overrides
from insula.config_overrides.resolution import resolve
from insula.devices.codes import UserCodes
from insula.kernel.crypto import DoesNotOpen, Envelope
from insula.kernel.errors import Unavailable
from insula.keys import service as keys
from insula.keys.adoption import Sightings
from insula.oidc.features.scopes import OF_A_PERSON
from insula.oidc.provider import Provider
from insula.outbound.door import Door
from insula.providers.bursts import Bursts
from insula.providers.client_keys import ClientKeys
from insula.providers.clients import TenantClients
from insula.providers.devices import TenantDevices
from insula.providers.pages import TenantPages
from insula.providers.people import TenantPeople
from insula.providers.registrations import TenantRegistrations
from insula.providers.requests import TenantRequests
from insula.providers.settings import ProtocolFeatures, RefreshRules, TokenLifetimes
from insula.providers.sightings import TenantSightings
from insula.providers.store.rules import RULES
from insula.providers.tokens import TenantTokens
from insula.registration.settings import RegistrationLimits
from insula.resource_servers.builtin import with_management_api
from insula.resource_servers.catalogue import read_catalogue
from insula.resource_servers.settings import DeveloperApi, OfferedScopes
from insula.sign_in.cookies import Jar
from insula.sign_in.models import PASSWORD_ACR
from insula.sign_in.settings import BruteForce, InteractionLife, SessionPolicy
from insula.tenancy.db import Tenant


@dataclass(frozen=True, slots=True)
class Builder:
    """What every instance of this process is built with."""

    envelope: Envelope
    jar: Jar
    door: Door
    published: ClientKeys
    user_codes: UserCodes
    sightings: Sightings = field(default_factory=Sightings)
    #: Registered addresses may be http on this machine.
    development: bool = False
    #: (client, address) pairs that failed too often, across all instances of the process.
    blocked: "TTLCache[bytes, bool]" = field(default_factory=lambda: TTLCache(50_000, 60))

    #: What clients without a secret made us do, likewise.
    bursts: Bursts = field(default_factory=Bursts)

    async def build(self, tenant: Tenant) -> tuple[Provider, int]:
        """
        The tenant's provider and the version it was read at.

        Raises `Unavailable` when the database is away or the tenant has no usable keys.
        """
        try:
            keyring = await keys.load(tenant, self.envelope)
        except DoesNotOpen as error:
            raise Unavailable(
                "the keys do not open", detail=f"keys of {tenant.slug}: {error}"
            ) from error
        # read after the keys, so it is as new as their version at least
        rules = (await tenant.once(RULES, {}))[0]
        layers = config_overrides.read(rules.settings, rules.platform_settings)
        catalogue = with_management_api(
            read_catalogue(rules.servers, rules.scopes, rules.mappings).offering(
                resolve(OfferedScopes, layers).supported_scopes
            ),
            tenant,
            resolve(DeveloperApi, layers),
        )
        fresh = replace(
            tenant, settings=rules.settings, platform_settings=rules.platform_settings, memo={}
        )
        lifetimes = resolve(TokenLifetimes, layers).lifetimes()
        features = resolve(ProtocolFeatures, layers).features()
        sessions = resolve(SessionPolicy, layers)
        tokens = TenantTokens(tenant, lifetimes, sessions, catalogue)
        provider = Provider(
            issuer=tenant.issuer,
            keys=keyring.ring,
            lifetimes=lifetimes,
            clients=TenantClients(
                tenant,
                self.blocked,
                self.published,
                self.bursts,
                features.loosest_profile,
                resolve(BruteForce, layers),
                resolve(RefreshRules, layers),
            ),
            people=TenantPeople(tenant, self.jar, resolve(InteractionLife, layers), catalogue),
            tokens=tokens,
            devices=TenantDevices(tenant, self.user_codes, tokens),
            requests=TenantRequests(tenant, self.jar, self.door),
            registrations=TenantRegistrations(
                tenant,
                self.door,
                self.published,
                resolve(RegistrationLimits, layers),
                features,
                catalogue.resources,
                OF_A_PERSON.difference(catalogue.scopes),
                self.development,
            ),
            pages=TenantPages(branding_of(fresh)),
            features=features,
            scopes=catalogue.scopes,
            resources=catalogue.resources,
            acr_values=(PASSWORD_ACR,),
            pairwise_key=keyring.cipher.derive("pairwise subjects"),
            dpop_key=keyring.cipher.derive("dpop nonces"),
            sightings=TenantSightings(tenant, keyring.ring, self.sightings),
        )
        # as old as the older of what it was made of: news of either drops it
        return provider, min(tenant.version, keyring.version)
