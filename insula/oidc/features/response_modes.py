"""
Response modes: how the answer travels back through the browser.

`query` is the default for a code (OAuth2-RT-2.1); `form_post` keeps it out of addresses
(OAuth2-FP-2). Errors travel the way that success would have.
"""

from collections.abc import Mapping

from insula.oidc.errors import InvalidRequest
from insula.oidc.http import Response, page, see_other, with_query
from insula.oidc.models import Client
from insula.oidc.ports import Pages

DEFAULT = "query"

METADATA = {
    "response_modes_supported": ["query", "form_post"],
    "authorization_response_iss_parameter_supported": True,  # RFC9207-3
}
PARAMETERS = frozenset({"response_mode"})


def check_response_mode(params: Mapping[str, str], client: Client) -> str:
    mode = params.get("response_mode", DEFAULT)
    if mode not in client.response_modes or mode not in METADATA["response_modes_supported"]:  # type: ignore[operator]  # a list
        raise InvalidRequest("response_mode is not one that this client may use")
    return mode


def respond(pages: Pages, mode: str, redirect_uri: str, fields: Mapping[str, str]) -> Response:
    """Send *fields* to the client."""
    if mode == "form_post":
        body, policy = pages.form_post(redirect_uri, fields)
        return page(body, policy=policy)
    return see_other(with_query(redirect_uri, fields))
