"""How a tenant's provider instance is built: one query, then arithmetic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cachetools import TTLCache

from insula.kernel.crypto import DoesNotOpen, Envelope
from insula.kernel.errors import Unavailable
from insula.keys import service as keys
from insula.oidc.provider import Provider
from insula.outbound.door import Door
from insula.providers.client_keys import ClientKeys
from insula.providers.clients import TenantClients
from insula.providers.pages import TenantPages
from insula.providers.people import TenantPeople
from insula.providers.requests import TenantRequests
from insula.providers.settings import TokenLifetimes
from insula.providers.tokens import TenantTokens
from insula.sign_in.cookies import Jar
from insula.sign_in.models import PASSWORD_ACR
from insula.sign_in.settings import InteractionLife, SessionPolicy
from insula.tenancy.db import Tenant
from insula.ui.branding import Branding, default_accent

#: The standard scopes, with the claims of each that a user here can have: nothing else is
#: advertised.
SCOPES: Mapping[str, Sequence[str]] = {
    "openid": ("sub",),
    "profile": (
        "name",
        "family_name",
        "given_name",
        "preferred_username",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "phone": ("phone_number", "phone_number_verified"),
    "offline_access": (),
}


def branding_of(tenant: Tenant) -> Branding:
    """A tenant's look as long as it has chosen none: its name, its letter, an accent of its own."""
    return Branding(
        name=tenant.display_name,
        tile_letter=tenant.display_name[:1].upper(),
        accent=default_accent(tenant.slug),
        logo_url=None,
        host=tenant.issuer.partition("://")[2],
    )


@dataclass(frozen=True, slots=True)
class Builder:
    """What every instance of this process is built with."""

    envelope: Envelope
    jar: Jar
    door: Door
    published: ClientKeys
    lifetimes: TokenLifetimes = TokenLifetimes()
    session: SessionPolicy = SessionPolicy()
    interaction: InteractionLife = InteractionLife()
    #: (client, address) pairs that failed too often, across all instances of the process.
    blocked: "TTLCache[bytes, bool]" = field(default_factory=lambda: TTLCache(50_000, 60))

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
        lifetimes = self.lifetimes.lifetimes()
        provider = Provider(
            issuer=tenant.issuer,
            keys=keyring.ring,
            lifetimes=lifetimes,
            clients=TenantClients(tenant, self.blocked, self.published),
            people=TenantPeople(tenant, self.jar, self.interaction),
            tokens=TenantTokens(
                tenant, lifetimes, timedelta(minutes=self.session.idle_timeout_minutes)
            ),
            requests=TenantRequests(tenant, self.jar, self.door),
            pages=TenantPages(branding_of(tenant)),
            scopes=SCOPES,
            acr_values=(PASSWORD_ACR,),
            pairwise_key=keyring.cipher.derive("pairwise subjects"),
        )
        # as old as the older of what it was made of: news of either drops it
        return provider, min(tenant.version, keyring.version)
