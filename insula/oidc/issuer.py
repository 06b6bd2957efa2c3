"""One issuer: everything that an endpoint needs, in one object that never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insula.oidc.jose import Verifier
from insula.oidc.models import Lifetimes
from insula.oidc.ports import Clients, Pages, People, Tokens
from insula.oidc.signing import KeyRing

AUTHORIZE = "/oauth2/authorize"
RESUME = "/oauth2/authorize/resume"
TOKEN = "/oauth2/token"
USERINFO = "/oauth2/userinfo"
INTROSPECT = "/oauth2/introspect"
REVOKE = "/oauth2/revoke"
LOGOUT = "/oauth2/logout"
JWKS = "/oauth2/jwks"
OPENID_CONFIGURATION = "/.well-known/openid-configuration"
OAUTH_AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True, slots=True)
class Issuer:
    """
    A provider's identity, keys, rules and host.

    *scopes* are the scopes known here, each with the claims that it stands for; *locales*
    and *acr_values* are what the pages of the host speak and what its sign-in can reach.
    """

    url: str
    keys: KeyRing
    verifier: Verifier
    lifetimes: Lifetimes
    clients: Clients
    people: People
    tokens: Tokens
    pages: Pages
    scopes: Mapping[str, Sequence[str]]
    locales: Sequence[str]
    acr_values: Sequence[str]
