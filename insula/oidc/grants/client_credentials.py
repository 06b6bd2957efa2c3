"""
The client credentials grant, RFC6749-4.4: a client acts for itself.

Its token names no person: no id_token, no refresh token, `sub` is the client (RFC9700-4.15).
"""

from insula.kernel.ids import new_id
from insula.oidc import tokens
from insula.oidc.errors import InvalidClient, UnauthorizedClient
from insula.oidc.features.scopes import read_own_scopes
from insula.oidc.issuer import Issuer
from insula.oidc.models import Caller, Client
from insula.oidc.request import Parameters


async def exchange(issuer: Issuer, client: Client, params: Parameters, caller: Caller) -> bytes:
    """Issue an access token to a client that has proved itself by more than its name."""
    if client.is_public:
        raise UnauthorizedClient("A public client cannot act for itself")
    granted = read_own_scopes(params, client)
    access_token, access = await tokens.mint_access_token(issuer, client, new_id(), granted, None)
    if not await issuer.tokens.issue_to_client(client, access, caller):
        raise InvalidClient("Client authentication failed", detail="ended while it was used")
    return tokens.answer(issuer, access_token, access)
