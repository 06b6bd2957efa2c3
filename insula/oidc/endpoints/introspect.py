"""
The introspection endpoint: RFC 7662.

A token is described to the client that owns it, and to those that an administrator lets
ask about others. Whatever else is asked, the answer is the same eighteen bytes.
"""

from typing import Any

from insula.oidc.artefacts import ActiveToken
from insula.oidc.client_authentication import authenticate
from insula.oidc.errors import InvalidClient
from insula.oidc.http import Request, Response, json_answer
from insula.oidc.issuer import Issuer
from insula.oidc.models import Client, ResourceServer
from insula.oidc.request import read_back_channel
from insula.oidc.sightings import note_token
from insula.oidc.signing import compact_json
from insula.oidc.tokens import find_token, scope_string

_INACTIVE = b'{"active":false}'


async def introspect(issuer: Issuer, request: Request) -> Response:
    params = await read_back_channel(request)
    client = await authenticate(issuer, request, params)
    if client.is_public:  # anyone can be one: RFC7662-4
        raise InvalidClient("A public client may not ask about tokens")
    found = await find_token(issuer, params.need("token"))
    if found is None or not _may_know(issuer, client, found):
        return json_answer(_INACTIVE)
    note_token(issuer.sightings, client, params.need("token"))
    return json_answer(compact_json(await _describe(issuer, client, found)).encode())


def _may_know(issuer: Issuer, client: Client, token: ActiveToken) -> bool:
    if token.client_id == client.client_id:
        return True
    if token.kind != "access_token":
        return False
    return client.introspects_others or bool(_serving(issuer, client, token))


def _serving(issuer: Issuer, client: Client, token: ActiveToken) -> list[ResourceServer]:
    """The APIs that the token is for and that this client asks on behalf of."""
    servers = (issuer.resources.get(name) for name in token.audience)
    return [s for s in servers if s is not None and client.client_id in s.introspection_clients]


async def _describe(issuer: Issuer, client: Client, token: ActiveToken) -> dict[str, Any]:
    username: str | None = None
    says: dict[str, Any] = {
        "active": True,
        "client_id": token.client_id,
        "sub": token.about or token.client_id,
        "iss": issuer.url,
        "iat": token.issued_at,
        "exp": token.expires_at,
    }
    if token.person is not None:
        owner = await issuer.clients.find(token.client_id)
        if owner is None:  # ended since
            return {"active": False}
        says["sub"] = issuer.subject(owner, token.person.user_id)
        if any(server.introspection_username for server in _serving(issuer, client, token)):
            username = token.person.claims.get("preferred_username")
    if token.kind == "access_token":
        says["token_type"] = "Bearer" if token.dpop_jkt is None else "DPoP"
        aud = token.audience
        says["aud"] = aud[0] if len(aud) == 1 else aud
    optional = {
        "scope": scope_string(issuer, token.scopes),
        "jti": token.jti,
        "auth_time": token.auth_time,
        "acr": token.acr,
        "cnf": {"jkt": token.dpop_jkt} if token.dpop_jkt else None,
        "act": token.act,
        "username": username,
    }
    return says | {name: value for name, value in optional.items() if value}
