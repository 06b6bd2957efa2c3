"""What a client may be: its registered metadata, as it is stored."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from insula.clients.errors import InvalidClientMetadata

_LONGEST_NAME: Final = 120
#: Characters that are invisible or turn the direction of text, as in names of tenants.
_UNSEEN: Final = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
#: What may stand in a URL, a header and a form without anybody reading it differently.
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~:/-]{1,120}\Z")
#: What people go by: the id of one, or a hash that is one client's own (OIDCC-8, OIDCC-8.1).
_SUBJECT = re.compile(
    r"(?:[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|[A-Za-z0-9_-]{43})\Z"
)

DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"

#: Paused: it begins nothing new, and what it was given goes on (H02).
Status = Literal["active", "paused", "inactive"]
#: What a client is refused, by the word of whoever deactivates it: all, or what begins anew.
Mode = Literal["stop", "new_flows"]
MODES: Final[Mapping[Status, Mode]] = {"inactive": "stop", "paused": "new_flows"}
Algorithm = Literal["RS256", "ES256", "PS256", "EdDSA"]
AuthMethod = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]
ResponseType = Literal["code", "id_token", "id_token token"]
GrantType = Literal[
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "implicit",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]


class Exchange(BaseModel):
    """One thing that a client may exchange; empty *from_audience* is the issuer (TX-1)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to_audience: str = Field(min_length=1, max_length=500)
    from_audience: str = Field("", max_length=500)
    scopes: tuple[str, ...] = ()
    mode: Literal["delegation", "impersonation"] = "delegation"


class Metadata(BaseModel):
    """
    A client's settings, as stored; names of OIDC Registration where they exist.

    Defaults are those of a new client of profile `oauth21` (protocol.md AZ-20). Response types
    and modes that are not given follow from the grants and the profile.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    application_type: Literal["web", "native"] = "web"
    profile: Literal["oauth21", "standard", "legacy"] = "oauth21"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[GrantType, ...] = ("authorization_code", "refresh_token")
    response_types: tuple[ResponseType, ...] = ()
    response_modes: tuple[Literal["query", "form_post", "fragment"], ...] = ()
    scopes: tuple[str, ...] = ("openid", "profile", "email", "offline_access")
    default_scopes: tuple[str, ...] = ()
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"
    token_endpoint_auth_signing_alg: Algorithm | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str = ""
    id_token_signed_response_alg: Algorithm = "RS256"
    userinfo_signed_response_alg: Algorithm | None = None
    request_object_signing_alg: Algorithm | None = None
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    request_uris: tuple[str, ...] = ()
    dpop_bound_access_tokens: bool = False
    subject_type: Literal["public", "pairwise"] = "public"
    sector_identifier_uri: str = ""
    resources: tuple[str, ...] = ()
    default_resource: str = ""
    exchange_policies: tuple[Exchange, ...] = ()
    access_token_format: Literal["jwt", "opaque"] = "jwt"
    access_token_alg: Algorithm = "ES256"
    consent: Literal["ask", "skip"] = "ask"
    default_max_age: int | None = Field(None, ge=0)
    default_acr_values: tuple[str, ...] = ()
    require_auth_time: bool = False
    claims_parameter: bool = True
    rotate_refresh_tokens: bool = True
    refresh_without_offline_access: bool = False
    refresh_grace: int = Field(10, ge=0, le=60)
    id_token_on_refresh: bool = True
    claims_in_id_token: bool = False
    revoke_family: bool = False
    introspects_others: bool = False
    #: Dangerous acts over the management API, where no person can be asked again (CR-6).
    allow_dangerous_api: bool = False
    #: A new signing key waits for it, as long as the tenant's setting says (BEY-2).
    important: bool = False
    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str = ""
    frontchannel_logout_session_required: bool = False
    initiate_login_uri: str = ""
    allowed_origins: tuple[str, ...] = ()
    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:  # noqa: ANN401  (whatever came from outside)
        if not isinstance(values, Mapping):
            return values
        given = dict(values)
        types = given.get("response_types")
        if isinstance(types, list | tuple):  # a set of words: RFC6749-3.1.1
            given["response_types"] = tuple(
                " ".join(sorted(set(each.split()))) if isinstance(each, str) else each
                for each in types
            )
        return {**following(given), **given}

    @property
    def is_public(self) -> bool:
        """A client that cannot keep a secret."""
        return self.token_endpoint_auth_method == "none"

    @property
    def has_secret(self) -> bool:
        """Whether it proves itself by a secret that we made."""
        return self.token_endpoint_auth_method in {"client_secret_basic", "client_secret_post"}

    @property
    def front_channel(self) -> bool:
        """Whether tokens may come to it from the authorization endpoint."""
        return any(kind != "code" for kind in self.response_types)

    @property
    def sector(self) -> str:
        """
        Find the host that its pairwise subjects are made for (OIDCC-8.1); empty if none is.

        What looks like a host in a private-use scheme is anybody's.
        """
        if self.sector_identifier_uri:
            return urlsplit(self.sector_identifier_uri).hostname or ""
        addresses = [urlsplit(uri) for uri in self.redirect_uris]
        hosts = {
            address.hostname or "" if address.scheme in {"https", "http"} else ""
            for address in addresses
        }
        return hosts.pop() if len(hosts) == 1 else ""


def following(values: Mapping[str, Any]) -> dict[str, Any]:
    """Say which response types and modes follow from the grants and the profile of *values*."""
    grants = values.get("grant_types", Metadata.model_fields["grant_types"].default)
    has_code = isinstance(grants, list | tuple) and "authorization_code" in grants
    modes = ("query", "form_post")
    return {
        "response_types": ("code",) if has_code else (),
        "response_modes": (*modes, "fragment") if values.get("profile") == "legacy" else modes,
    }


def changed(before: Metadata, changes: Mapping[str, Any]) -> dict[str, Any]:
    """
    Merge *changes* into what is stored.

    What only followed from other settings follows from them again.
    """
    values = before.model_dump()
    for name, value in following(values).items():
        if name not in changes and values[name] == value:
            del values[name]
    return {**values, **changes}


def check_name(name: str) -> None:
    """Raises `InvalidClientMetadata`; people are asked to trust whoever has this name."""
    is_seen = name.strip() and not any(unicodedata.category(c) in _UNSEEN for c in name)
    if not is_seen or len(name) > _LONGEST_NAME:
        raise InvalidClientMetadata(
            "1 to 120 characters, all to be seen", field="client_name", example="Reports"
        )


def check_client_id(client_id: str) -> None:
    """Raises `InvalidClientMetadata`."""
    if not _CLIENT_ID.match(client_id):
        raise InvalidClientMetadata(
            "1 to 120 letters, digits and . _ ~ : / -", field="client_id", example="reports"
        )
    if _SUBJECT.match(client_id):  # a client's own token says it in `sub`: RFC9700-4.15
        raise InvalidClientMetadata(
            "looks like a person's `sub`", field="client_id", example="reports"
        )


def from_row(metadata: dict[str, Any]) -> Metadata:
    """Read stored metadata; what a later release added is left out rather than refused."""
    known = {name: value for name, value in metadata.items() if name in Metadata.model_fields}
    return Metadata.model_validate(known)
