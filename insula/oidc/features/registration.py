"""
Clients that register and manage themselves: RFC 7591, RFC 7592, OIDCR-2.

Here is what can be said of a registration without knowing the host's rules: which members there
are, of what kind their values must be, and what this issuer offers. What nobody here knows is left
out, and what is not a client's to decide is not known.
"""

import json
import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

from insula.oidc import issuer as paths
from insula.oidc.client_authentication import METHODS
from insula.oidc.errors import InvalidClientMetadata, InvalidSoftwareStatement
from insula.oidc.features.response_types import metadata as metadata_of_responses
from insula.oidc.jose import CLIENT_ALGORITHMS
from insula.oidc.models import Features

Members = dict[str, Any]

_DEEPEST = 8
_LONGEST_AGE = 2**31 - 1


def endpoints(features: Features) -> Mapping[str, str]:
    return {} if features.registration == "off" else {"registration_endpoint": paths.REGISTER}


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_age(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LONGEST_AGE


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


_KINDS: Mapping[Callable[[object], bool], tuple[str, tuple[str, ...]]] = {
    _is_text: ("a text", (
        "application_type", "backchannel_logout_uri", "client_name", "client_uri",
        "frontchannel_logout_uri", "id_token_signed_response_alg", "initiate_login_uri", "jwks_uri",
        "logo_uri", "policy_uri", "request_object_signing_alg", "scope", "sector_identifier_uri",
        "subject_type", "token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "tos_uri",
        "userinfo_signed_response_alg",
    )),
    _is_list: ("a list of texts", (
        "default_acr_values", "grant_types", "post_logout_redirect_uris", "redirect_uris",
        "request_uris", "response_types",
    )),
    _is_flag: ("true or false", (
        "backchannel_logout_session_required", "dpop_bound_access_tokens",
        "frontchannel_logout_session_required", "require_auth_time",
        "require_pushed_authorization_requests", "require_signed_request_object",
    )),
    _is_age: ("a number of seconds", ("default_max_age",)),
    _is_object: ("an object", ("jwks",)),
}  # fmt: skip

#: The members that are understood, each with its check and the sentence that refuses it.
MEMBERS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    name: (is_kind, f"{name} must be {kind}")
    for is_kind, (kind, names) in _KINDS.items()
    for name in names
}

#: What would reach a client in the clear, or unsigned, that counts on more: so refused, where other
#: members that nobody here knows are left out (ID-5, RM-6).
_NOT_OFFERED: Mapping[str, str] = {
    name: f"{name} is not supported"
    for name in (
        "authorization_encrypted_response_alg",
        "authorization_encrypted_response_enc",
        "authorization_signed_response_alg",
        "id_token_encrypted_response_alg",
        "id_token_encrypted_response_enc",
        "userinfo_encrypted_response_alg",
        "userinfo_encrypted_response_enc",
    )
}

#: What a replacement may not hold: it is the issuer's to say (RFC7592-2.2).
_OURS: Mapping[str, str] = {
    name: f"{name} cannot be set by a client"
    for name in (
        "client_id_issued_at",
        "client_secret_expires_at",
        "registration_access_token",
        "registration_client_uri",
    )
}


def _algorithms(*names: str) -> Mapping[str, str]:
    return {name: f"{name} is not one of those supported" for name in names}


_OURS_TO_SIGN = _algorithms("id_token_signed_response_alg", "userinfo_signed_response_alg")
_THEIRS_TO_SIGN = _algorithms("token_endpoint_auth_signing_alg", "request_object_signing_alg")


def read_object(body: bytes) -> Members:
    """Read a JSON object strictly: no member twice, nothing that only some readers understand."""
    try:
        read = json.loads(
            body.decode(),
            object_pairs_hook=_without_repetition,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise InvalidClientMetadata("The body must be a JSON object", detail=str(error)) from None
    if not isinstance(read, dict):
        raise InvalidClientMetadata("The body must be a JSON object")
    if not _is_plain(read):
        raise InvalidClientMetadata("The body is nested too deeply or holds characters of no text")
    return read


def _without_repetition(pairs: list[tuple[str, Any]]) -> Members:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is there twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _is_plain(read: object) -> bool:
    """Whether it can be kept and written again anywhere: not deep, no NUL, no half characters."""
    level: list[object] = [read]
    for _ in range(_DEEPEST):
        deeper: list[object] = []
        for value in level:
            if isinstance(value, dict):
                deeper += [*value, *value.values()]
            elif isinstance(value, list):
                deeper += value
            elif isinstance(value, str) and not _is_whole(value):
                return False
        level = deeper
    return not level


def _is_whole(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def read_members(read: Mapping[str, Any]) -> Members:
    """
    Take the members that are understood out of an object, their kinds checked (DR-3, DR-18).

    One that is null or an empty text is absent (RFC7592-2.2).
    """
    if read.get("software_statement") is not None:
        raise InvalidSoftwareStatement("Software statements are not accepted here")
    for name, refusal in _NOT_OFFERED.items():
        if read.get(name) not in (None, ""):
            raise InvalidClientMetadata(refusal)
    members: Members = {}
    for name, (is_kind, refusal) in MEMBERS.items():
        value = read.get(name)
        if value is None or value == "":
            continue
        if not is_kind(value):
            raise InvalidClientMetadata(refusal)
        members[name] = value
    return members


def read_replacement(read: Mapping[str, Any], client_id: str) -> tuple[Members, str | None]:
    """Read what a client is to be from now on, and the secret it believes to have (RFC7592-2.2)."""
    for name, refusal in _OURS.items():
        if name in read:
            raise InvalidClientMetadata(refusal)
    if read.get("client_id") != client_id:
        raise InvalidClientMetadata("client_id must be the one of this client")
    secret = read.get("client_secret")
    if secret is not None and not isinstance(secret, str):
        raise InvalidClientMetadata("client_secret must be a text")
    return read_members(read), secret


def check_offered(
    members: Members, features: Features, *, grants: Collection[str], signing: Collection[str]
) -> None:
    """
    Refuse what this issuer does not offer to anybody (DR-5).

    *grants* are its grant types, *signing* the algorithms it has keys for.
    """
    if not set(members.get("grant_types", ())) <= set(grants):
        raise InvalidClientMetadata("grant_types holds one that is not supported")
    types = {frozenset(kind.split()) for kind in _response_types(features)}
    if not {frozenset(kind.split()) for kind in members.get("response_types", ())} <= types:
        raise InvalidClientMetadata("response_types holds one that is not supported")
    if members.get("token_endpoint_auth_method", "none") not in METHODS:
        raise InvalidClientMetadata("token_endpoint_auth_method is not one of those supported")
    for names, algorithms in ((_OURS_TO_SIGN, signing), (_THEIRS_TO_SIGN, CLIENT_ALGORITHMS)):
        for name, refusal in names.items():
            if name in members and members[name] not in algorithms:
                raise InvalidClientMetadata(refusal)


def _response_types(features: Features) -> list[str]:
    listed: list[str] = metadata_of_responses(features)["response_types_supported"]
    return listed
