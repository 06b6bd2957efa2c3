"""The token endpoint: RFC6749-3.2. A form in, JSON out, and nothing is ever kept by a cache."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from insula.oidc import dpop_proofs
from insula.oidc.client_authentication import authenticate
from insula.oidc.errors import InvalidDpopProof, UnauthorizedClient, UnsupportedGrantType
from insula.oidc.exchange import Exchange
from insula.oidc.features import authorization_details
from insula.oidc.grants import Grant, find
from insula.oidc.http import Request, Response, json_answer
from insula.oidc.issuer import Issuer
from insula.oidc.models import Client
from insula.oidc.request import Parameters, read_back_channel


@dataclass(slots=True)
class TokenRequest:
    """One token request on its way down the table."""

    issuer: Issuer
    request: Request
    params: Parameters = field(init=False)
    grant: Grant = field(init=False)
    client: Client = field(init=False)
    #: Thumbprint of the key that the request was proven with.
    jkt: str | None = None
    answer: bytes = b""


async def read_parameters(t: TokenRequest) -> None:
    t.params = await read_back_channel(t.request)


async def choose_grant(t: TokenRequest) -> None:
    grant = find(t.params.need("grant_type"), t.issuer.features)
    if grant is None:
        raise UnsupportedGrantType("grant_type is not one of those supported")
    t.grant = grant


async def authenticate_client(t: TokenRequest) -> None:
    t.client = await authenticate(t.issuer, t.request, t.params)


async def check_grant_type(t: TokenRequest) -> None:
    if t.params["grant_type"] not in t.client.grant_types:
        raise UnauthorizedClient("The client may not use this grant type")


async def refuse_details(t: TokenRequest) -> None:
    authorization_details.refuse_details(t.params)


async def prove_key(t: TokenRequest) -> None:
    t.jkt = await dpop_proofs.prove_key(t.issuer, t.request)
    must = t.client.dpop_bound_access_tokens or t.issuer.features.require_dpop
    if t.jkt is None and must:
        raise InvalidDpopProof("This client must send a DPoP proof")


async def exchange(t: TokenRequest) -> None:
    t.answer = await t.grant(Exchange(t.issuer, t.client, t.params, t.request.caller, t.jkt))
    t.issuer.clients.note_issued(t.client, t.params["grant_type"])


# fmt: off
STEPS: tuple[Callable[[TokenRequest], Awaitable[None]], ...] = (
    read_parameters,        # T(invalid_request)
    choose_grant,           # T(unsupported_grant_type): says nothing about any client
    authenticate_client,    # T(invalid_client)
    check_grant_type,       # T(unauthorized_client)
    refuse_details,         # T(invalid_authorization_details)
    prove_key,              # T(invalid_dpop_proof), T(use_dpop_nonce)
    exchange,               # T(invalid_grant), T(invalid_scope), T(invalid_target)
)
# fmt: on


async def token(issuer: Issuer, request: Request) -> Response:
    t = TokenRequest(issuer, request)
    for step in STEPS:
        await step(t)
    return dpop_proofs.offer_nonce(issuer, json_answer(t.answer))
