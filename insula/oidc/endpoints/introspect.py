"""
The introspection endpoint: RFC 7662.

A token is described to the client that owns it, and to those that an administrator lets
ask about others. Whatever else is asked, the answer is the same eighteen bytes.
"""

from typing import Any

from insula.oidc.client_authentication import authenticate
from insula.oidc.errors import InvalidClient
from insula.oidc.http import Request, Response, json_answer
from insula.oidc.issuer import Issuer
from insula.oidc.models import ActiveToken, Client
from insula.oidc.request import read_back_channel
from insula.oidc.signing import compact_json
from insula.oidc.tokens import find_token, scope_string

_INACTIVE = b'{"active":false}'


async def introspect(issuer: Issuer, request: Request) -> Response:
    params = await read_back_channel(request)
    client = await authenticate(issuer, request, params)
    if client.is_public:  # anyone can be one: RFC7662-4
        raise InvalidClient("A public client may not ask about tokens")
    found = await find_token(issuer, params.need("token"))
    if found is None or not _may_know(client, found):
        return json_answer(_INACTIVE)
    return json_answer(compact_json(_describe(issuer, found)).encode())


def _may_know(client: Client, token: ActiveToken) -> bool:
    if token.client_id == client.client_id:
        return True
    return token.kind == "access_token" and client.introspects_others


def _describe(issuer: Issuer, token: ActiveToken) -> dict[str, Any]:
    says: dict[str, Any] = {
        "active": True,
        "client_id": token.client_id,
        "sub": token.client_id if token.person is None else str(token.person.user_id),
        "iss": issuer.url,
        "iat": token.issued_at,
        "exp": token.expires_at,
    }
    if token.kind == "access_token":
        says |= {"token_type": "Bearer", "aud": issuer.url}
    optional = {
        "scope": scope_string(issuer, token.scopes),
        "jti": token.jti,
        "auth_time": token.auth_time,
        "acr": token.acr,
    }
    return says | {name: value for name, value in optional.items() if value}
