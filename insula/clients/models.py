"""What a client may be: its registered metadata and the rules of its URIs."""

import ipaddress
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from insula.clients.errors import InvalidClientMetadata

_DANGEROUS = frozenset({"javascript", "data", "file", "vbscript", "blob", "about"})
_PATTERN = frozenset('*{}|\\^`<>" \t\r\n')


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
    token_endpoint_auth_method: Literal["client_secret_basic", "client_secret_post", "none"] = (
        "client_secret_basic"
    )
    id_token_signed_response_alg: Literal["RS256", "ES256", "PS256", "EdDSA"] = "RS256"
    access_token_format: Literal["jwt", "opaque"] = "jwt"
    access_token_alg: Literal["RS256", "ES256", "PS256", "EdDSA"] = "ES256"
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


def check_metadata(metadata: Metadata, *, development: bool) -> None:
    """Raise `InvalidClientMetadata` for what the protocol forbids; *development* allows loopback http."""
    for uri in metadata.redirect_uris:
        _check_redirect_uri(
            uri, "redirect_uris", metadata.application_type, development=development
        )
    for uri in metadata.post_logout_redirect_uris:
        _check_redirect_uri(
            uri, "post_logout_redirect_uris", metadata.application_type, development=development
        )
    for name in ("client_uri", "policy_uri", "tos_uri"):
        uri = getattr(metadata, name)
        if uri and urlsplit(uri).scheme != "https":
            raise InvalidClientMetadata("must be an https address", field=name)
    for origin in metadata.allowed_origins:
        _check_origin(origin, development=development)
    if (
        metadata.token_endpoint_auth_method == "none"
        and "client_credentials" in metadata.grant_types
    ):
        raise InvalidClientMetadata(
            "a public client cannot use client_credentials", field="grant_types"
        )
    if "authorization_code" in metadata.grant_types and not metadata.redirect_uris:
        raise InvalidClientMetadata(
            "needs at least one address",
            field="redirect_uris",
            example="https://app.example/callback",
        )


def _check_redirect_uri(uri: str, field: str, application_type: str, *, development: bool) -> None:
    def refuse(why: str) -> InvalidClientMetadata:
        return InvalidClientMetadata(why, field=field, example="https://app.example/callback")

    if not uri.isascii() or len(uri) > 2000 or _PATTERN & set(uri):  # noqa: PLR2004
        raise refuse("may hold no wildcard, space or other forbidden character")
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError as error:
        raise refuse("is not a URI") from error
    scheme = parts.scheme.lower()
    if not scheme or scheme in _DANGEROUS:
        raise refuse("has no scheme, or a dangerous one")
    if parts.fragment or "#" in uri:
        raise refuse("may hold no fragment")
    if "@" in parts.netloc:
        raise refuse("may hold no user name")
    if scheme == "https":
        if not host:
            raise refuse("names no host")
        return
    if scheme == "http":
        if _is_loopback_literal(host) and (development or application_type == "native"):
            return
        raise refuse("must be https; http is for loopback addresses of native applications")
    if application_type == "native" and "." in scheme:  # private-use, RFC8252-7.1
        return
    raise refuse("must be https, or a private-use scheme with a dot for a native application")


def _is_loopback_literal(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_origin(origin: str, *, development: bool) -> None:
    parts = urlsplit(origin)
    plain = f"{parts.scheme}://{parts.netloc}" == origin and parts.hostname and "*" not in origin
    secure = parts.scheme == "https" or (development and _is_loopback_literal(parts.hostname or ""))
    if not (plain and secure):
        raise InvalidClientMetadata(
            "must be an origin", field="allowed_origins", example="https://app.example"
        )


def from_row(metadata: dict[str, Any]) -> Metadata:
    """Read stored metadata; what a later release added is left out rather than refused."""
    known = {name: value for name, value in metadata.items() if name in Metadata.model_fields}
    return Metadata.model_validate(known)
