"""
Registration and management of clients by themselves: RFC7591-3, RFC7592-2, OIDCR-3, OIDCR-4.

A wrong token, one of another client and a client that does not exist get the same answer.
"""

from dataclasses import replace
from typing import Any

from insula.oidc import issuer as paths
from insula.oidc.bearer import read_plain_token
from insula.oidc.errors import AccessDenied, InvalidToken, MissingToken, UnsupportedMediaType
from insula.oidc.features.registration import (
    Members,
    check_offered,
    read_members,
    read_object,
    read_replacement,
)
from insula.oidc.grants import offered
from insula.oidc.http import Request, Response, empty_answer, json_answer
from insula.oidc.issuer import Issuer
from insula.oidc.models import RegisteredClient
from insula.oidc.signing import compact_json

_NOT_YOURS = "The registration access token is not valid for this client"


async def register(issuer: Issuer, request: Request) -> Response:
    """Register a client (RFC7591-3.1); DR-1 says who may."""
    token = read_plain_token(request)
    if token is None and issuer.features.registration != "open":
        raise MissingToken
    members = read_members(read_object(await _read_json(request)))
    _check_offered(issuer, members)
    made = await issuer.registrations.register(members, token, request.caller)
    return json_answer(_describe(issuer, made), 201)


async def manage(issuer: Issuer, request: Request) -> Response:
    """Read, replace or delete the client whose address this is."""
    client_id = request.path.rpartition("/")[2]
    token = read_plain_token(request)
    if token is None:
        raise MissingToken
    found = await issuer.registrations.find(client_id, token)
    if found is None:
        raise InvalidToken(_NOT_YOURS)
    if request.method == "PUT":
        return await _replace(issuer, request, found, token)
    if request.method == "DELETE":
        return await _delete(issuer, request, found, token)
    return json_answer(_describe(issuer, replace(found, token=token)))  # RFC7592-3 wants it said


async def _replace(
    issuer: Issuer, request: Request, found: RegisteredClient, token: str
) -> Response:
    """RFC7592-2.2."""
    _refuse_adopted(found)
    read = read_object(await _read_json(request))
    members, secret = read_replacement(read, found.client_id)
    _check_offered(issuer, members)
    replaced = await issuer.registrations.replace(
        found.client_id, token, members, secret, request.caller
    )
    if replaced is None:
        raise InvalidToken(_NOT_YOURS)
    return json_answer(_describe(issuer, replaced))


async def _delete(
    issuer: Issuer, request: Request, found: RegisteredClient, token: str
) -> Response:
    """RFC7592-2.3."""
    _refuse_adopted(found)
    if not issuer.features.registration_delete:
        raise AccessDenied("Clients cannot delete themselves here")
    if not await issuer.registrations.delete(found.client_id, token, request.caller):
        raise InvalidToken(_NOT_YOURS)
    return empty_answer(204)


def _refuse_adopted(found: RegisteredClient) -> None:
    if found.is_adopted:
        raise AccessDenied("An administrator manages this client")


def _check_offered(issuer: Issuer, members: Members) -> None:
    on = issuer.features
    check_offered(members, on, grants=offered(on), signing=issuer.keys.signing)


async def _read_json(request: Request) -> bytes:
    if not request.is_json:
        raise UnsupportedMediaType("The body must be application/json")
    return await request.body()


def _describe(issuer: Issuer, client: RegisteredClient) -> bytes:
    """State what is registered, and what is told only now (RFC7591-3.2.1, RFC7592-3)."""
    says: Members = {
        "client_id": client.client_id,
        "client_id_issued_at": client.issued_at,
        **client.members,
        "registration_client_uri": f"{issuer.url}{paths.REGISTER}/{client.client_id}",
    }
    told_once: dict[str, Any] = {"registration_access_token": client.token}
    if client.secret is not None:
        told_once |= {"client_secret": client.secret, "client_secret_expires_at": 0}
    says |= {name: value for name, value in told_once.items() if value is not None}
    return compact_json(says).encode()
