"""What a client may be: its registered metadata and the rules of its URIs."""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from insula.clients.errors import InvalidClientMetadata
from insula.clients.uris import check_origin, check_page, check_redirect_uri

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,120}\Z")
#: What may stand in a URL, a header and a form without anybody reading it differently.
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~:/-]{1,120}\Z")

Status = Literal["active", "inactive"]
Algorithm = Literal["RS256", "ES256", "PS256", "EdDSA"]
AuthMethod = Literal["client_secret_basic", "client_secret_post", "none"]


class Metadata(BaseModel):
    """
    A client's settings, as stored; names of OIDC Registration where they exist.

    Defaults are those of a new client of profile `oauth21` (protocol.md AZ-20).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    application_type: Literal["web", "native"] = "web"
    profile: Literal["oauth21", "standard"] = "oauth21"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[
        Literal["authorization_code", "refresh_token", "client_credentials"], ...
    ] = ("authorization_code", "refresh_token")
    response_modes: tuple[Literal["query", "form_post"], ...] = ("query", "form_post")
    scopes: tuple[str, ...] = ("openid", "profile", "email", "offline_access")
    default_scopes: tuple[str, ...] = ()
    token_endpoint_auth_method: AuthMethod = "client_secret_basic"
    id_token_signed_response_alg: Algorithm = "RS256"
    access_token_format: Literal["jwt", "opaque"] = "jwt"
    access_token_alg: Algorithm = "ES256"
    consent: Literal["ask", "skip"] = "ask"
    default_max_age: int | None = Field(None, ge=0)
    require_auth_time: bool = False
    rotate_refresh_tokens: bool = True
    refresh_without_offline_access: bool = False
    refresh_grace: int = Field(10, ge=0, le=60)
    id_token_on_refresh: bool = True
    claims_in_id_token: bool = False
    introspects_others: bool = False
    allowed_origins: tuple[str, ...] = ()
    client_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""

    @property
    def is_public(self) -> bool:
        """A client that cannot keep a secret."""
        return self.token_endpoint_auth_method == "none"


def check_metadata(metadata: Metadata, *, development: bool) -> None:
    """
    Refuse what the protocol forbids; *development* allows http to loopback addresses.

    Raises `InvalidClientMetadata`.
    """
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        for uri in getattr(metadata, field):
            check_redirect_uri(uri, field, metadata.application_type, development=development)
    for field in ("client_uri", "policy_uri", "tos_uri"):
        if uri := getattr(metadata, field):
            check_page(uri, field)
    for origin in metadata.allowed_origins:
        check_origin(origin, "allowed_origins", development=development)
    if metadata.is_public and "client_credentials" in metadata.grant_types:
        raise InvalidClientMetadata(
            "a public client cannot use client_credentials", field="grant_types"
        )
    if "authorization_code" in metadata.grant_types and not metadata.redirect_uris:
        raise InvalidClientMetadata(
            "needs at least one address",
            field="redirect_uris",
            example="https://app.example/callback",
        )


def check_name(name: str) -> None:
    """Raises `InvalidClientMetadata`."""
    if not _NAME.match(name) or not name.strip():
        raise InvalidClientMetadata("1 to 120 characters", field="client_name", example="Reports")


def check_client_id(client_id: str) -> None:
    """Raises `InvalidClientMetadata`."""
    if not _CLIENT_ID.match(client_id):
        raise InvalidClientMetadata(
            "1 to 120 letters, digits and . _ ~ : / -", field="client_id", example="reports"
        )


def from_row(metadata: dict[str, Any]) -> Metadata:
    """Read stored metadata; what a later release added is left out rather than refused."""
    known = {name: value for name, value in metadata.items() if name in Metadata.model_fields}
    return Metadata.model_validate(known)
