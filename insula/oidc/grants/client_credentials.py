"""
The client credentials grant, RFC6749-4.4: a client acts for itself.

Its token names no person: no id_token, no refresh token, `sub` is the client (RFC9700-4.15).
"""

from insula.kernel.ids import new_id
from insula.oidc import tokens
from insula.oidc.errors import InvalidClient, UnauthorizedClient
from insula.oidc.exchange import Exchange
from insula.oidc.features import resources
from insula.oidc.features.pause import refuse_paused
from insula.oidc.features.scopes import asked_for, read_own_scopes


async def exchange(e: Exchange) -> bytes:
    """Issue an access token to a client that has proved itself by more than its name."""
    issuer, client = e.issuer, e.client
    if client.is_public:
        raise UnauthorizedClient("A public client cannot act for itself")
    refuse_paused(client)
    named = asked_for(e.params)
    scopes = read_own_scopes(e.params, client)
    target = resources.read_target(
        e.params, client, scopes, issuer.resources, issuer.url, is_explicit=bool(named)
    )
    access_token, access = await tokens.mint_access_token(
        issuer, client, new_id(), target, None, jkt=e.jkt
    )
    if not await issuer.tokens.issue_to_client(client, access, e.caller):
        raise InvalidClient("Client authentication failed", detail="ended while it was used")
    return tokens.answer(issuer, access_token, access, named)
