"""
Response types: what the authorization endpoint answers with (OAuth2-RT-3, OIDCC-3).

A code, always. An id_token, alone or with an access token, travels through the browser, so it
is there only where the tenant switched it on, for clients of the profile `legacy` that are
registered for it. A bare access token is never offered (RFC9700-2.1.2).
"""

from collections.abc import Mapping
from typing import Any

from insula.oidc.errors import InvalidRequest, UnauthorizedClient, UnsupportedResponseType
from insula.oidc.models import Client, Features

PARAMETERS = frozenset({"response_type"})

CODE = "code"
#: Words in alphabetical order: their order in a request means nothing (RFC6749-3.1.1).
FRONT_CHANNEL = ("id_token", "id_token token")
DEFAULT = CODE


def metadata(features: Features) -> dict[str, Any]:
    return {"response_types_supported": [CODE, *offered_front_channel(features)]}


def offered_front_channel(features: Features) -> tuple[str, ...]:
    return FRONT_CHANNEL if features.front_channel_tokens else ()


def normal_form(params: Mapping[str, str]) -> str:
    """The words of `response_type`, each once, in alphabetical order."""
    return " ".join(sorted(set(params.get("response_type", "").split())))


def has_token(response_type: str) -> bool:
    """Whether the answer holds an access token."""
    return "token" in response_type.split()


def check_response_type(params: Mapping[str, str], client: Client, features: Features) -> str:
    """Read the response type that this client may use here; its nonce is checked with it."""
    wanted = normal_form(params)
    if not wanted:
        raise InvalidRequest("response_type is missing")
    if wanted != CODE and wanted not in offered_front_channel(features):
        raise UnsupportedResponseType("response_type is not one of those supported")
    needed = "authorization_code" if wanted == CODE else "implicit"
    if wanted not in client.response_types or needed not in client.grant_types:
        raise UnauthorizedClient("The client may not use this response type")
    if wanted != CODE and client.profile != "legacy":
        raise UnauthorizedClient("The client may not use this response type")
    must_be_bound = client.dpop_bound_access_tokens or features.require_dpop
    if has_token(wanted) and must_be_bound:  # nothing proves a key here
        raise UnauthorizedClient("The client may have access tokens only that are bound to a key")
    if wanted != CODE and "nonce" not in params:  # OIDCC-3.2.2.1
        raise InvalidRequest("nonce is missing")
    return wanted
