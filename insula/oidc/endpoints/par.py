"""The pushed authorization request endpoint: RFC 9126."""

from insula.kernel.ids import Kind, new_secret
from insula.oidc import dpop_proofs
from insula.oidc.artefacts import NewPushed
from insula.oidc.client_authentication import authenticate
from insula.oidc.endpoints.authorize import check_pushed
from insula.oidc.errors import InvalidClient, InvalidRequest
from insula.oidc.features.par import REFERENCE
from insula.oidc.http import Request, Response, json_answer
from insula.oidc.issuer import Issuer
from insula.oidc.request import read_back_channel
from insula.oidc.signing import compact_json


async def push(issuer: Issuer, request: Request) -> Response:
    """Check a whole authorization request now and keep it until a browser brings its reference."""
    params = await read_back_channel(request)
    client = await authenticate(issuer, request, params)
    if client.is_public:
        issuer.clients.refuse_burst(client, request.caller)
    if "request_uri" in params:  # PAR-2.1
        raise InvalidRequest("request_uri cannot be pushed")
    if params.setdefault("client_id", client.client_id) != client.client_id:
        raise InvalidClient("client_id is not the client that authenticated")
    a = await check_pushed(issuer, request, client, params)
    jkt = await dpop_proofs.prove_key(issuer, request)
    parameters = a.stored
    if jkt is not None and parameters.setdefault("dpop_jkt", jkt) != jkt:  # DPOP-10.1
        raise InvalidRequest("dpop_jkt is not the key of the DPoP proof")
    reference = REFERENCE + new_secret(Kind.PUSHED_REQUEST)
    lifetime = issuer.lifetimes.pushed_request
    await issuer.requests.push(NewPushed(reference, client, parameters, lifetime), request.caller)
    said = {"request_uri": reference, "expires_in": lifetime}
    answer = json_answer(compact_json(said).encode(), 201)
    return dpop_proofs.offer_nonce(issuer, answer)
