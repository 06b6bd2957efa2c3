"""What fits together in a client's metadata, whoever wrote it (OIDCR-2, protocol.md 2.13)."""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from insula.clients.errors import InvalidClientMetadata
from insula.clients.key_sets import can_sign
from insula.clients.models import TOKEN_EXCHANGE, Metadata
from insula.clients.uris import (
    check_endpoint,
    check_origin,
    check_page,
    check_redirect_uri,
    check_request_uri,
    same_origin,
)

_PAGES: Final = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
_ENDPOINTS: Final = (
    "jwks_uri", "sector_identifier_uri", "backchannel_logout_uri", "frontchannel_logout_uri",
    "initiate_login_uri",
)  # fmt: skip
#: RFC6749-3.3: printable ASCII without space, quotation mark and backslash.
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}\Z")
_ACR: Final = re.compile(r"[\x21-\x7e]{1,200}\Z")


def check_metadata(metadata: Metadata, *, development: bool) -> None:
    """
    Refuse what the protocol forbids; *development* allows http to loopback addresses.

    Raises `InvalidClientMetadata`.
    """
    _check_addresses(metadata, development=development)
    _check_words(metadata)
    for field, why in _contradictions(metadata):
        raise InvalidClientMetadata(why, field=field, example=_EXAMPLES.get(field, ""))


def _check_addresses(metadata: Metadata, *, development: bool) -> None:
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        for uri in getattr(metadata, field):
            check_redirect_uri(uri, field, metadata.application_type, development=development)
    for field in _PAGES:
        if uri := getattr(metadata, field):
            check_page(uri, field)
    for field in _ENDPOINTS:
        if uri := getattr(metadata, field):
            check_endpoint(uri, field, development=development)
    for uri in metadata.request_uris:
        check_request_uri(uri, "request_uris", development=development)
    for origin in metadata.allowed_origins:
        check_origin(origin, "allowed_origins", development=development)


def _check_words(metadata: Metadata) -> None:
    fields: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("scopes", metadata.scopes),
        ("default_scopes", metadata.default_scopes),
        ("exchange_policies", tuple(s for each in metadata.exchange_policies for s in each.scopes)),
    )
    for field, scopes in fields:
        if not all(_SCOPE.match(scope) for scope in scopes):
            raise InvalidClientMetadata(
                "a scope is a word of printable ASCII", field=field, example='["openid"]'
            )
    if not all(_ACR.match(acr) for acr in metadata.default_acr_values):
        raise InvalidClientMetadata("a level is a word without spaces", field="default_acr_values")


_EXAMPLES: Final[dict[str, str]] = {
    "redirect_uris": "https://app.example/callback",
    "sector_identifier_uri": "https://app.example/sector.json",
    "frontchannel_logout_uri": "https://app.example/signed-out",
}


def _contradictions(metadata: Metadata) -> Iterator[tuple[str, str]]:
    """Field and reason of everything that does not fit together."""
    yield from _of_grants(metadata)
    yield from _of_response(metadata)
    yield from _of_public(metadata)
    yield from _of_keys(metadata)
    yield from _of_addresses(metadata)
    if not set(metadata.default_scopes) <= set(metadata.scopes):
        yield "default_scopes", "are among the scopes"


def _of_grants(metadata: Metadata) -> Iterator[tuple[str, str]]:
    grants = set(metadata.grant_types)
    ways = [(each.from_audience, each.to_audience) for each in metadata.exchange_policies]
    if len(ways) != len(set(ways)):
        yield "exchange_policies", "one for each way from an audience to another"
    if "implicit" in grants and metadata.profile != "legacy":
        yield "grant_types", "implicit is for clients of the profile legacy"
    if metadata.front_channel != ("implicit" in grants):
        yield "response_types", "id_token and id_token token go with the grant implicit"
    if ("code" in metadata.response_types) != ("authorization_code" in grants):
        yield "response_types", "code goes with the grant authorization_code"
    if grants & {"authorization_code", "implicit"} and not metadata.redirect_uris:
        yield "redirect_uris", "needs at least one address"


def _of_response(metadata: Metadata) -> Iterator[tuple[str, str]]:
    if "fragment" in metadata.response_modes and metadata.profile != "legacy":
        yield "response_modes", "fragment is for clients of the profile legacy"
    if not metadata.response_modes:
        yield "response_modes", "needs at least one"
    if not metadata.front_channel:
        return
    if not {"fragment", "form_post"} & set(metadata.response_modes):
        yield "response_modes", "tokens need fragment or form_post"
    if any(urlsplit(uri).scheme.lower() not in {"https", "http"} for uri in metadata.redirect_uris):
        yield "redirect_uris", "must be https where tokens are sent to it"
    if metadata.dpop_bound_access_tokens and "id_token token" in metadata.response_types:
        yield "dpop_bound_access_tokens", "a token in an address is bound to nobody"


def _of_public(metadata: Metadata) -> Iterator[tuple[str, str]]:
    if not metadata.is_public:
        return
    for grant in ("client_credentials", TOKEN_EXCHANGE):
        if grant in metadata.grant_types:
            yield "grant_types", f"a public client cannot use {grant}"
    if metadata.introspects_others:
        yield "introspects_others", "a public client cannot ask about tokens of others"


def _of_keys(metadata: Metadata) -> Iterator[tuple[str, str]]:
    if metadata.jwks is not None and metadata.jwks_uri:
        yield "jwks_uri", "give the keys or their address, not both"
    by_key: dict[str, Any] = {
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method == "private_key_jwt",
        "require_signed_request_object": metadata.require_signed_request_object,
        "request_object_signing_alg": metadata.request_object_signing_alg,
    }
    has_keys = metadata.jwks is not None or metadata.jwks_uri
    for field, wanted in by_key.items():
        if wanted and not has_keys:
            yield field, "needs jwks or jwks_uri"
    for field in ("token_endpoint_auth_signing_alg", "request_object_signing_alg"):
        alg = getattr(metadata, field)
        if alg and metadata.jwks is not None and not can_sign(metadata.jwks, alg):
            yield field, f"no key of jwks can sign {alg}"


def _of_addresses(metadata: Metadata) -> Iterator[tuple[str, str]]:
    if metadata.subject_type == "pairwise" and not metadata.sector:
        yield "sector_identifier_uri", "pairwise needs it unless all redirect_uris have one host"
    logout = metadata.frontchannel_logout_uri
    if logout and not any(same_origin(logout, uri) for uri in metadata.redirect_uris):
        yield "frontchannel_logout_uri", "has scheme, host and port of one of the redirect_uris"
