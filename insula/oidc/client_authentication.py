"""
Who calls a back-channel endpoint: RFC6749-2.3, one method per request and the registered one.

A wrong secret or signature, a wrong method and a client that does not exist get the same
answer after the same work.
"""

import base64
import binascii
from dataclasses import dataclass
from uuid import UUID

from insula.oidc.client_assertions import REFUSED, Assertion, find_fault, read_assertion
from insula.oidc.errors import InvalidClient, InvalidRequest
from insula.oidc.http import Request, read_pairs
from insula.oidc.issuer import Issuer
from insula.oidc.models import AuthMethod, Client, ClientSecret
from insula.oidc.request import Parameters
from insula.oidc.sightings import note_proof

METHODS: tuple[AuthMethod, ...] = (
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
)

#: Compared with when there is no such client, so that this takes as long.
_NOBODY = Client(UUID(int=0), "", "", secrets=(ClientSecret(bytes(32)),))


@dataclass(frozen=True, slots=True)
class _Credentials:
    """Who a request says to come from, and what it brings to prove it."""

    method: AuthMethod
    client_id: str
    proof: str | Assertion = ""


async def authenticate(issuer: Issuer, request: Request, params: Parameters) -> Client:
    """Return the client that this request proves to come from."""
    brought = _read_credentials(issuer, request, params)
    if brought.method == "none":
        client = await issuer.clients.find(brought.client_id)
        if client is None or not client.is_public:
            raise InvalidClient(REFUSED)
    else:
        caller = request.caller
        await issuer.clients.refuse_flood(brought.client_id, caller)
        known = client = await issuer.clients.find(brought.client_id)
        if client is not None and client.token_endpoint_auth_method != brought.method:
            client = None
        fault = await _find_fault(issuer, client, brought.proof)
        if client is None or fault:
            await issuer.clients.count_failure(brought.client_id, caller)
            if known is not None:
                issuer.clients.note_refused(known, InvalidClient.code)
            raise InvalidClient(REFUSED, detail=fault)
    request.client = client
    note_proof(issuer.sightings, client, request)
    return client


async def _find_fault(issuer: Issuer, client: Client | None, proof: str | Assertion) -> str:
    if isinstance(proof, Assertion):
        return await find_fault(issuer, client, proof)
    matches = issuer.clients.secret_matches(client or _NOBODY, proof)
    return "" if matches else "no such client, or no such secret of it"


def uses_basic(request: Request) -> bool:
    """Whether the refusal must name the scheme that was tried (RFC6749-5.2)."""
    return (request.header(b"authorization") or "")[:6].lower() == "basic "


def _read_credentials(issuer: Issuer, request: Request, params: Parameters) -> _Credentials:
    headers = request.headers(b"authorization")
    client_id, secret = params.get("client_id"), params.get("client_secret")
    asserts = "client_assertion" in params
    if len(headers) + (secret is not None) + asserts > 1:
        raise InvalidRequest("The client authenticated in more than one way")
    if asserts:
        assertion = read_assertion(issuer, request.path, params)
        return _Credentials("private_key_jwt", assertion.client_id, assertion)
    if not headers:
        if client_id is None:
            raise InvalidClient("The client did not authenticate")
        method: AuthMethod = "none" if secret is None else "client_secret_post"
        return _Credentials(method, client_id, secret or "")
    basic_id, secret = _read_basic(headers[0])
    if client_id is not None and client_id != basic_id:
        raise InvalidClient("client_id is not the client that authenticated")
    return _Credentials("client_secret_basic", basic_id, secret)


def _read_basic(header: str) -> tuple[str, str]:
    """Read RFC 7617 credentials, each half form-encoded before (RFC6749-2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise InvalidClient("The authorization scheme is not one for clients")
    try:
        both = base64.b64decode(encoded.strip(), validate=True)
        (client_id, secret) = (_form_decode(half) for half in both.split(b":", 1))
    except (binascii.Error, ValueError, InvalidRequest):
        raise InvalidClient("The Basic credentials are malformed") from None
    return client_id, secret


def _form_decode(half: bytes) -> str:
    if b"&" in half or not half:
        raise ValueError("not one value")
    return read_pairs(b"=" + half)[0][1]
