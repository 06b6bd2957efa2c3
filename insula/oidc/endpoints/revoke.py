"""
The revocation endpoint: RFC 7009.

Unknown tokens and those of others get the same 200 and nothing happens to them: the
client cannot do anything about it, and learns nothing (RFC7009-2.2).
"""

from insula.oidc.client_authentication import authenticate
from insula.oidc.http import Request, Response, empty_answer
from insula.oidc.issuer import Issuer
from insula.oidc.models import Caller, Client
from insula.oidc.request import read_back_channel
from insula.oidc.tokens import find_access_token, is_jwt, is_refresh_token, issue_of


async def revoke(issuer: Issuer, request: Request) -> Response:
    params = await read_back_channel(request)
    client = await authenticate(issuer, request, params)
    token = params.need("token")
    if is_refresh_token(token):
        await issuer.tokens.revoke_refresh_token(token, client, request.caller)
    elif client.revoke_family:
        await _revoke_all(issuer, token, client, request.caller)
    elif is_jwt(token):
        await _revoke_jwt(issuer, token, client, request.caller)
    else:
        await issuer.tokens.revoke_access_token(token, client, request.caller)
    return empty_answer()


async def _revoke_all(issuer: Issuer, token: str, client: Client, caller: Caller) -> None:
    """End everything that came of what this access token came from (RV-3)."""
    found = await find_access_token(issuer, token)
    if found is not None and found.client_id == client.client_id:
        await issuer.tokens.revoke_issue(found.issue_id, client, caller)


async def _revoke_jwt(issuer: Issuer, token: str, client: Client, caller: Caller) -> None:
    says = issuer.verifier.access_token(token)
    if says is None or says["client_id"] != client.client_id:
        return
    issue_id = issue_of(says["jti"])
    if issue_id is not None:
        await issuer.tokens.revoke_jti(issue_id, says["jti"], int(says["exp"]), client, caller)
