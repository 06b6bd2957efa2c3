"""What a tenant's provider offers and how long what it issues lives."""

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from insula.config_overrides.models import Layers
from insula.config_overrides.resolution import resolve
from insula.kernel.addresses import https_page
from insula.kernel.settings import DecidedBy, Kind, Order, Section, Unit
from insula.oidc.models import BY_STRICTNESS, Client, Features, Lifetimes, Profile, Registration

Seconds = Annotated[int, Kind.CEIL_MAX, Unit("seconds")]
#: What an API may say at most of the life of its access tokens.
_OF_AN_API = 3600
#: No session lives longer either.
_TEN_YEARS = 315_360_000


def longest_life(layers: Layers) -> int:
    """The same for a tenant, as it and the platform have decided."""
    return resolve(TokenLifetimes, layers).longest_signed


class TokenLifetimes(Section):
    """How long what a tenant issues is good for, in seconds."""

    key: ClassVar[str] = "oidc.ttl"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    authorization_code: Seconds = Field(60, ge=10, le=600, description="An authorization code.")
    access_token: Seconds = Field(600, ge=60, le=3600, description="A JWT access token.")
    opaque_access_token: Seconds = Field(
        3600, ge=60, le=86400, description="An opaque access token."
    )
    client_credentials: Seconds = Field(
        600, ge=60, le=3600, description="A client's own access token."
    )
    id_token: Seconds = Field(600, ge=60, le=86400, description="An ID token.")
    pushed_request: Seconds = Field(
        60, ge=5, le=90, description="A pushed request until the browser arrives with it."
    )
    device_code: Seconds = Field(
        600, ge=60, le=1800, description="A device that waits for a person."
    )
    refresh_token_idle: Seconds = Field(
        1209600, ge=60, le=_TEN_YEARS, description="A refresh token that is not used."
    )
    refresh_token_absolute: Seconds = Field(
        7776000, ge=60, le=_TEN_YEARS, description="A refresh token, however used."
    )

    @property
    def longest_signed(self) -> int:
        """How many seconds anything lives, at most, that a key of the tenant signs."""
        return max(self.access_token, self.client_credentials, self.id_token, _OF_AN_API)

    def lifetimes(self) -> Lifetimes:
        return Lifetimes(
            code=self.authorization_code,
            access_token_jwt=self.access_token,
            access_token_opaque=self.opaque_access_token,
            client_credentials=self.client_credentials,
            id_token=self.id_token,
            pushed_request=self.pushed_request,
            device_code=self.device_code,
            refresh_idle=self.refresh_token_idle,
            refresh_absolute=self.refresh_token_absolute,
        )


class RefreshRules(Section):
    """How far applications decide for themselves how their refresh tokens are replaced."""

    key: ClassVar[str] = "oidc.refresh"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    always_rotate: Annotated[bool, Kind.FLOOR_BOOL] = Field(
        default=False,
        description="Every refresh token is replaced when it is used; off: as each application's "
        "`rotate_refresh_tokens` says, which is on unless it is switched off. That of an "
        "application without a secret is replaced anyway, unless a key protects it.",
    )
    longest_grace_seconds: Annotated[int, Kind.CEIL_MAX] = Field(
        60,
        ge=0,
        le=60,
        description="For so long at most the answer to a refresh is given again to whoever lost "
        "it; within it each application's `refresh_grace` says how long, 10 seconds unless it is "
        "set.",
    )

    def held(self, client: Client) -> Client:
        """The application as it is held to them."""
        return replace(
            client,
            rotate_refresh_tokens=client.rotate_refresh_tokens or self.always_rotate,
            refresh_grace=min(client.refresh_grace, self.longest_grace_seconds),
        )


_Page = Annotated[str, AfterValidator(https_page)]


#: What the platform may forbid, and what it may demand.
May = Annotated[bool, Kind.CEIL_BOOL]
Must = Annotated[bool, Kind.FLOOR_BOOL]


class ProtocolFeatures(Section):
    """What a tenant's provider offers to its applications."""

    key: ClassVar[str] = "oidc.features"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    front_channel_tokens: May = Field(
        default=False,
        description="Tokens straight from the authorization endpoint, for applications of the "
        "profile `legacy`.",
    )
    request_objects: May = Field(
        default=True, description="Authorization requests as signed objects."
    )
    par: May = Field(default=True, description="Authorization requests pushed ahead.")
    require_par: Must = Field(
        default=False, description="Every authorization request must be pushed ahead."
    )
    require_pkce: Must = Field(
        default=False, description="PKCE also where an application's profile leaves it open."
    )
    require_signed_request: Must = Field(
        default=False, description="Every authorization request must be signed."
    )
    require_dpop: Must = Field(
        default=False, description="Every token must be bound to a key of the application."
    )
    claims_parameter: May = Field(default=True, description="Claims asked for one by one.")
    device: May = Field(default=True, description="Sign-in on a device without a keyboard.")
    token_exchange: May = Field(
        default=False,
        description="Tokens exchanged for others, as each application's policy says.",
    )
    client_credentials: May = Field(
        default=True, description="Tokens for applications that act for themselves."
    )
    dpop: May = Field(default=True, description="Tokens bound to a key of the application.")
    dpop_nonce: Must = Field(
        default=False, description="A proof of that key must hold a value of ours."
    )
    introspection: May = Field(default=True, description="Questions whether a token is alive.")
    revocation: May = Field(default=True, description="Applications may end their own tokens.")
    userinfo_body_token: May = Field(
        default=False, description="Userinfo takes the token from a form too."
    )
    backchannel_logout: May = Field(
        default=True, description="Applications are told of a sign-out, server to server."
    )
    frontchannel_logout: May = Field(
        default=True, description="Applications are told of a sign-out, in the browser."
    )
    loosest_profile: Annotated[Profile, Kind.FLOOR_ORDER, Order(BY_STRICTNESS)] = Field(
        "legacy",
        description="The loosest profile that an application may have; one with a looser profile "
        "is held to this.",
    )
    registration: Annotated[Registration, Kind.FLOOR_ORDER, Order(("open", "token", "off"))] = (
        Field(
            "off", description="Applications register themselves: never, with a token, or freely."
        )
    )
    registration_profile: Profile = Field("oauth21", description="The profile of those that do.")
    registration_delete: May = Field(default=True, description="They may delete themselves again.")
    offline_survives_logout: May = Field(
        default=True, description="What was granted with `offline_access` outlives the sign-out."
    )
    service_documentation: _Page = Field("", description="A page for developers.")
    op_policy_uri: _Page = Field(
        "", description="A page on how applications may use people's data."
    )
    op_tos_uri: _Page = Field("", description="A page with terms of use.")

    def features(self) -> Features:
        return Features(**self.model_dump())
