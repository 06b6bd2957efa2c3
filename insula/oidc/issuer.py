"""One issuer: everything that an endpoint needs, in one object that never changes."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from insula.oidc.jose import Verifier
from insula.oidc.models import Client, Features, Lifetimes, ResourceServer
from insula.oidc.ports import Clients, Devices, Pages, People, Registrations, Requests, Tokens
from insula.oidc.sightings import Blind, Sightings
from insula.oidc.signing import KeyRing, b64url

AUTHORIZE = "/oauth2/authorize"
RESUME = "/oauth2/authorize/resume"
PAR = "/oauth2/par"
TOKEN = "/oauth2/token"
USERINFO = "/oauth2/userinfo"
INTROSPECT = "/oauth2/introspect"
REVOKE = "/oauth2/revoke"
LOGOUT = "/oauth2/logout"
REGISTER = "/oauth2/register"
DEVICE = "/oauth2/device"
#: A page of the host, where people enter what their device shows them.
DEVICE_PAGE = "/device"
JWKS = "/oauth2/jwks"
OPENID_CONFIGURATION = "/.well-known/openid-configuration"
OAUTH_AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True, slots=True)
class Issuer:
    """
    A provider's identity, keys, rules and host.

    *scopes* are the scopes known here, each with the claims that it stands for, those of the
    *resources* (by identifier) among them; *locales* and *acr_values* are what the pages of the
    host speak and what its sign-in can reach. *pairwise_key* makes subjects that differ from
    client to client, *dpop_key* the nonces of DPoP proofs.
    """

    url: str
    keys: KeyRing
    verifier: Verifier
    lifetimes: Lifetimes
    clients: Clients
    people: People
    tokens: Tokens
    requests: Requests
    registrations: Registrations
    devices: Devices
    pages: Pages
    features: Features
    scopes: Mapping[str, Sequence[str]]
    resources: Mapping[str, ResourceServer]
    locales: Sequence[str]
    acr_values: Sequence[str]
    pairwise_key: bytes = field(repr=False)
    dpop_key: bytes = field(repr=False)
    sightings: Sightings = field(default_factory=Blind, repr=False)

    def subject(self, client: Client, user_id: UUID) -> str:
        """The `sub` by which *client* knows a person: public, or its sector's own (OIDCC-8.1)."""
        return pairwise_subject(client, user_id, self.pairwise_key)


def pairwise_subject(client: Client, user_id: UUID, key: bytes) -> str:
    """`Issuer.subject`, where there is no issuer at hand but its *key*."""
    if client.subject_type == "public":
        return str(user_id)
    who = f"{client.sector}\0{user_id}".encode()
    return b64url(hmac.digest(key, who, hashlib.sha256)).decode("ascii")
