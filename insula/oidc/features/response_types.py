"""Response types: the code flow only. A token in an address is never offered (RFC9700-2.1.2)."""

from collections.abc import Mapping

from insula.oidc.errors import InvalidRequest, UnauthorizedClient, UnsupportedResponseType
from insula.oidc.models import Client

METADATA = {"response_types_supported": ["code"]}
PARAMETERS = frozenset({"response_type"})


def check_response_type(params: Mapping[str, str], client: Client) -> None:
    wanted = params.get("response_type")
    if wanted is None:
        raise InvalidRequest("response_type is missing")
    if set(wanted.split()) != {"code"}:  # a set of words: RFC6749-3.1.1
        raise UnsupportedResponseType("response_type must be code")
    if "authorization_code" not in client.grant_types:
        raise UnauthorizedClient("The client may not use the authorization code grant")
