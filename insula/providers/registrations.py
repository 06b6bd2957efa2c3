"""The `Registrations` port: what is asked for is judged, what it names fetched, and it is kept."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from insula.audit.models import Actor
from insula.clients import errors as clients
from insula.clients.models import Metadata, check_name
from insula.clients.service import parse_metadata
from insula.kernel.ids import new_id
from insula.oidc import errors as oidc
from insula.oidc.features.scopes import OF_A_PERSON
from insula.oidc.models import (
    Caller,
    Features,
    Profile,
    RegisteredClient,
    ResourceServer,
    Scopes,
    stricter,
)
from insula.outbound.door import Door
from insula.outbound.errors import Busy, OutboundError, Unreachable
from insula.providers.client_keys import ClientKeys
from insula.registration import service
from insula.registration.documents import check_published, check_sector
from insula.registration.errors import Adopted, NotAdmitted, TooManyAttempts, TooManyClients
from insula.registration.logos import fetch_logo
from insula.registration.members import members_of, settings_of, told_as
from insula.registration.models import Credentials, Policy, Wanted
from insula.registration.settings import RegistrationLimits
from insula.sign_in.attempts.service import prefix
from insula.tenancy.db import Tenant

#: Seconds after which it may be tried again where the tenant takes no more clients.
_FULL: Final = 3600
#: Grants in which a client asks for what is a person's.
_OF_PEOPLE: Final = frozenset(
    {"authorization_code", "implicit", "urn:ietf:params:oauth:grant-type:device_code"}
)


@dataclass(frozen=True, slots=True)
class TenantRegistrations:
    """Clients of one tenant that register and manage themselves."""

    tenant: Tenant
    door: Door
    published: ClientKeys
    limits: RegistrationLimits
    features: Features
    resources: Mapping[str, ResourceServer]
    #: Scopes of OpenID Connect that the tenant does not offer.
    withheld: Scopes = frozenset()
    development: bool = False

    async def register(
        self, members: Mapping[str, Any], token: str | None, caller: Caller
    ) -> RegisteredClient:
        with _told():
            await service.count_attempt(self.tenant, prefix(caller.ip), self.limits)
            policy = Policy() if token is None else await service.policy_of(self.tenant, token)
            policy = policy.without(self.withheld)
            client_id = f"ins_cl_{secrets.token_urlsafe(16)}"
            wanted = await self._judge(new_id(), client_id, members, policy, self._profile(policy))
            made = await service.register(
                self.tenant,
                wanted,
                token=token,
                most=self.limits.clients,
                actor=_actor(client_id, caller),
            )
        return _told_of(wanted, made)

    async def find(self, client_id: str, token: str) -> RegisteredClient | None:
        held = await service.find(self.tenant, client_id, token)
        if held is None:
            return None
        members = members_of(held.name, held.metadata)
        return RegisteredClient(client_id, held.issued_at, members, held.is_adopted)

    async def replace(
        self,
        client_id: str,
        token: str,
        members: Mapping[str, Any],
        secret: str | None,
        caller: Caller,
    ) -> RegisteredClient | None:
        with _told():
            await service.count_attempt(self.tenant, prefix(caller.ip), self.limits)
            held = await service.find(self.tenant, client_id, token)
            if held is None:
                return None
            # what it holds it may write back, or it could not change anything else (DR-10, DR-11)
            policy = held.policy.without(self.withheld.difference(held.metadata.scopes))
            wanted = await self._judge(held.id, client_id, members, policy, held.metadata.profile)
            made = await service.replace(
                self.tenant, wanted, token=token, secret=secret, actor=_actor(client_id, caller)
            )
        return None if made is None else _told_of(wanted, made)

    async def delete(self, client_id: str, token: str, caller: Caller) -> bool:
        with _told():
            return await service.delete(
                self.tenant, client_id, token=token, actor=_actor(client_id, caller)
            )

    def _profile(self, policy: Policy) -> Profile:
        """Find the profile of a new client; front-channel tokens are nowhere but switched on."""
        profile = policy.profile or self.features.registration_profile
        profile = stricter(profile, self.features.loosest_profile)
        if profile == "legacy" and not self.features.front_channel_tokens:
            return "standard"
        return profile

    async def _judge(
        self,
        client: UUID,
        client_id: str,
        members: Mapping[str, Any],
        policy: Policy,
        profile: Profile,
    ) -> Wanted:
        name = members.get("client_name", client_id)
        check_name(name)
        values = settings_of(members) | {"profile": profile}
        if "scopes" not in values:
            values["scopes"] = _usual_scopes(values["grant_types"], policy)
        metadata = parse_metadata(values, development=self.development)
        policy.check(metadata)
        metadata = metadata.model_copy(update={"resources": self._resources(metadata)})
        await check_sector(self.door, metadata, str(self.tenant.id))
        await self._check_keys(client, metadata)
        logo = await fetch_logo(self.door, metadata.logo_uri, str(self.tenant.id))
        return Wanted(client, client_id, name, metadata, logo)

    def _resources(self, metadata: Metadata) -> tuple[str, ...]:
        """Find the APIs that the client's scopes belong to: its policy named them with these."""
        wanted = set(metadata.scopes)
        return tuple(
            name
            for name, server in self.resources.items()
            if server.scopes & wanted and not server.is_builtin
        )

    async def _check_keys(self, client: UUID, metadata: Metadata) -> None:
        """Look at the client's published keys; a host that is away now is asked when needed."""
        if not metadata.jwks_uri:
            return
        try:
            keys = await self.published.keys(self.tenant.id, client, metadata.jwks_uri, kid=None)
        except (Unreachable, Busy):
            return
        except OutboundError as error:
            raise clients.InvalidClientMetadata(
                "gives no key set", field="jwks_uri", detail=error.detail
            ) from error
        check_published(keys)


def _usual_scopes(grants: list[str], policy: Policy) -> list[str]:
    """Say which scopes a client has that named none (RFC7591-2)."""
    if _OF_PEOPLE.intersection(grants):
        return list(policy.all_scopes)
    return [scope for scope in policy.all_scopes if scope not in OF_A_PERSON]


def _told_of(wanted: Wanted, made: Credentials) -> RegisteredClient:
    return RegisteredClient(
        wanted.client_id,
        made.issued_at,
        members_of(wanted.name, wanted.metadata),
        token=made.token,
        secret=made.secret,
    )


def _actor(client_id: str, caller: Caller) -> Actor:
    return Actor("client", client_id, caller.ip, caller.user_agent, caller.request_id)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the rules refuse into what the protocol says."""
    try:
        yield
    except clients.InvalidClientMetadata as refusal:
        name = told_as(refusal.field)
        kind = oidc.UnfitRedirectUri if name == "redirect_uris" else oidc.InvalidClientMetadata
        said = _in_plain_letters(f"{name}: {refusal.description}")
        raise kind(said, detail=refusal.detail) from refusal
    except NotAdmitted as refusal:
        said = "The initial access token is expired, used up or not valid here"
        raise oidc.InvalidToken(said, detail=refusal.detail) from refusal
    except TooManyAttempts as refusal:
        said = "Too many registrations from one address; try again later"
        raise oidc.SlowDown(said, retry_after=refusal.seconds) from refusal
    except TooManyClients as refusal:
        said = "No more clients can be registered here at the moment"
        raise oidc.SlowDown(said, retry_after=_FULL) from refusal
    except Adopted as refusal:
        raise oidc.AccessDenied("An administrator manages this client") from refusal


def _in_plain_letters(text: str) -> str:
    """Keep what may stand in a description (RFC6749-5.2)."""
    return "".join(c for c in text.replace('"', "'") if " " <= c <= "~" and c != "\\")
