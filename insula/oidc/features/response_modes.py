"""
Response modes: how the answer travels back through the browser.

`query` is the default for a code, `fragment` where a token is in the answer (OAuth2-RT-5);
`form_post` keeps it out of addresses (OAuth2-FP-2). Errors travel the way that success would
have, and a token never travels in a query.
"""

from collections.abc import Mapping
from typing import Any

from insula.oidc.errors import InvalidRequest
from insula.oidc.features import response_types
from insula.oidc.http import Response, page, see_other, with_fragment, with_query
from insula.oidc.models import Client, Features
from insula.oidc.ports import Pages

PARAMETERS = frozenset({"response_mode"})

DEFAULT = "query"

_SUPPORTED = "response_modes_supported"


def metadata(features: Features) -> dict[str, Any]:
    modes = ["query", "form_post"]
    if features.front_channel_tokens:
        modes.append("fragment")
    return {
        _SUPPORTED: modes,
        "authorization_response_iss_parameter_supported": True,  # RFC9207-3
    }


def default_mode(params: Mapping[str, str], features: Features) -> str:
    """
    The way that answers to this response type go unless the client says otherwise.

    That is so for those too that are refused, where fragments are used at all (OAuth2-RT-5).
    """
    asked = response_types.normal_form(params).split()
    is_front = features.front_channel_tokens and not {"id_token", "token"}.isdisjoint(asked)
    return "fragment" if is_front else DEFAULT


def check_response_mode(params: Mapping[str, str], client: Client, features: Features) -> str:
    usual = default_mode(params, features)
    mode = params.get("response_mode", usual)
    if mode == usual == "fragment":  # whoever may have the response type may have its usual way
        return mode
    if mode not in client.response_modes or mode not in metadata(features)[_SUPPORTED]:
        raise InvalidRequest("response_mode is not one that this client may use")
    if mode == "query" and usual == "fragment":  # OAuth2-RT-2.1, OAuth2-RT-5
        raise InvalidRequest("response_mode query cannot carry a token")
    return mode


def address(mode: str, redirect_uri: str, fields: Mapping[str, str]) -> str | None:
    """The address that carries *fields* to the client; None where they travel in a form."""
    if mode == "form_post":
        return None
    return (with_fragment if mode == "fragment" else with_query)(redirect_uri, fields)


def respond(pages: Pages, mode: str, redirect_uri: str, fields: Mapping[str, str]) -> Response:
    """Send *fields* to the client."""
    if mode == "form_post":
        body, policy = pages.form_post(redirect_uri, fields)
        return page(body, policy=policy)
    if mode == "fragment":
        return see_other(with_fragment(redirect_uri, fields))
    return see_other(with_query(redirect_uri, fields))
