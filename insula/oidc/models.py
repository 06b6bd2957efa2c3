"""What the engine knows of issuers, clients and people: plain values, no behaviour of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

Scopes = frozenset[str]

#: Profiles of protocol.md section 3 that exist so far.
Profile = Literal["oauth21", "standard", "legacy"]
#: The same, loose to strict.
BY_STRICTNESS: Final[tuple[Profile, ...]] = ("legacy", "standard", "oauth21")
AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
TokenFormat = Literal["jwt", "opaque"]
SubjectType = Literal["public", "pairwise"]
#: How clients come to be without an administrator (DR-1).
Registration = Literal["off", "token", "open"]


def stricter(one: Profile, other: Profile) -> Profile:
    """The stricter of two profiles."""
    return max(one, other, key=BY_STRICTNESS.index)


@dataclass(frozen=True, slots=True)
class Features:
    """
    What one issuer offers: its metadata and its refusals are made of this.

    Names are those of protocol.md's `tenant.*` switches.
    """

    front_channel_tokens: bool = False
    request_objects: bool = True
    par: bool = True
    require_par: bool = False
    require_pkce: bool = False
    require_signed_request: bool = False
    require_dpop: bool = False
    claims_parameter: bool = True
    device: bool = True
    token_exchange: bool = False
    client_credentials: bool = True
    dpop: bool = True
    dpop_nonce: bool = False
    introspection: bool = True
    revocation: bool = True
    userinfo_body_token: bool = False
    backchannel_logout: bool = True
    frontchannel_logout: bool = True
    loosest_profile: Profile = "legacy"
    registration: Registration = "off"
    registration_profile: Profile = "oauth21"
    registration_delete: bool = True
    offline_survives_logout: bool = True
    service_documentation: str = ""
    op_policy_uri: str = ""
    op_tos_uri: str = ""


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """
    An API of this issuer's tenant; *identifier* is its audience (RFC8707-2, RFC9068).

    *access_token_lifetime* in seconds, None for the issuer's own; *introspection_clients* are
    client_ids that may ask about its tokens.
    """

    identifier: str
    name: str
    scopes: Scopes = frozenset()
    token_format: TokenFormat = "jwt"
    signing_alg: str = "ES256"
    access_token_lifetime: int | None = None
    with_userinfo: bool = False
    introspection_clients: frozenset[str] = frozenset()
    introspection_username: bool = False
    required_acr: str = ""
    max_age: int | None = None
    #: The longest life in seconds of a token that holds a scope, by scope.
    longest_lives: Mapping[str, int] = field(default_factory=dict)
    #: An API of the issuer's own: whoever has one of its scopes may ask for it, and the metadata
    #: does not list them.
    is_builtin: bool = False


@dataclass(frozen=True, slots=True)
class ExchangePolicy:
    """
    What a client may exchange (TX-1): from one audience to another, for some scopes.

    An empty *from_audience* is the issuer itself. `delegation` names the actor in `act`;
    `impersonation` does not.
    """

    to_audience: str
    from_audience: str = ""
    scopes: Scopes = frozenset()
    mode: Literal["delegation", "impersonation"] = "delegation"


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A live secret, as the digest the host keeps; *expires_at* in seconds since 1970, or never."""

    digest: bytes
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """An application of this issuer, as registered (OIDCR-2 names where they exist)."""

    id: UUID
    client_id: str
    name: str
    application_type: Literal["web", "native"] = "web"
    profile: Profile = "oauth21"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: frozenset[str] = frozenset({"authorization_code"})
    #: Words in alphabetical order, as `features.response_types` writes them.
    response_types: frozenset[str] = frozenset({"code"})
    response_modes: frozenset[str] = frozenset({"query", "form_post"})
    scopes: Scopes = frozenset({"openid"})
    default_scopes: Scopes = frozenset()
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"
    token_endpoint_auth_signing_alg: str | None = None
    secrets: tuple[ClientSecret, ...] = ()
    #: The client's own public keys: in its registration, or at an address. Never both.
    jwks: tuple[Mapping[str, Any], ...] = ()
    jwks_uri: str = ""
    id_token_signed_response_alg: str = "RS256"
    userinfo_signed_response_alg: str | None = None
    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    request_uris: frozenset[str] = frozenset()
    dpop_bound_access_tokens: bool = False
    subject_type: SubjectType = "public"
    #: The host that a pairwise subject is made for (OIDCC-8.1).
    sector: str = ""
    #: Identifiers of the resource servers that it may ask tokens for, and of its usual one.
    resources: frozenset[str] = frozenset()
    default_resource: str = ""
    exchange_policies: tuple[ExchangePolicy, ...] = ()
    access_token_format: TokenFormat = "jwt"
    access_token_alg: str = "ES256"
    consent: Literal["ask", "skip"] = "ask"
    default_max_age: int | None = None
    default_acr_values: tuple[str, ...] = ()
    require_auth_time: bool = False
    claims_parameter: bool = True
    rotate_refresh_tokens: bool = True
    refresh_without_offline_access: bool = False
    refresh_grace: int = 10
    id_token_on_refresh: bool = True
    claims_in_id_token: bool = False
    revoke_family: bool = False
    introspects_others: bool = False
    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str = ""
    frontchannel_logout_session_required: bool = False
    initiate_login_uri: str = ""
    #: It registered itself, and whether an administrator has looked at it since (DR-17).
    is_dynamic: bool = False
    #: It begins nothing new; what it was given goes on.
    is_paused: bool = False
    is_verified: bool = False
    allowed_origins: frozenset[str] = frozenset()
    client_uri: str = ""
    logo_uri: str = ""
    #: The name by which the host keeps its own copy of the logo.
    logo: str = ""
    policy_uri: str = ""
    tos_uri: str = ""

    @property
    def is_public(self) -> bool:
        """A client that cannot keep a secret (RFC6749-2.1)."""
        return self.token_endpoint_auth_method == "none"

    @property
    def wants_sid(self) -> bool:
        """Whether its id_tokens must name the session that its logout will be about (ID-1)."""
        return bool(self.backchannel_logout_uri or self.frontchannel_logout_uri)


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """
    A client that registered itself, as it is told of itself (RFC7591-3.2.1).

    *members* are its metadata by their names outside; *issued_at* in seconds since 1970. *token*,
    its registration access token, and *secret* are there only when they are new.
    """

    client_id: str
    issued_at: int
    members: Mapping[str, Any]
    is_adopted: bool = False
    token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Lives of what is issued, in seconds (protocol.md 5.1)."""

    code: int = 60
    access_token_jwt: int = 600
    access_token_opaque: int = 3600
    client_credentials: int = 600
    id_token: int = 600
    pushed_request: int = 60
    device_code: int = 600
    refresh_idle: int = 14 * 86400
    refresh_absolute: int = 90 * 86400


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is on the line, for the record: never used to decide."""

    ip: str
    user_agent: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Session:
    """
    A person signed in at this issuer in this browser; *auth_time* in seconds since 1970.

    *sid* is what clients know it by; it stays when the same person proves themselves again.
    """

    id: UUID
    user_id: UUID
    auth_time: int
    amr: tuple[str, ...]
    acr: str
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """
    What one trip tells about a browser at the authorization endpoint.

    *granted* is what the person has allowed this client before (None: nothing yet).
    *accounts* is how many people are signed in here side by side.
    *set_cookies* are headers the answer must carry, as when a foreign session was dropped.
    """

    session: Session | None
    granted: Scopes | None = None
    accounts: int = 0
    set_cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interaction:
    """
    A stored authorization request, and what the person did about it since.

    *parameters* is the validated request as it was stored (OIDCC-3.1.2.2): never re-read
    from the browser. *authenticated* is the session that was proved inside this interaction;
    *consented* the scopes allowed inside it; *selected* says an account was chosen in it.
    """

    id: UUID
    parameters: Mapping[str, str]
    visit: Visit
    authenticated: UUID | None = None
    selected: bool = False
    consented: Scopes | None = None
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person has to do before an authorization request can go on."""

    need: Literal["login", "select_account", "consent"]
    parameters: Mapping[str, str]
    client: Client
    redirect_host: str
    scopes: tuple[str, ...]
    #: What the person has allowed this client before, so that the page can show what is new.
    granted: Scopes = frozenset()
    #: Names of the APIs that the scopes are for.
    audiences: tuple[str, ...] = ()
    #: Scopes the person may leave out (`offline_access`).
    optional_scopes: tuple[str, ...] = ()
    login_hint: str = ""
    #: The person must prove themselves again although signed in (OC-4, OC-6).
    fresh: bool = False
    #: The interaction that already exists, when this is its next step.
    interaction: UUID | None = None


@dataclass(frozen=True, slots=True)
class AskSignOut:
    """A sign-out that the person must confirm; *return_to* was checked against the client."""

    return_to: str | None
    client: Client | None


@dataclass(frozen=True, slots=True)
class EndedSession:
    """What is left to do in the browser: cookies to set, and addresses to load in frames."""

    set_cookies: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A user's standard claims as stored; empty values are absent (UI-5)."""

    user_id: UUID
    claims: Mapping[str, Any] = field(default_factory=dict)
