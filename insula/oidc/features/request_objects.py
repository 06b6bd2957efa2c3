"""
Request objects: an authorization request as a JWT that its client signed (OIDCC-6, RFC 9101).

By value in `request`, or by an https reference in `request_uri` that the client registered.
What is signed cannot be altered on its way through the browser, so who sends one relies on
what is inside: it is verified in full, or the whole request is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from insula.oidc.errors import (
    InvalidRequest,
    InvalidRequestObject,
    InvalidRequestUri,
    RequestNotSupported,
    RequestUriNotSupported,
    Unreachable,
)
from insula.oidc.issuer import Issuer
from insula.oidc.jose import CLIENT_ALGORITHMS, Received, audience_of, is_current, receive
from insula.oidc.models import Client, Features

PARAMETERS = frozenset({"request", "request_uri"})

#: Of one object only: a mixture would be a request that nobody made (JR-4).
_NEVER_MIXED = frozenset({"nonce", "state"})
_TYPES = frozenset({"", "jwt", "oauth-authz-req+jwt"})
#: Claims of the JWT itself, which are no parameters of the request.
_OF_THE_JWT = frozenset({"aud", "exp", "iat", "iss", "jti", "nbf", "sub"})
#: Parameters whose value is JSON outside too.
_OF_JSON = frozenset({"authorization_details", "claims"})
_OUT_OF_PLACE = frozenset({"request", "request_uri", "client_secret", "client_assertion"})


def metadata(features: Features) -> dict[str, Any]:
    # Absent, the second would mean true: OIDCD-3.
    says: dict[str, Any] = {
        "request_parameter_supported": features.request_objects,
        "request_uri_parameter_supported": features.request_objects,
    }
    if features.request_objects:
        says["require_request_uri_registration"] = True
        says["request_object_signing_alg_values_supported"] = list(CLIENT_ALGORITHMS)
    return says


def is_present(params: Mapping[str, str]) -> bool:
    return not PARAMETERS.isdisjoint(params)


def refuse_unsigned(params: Mapping[str, str], client: Client, features: Features) -> None:
    """Refuse plain parameters of a client that must sign its requests (JR-8)."""
    must = client.require_signed_request_object or features.require_signed_request
    if must and not is_present(params):
        raise InvalidRequest("This client must send its request as a signed request object")


async def open_request(
    issuer: Issuer, client: Client, params: Mapping[str, str], *, pushed: bool = False
) -> tuple[dict[str, str], str]:
    """
    Read the request object that *params* hold or refer to.

    Returns the parameters that count, merged as the client's profile says, and the mark by which
    the object is known once it is used (JR-7). *pushed*: the parameters came by PAR, which
    demands nothing beside the object (PAR-3).
    """
    token = await _get(issuer, client, params)
    received = receive(token)
    if received is None:
        raise InvalidRequestObject("The request object is not a signed JWT")
    await _verify(issuer, client, received)
    inside = _parameters(received.claims)
    if inside.get("client_id", client.client_id) != client.client_id:
        raise InvalidRequest("client_id differs between request and request object")
    if not pushed:
        _compare(client, params, inside)
    jti = received.claims.get("jti")
    mark = jti if isinstance(jti, str) and jti else hashlib.sha256(token.encode()).hexdigest()
    return _merge(client, params, inside), mark


async def _get(issuer: Issuer, client: Client, params: Mapping[str, str]) -> str:
    if "request" in params and not issuer.features.request_objects:
        raise RequestNotSupported("Request objects are not supported")
    if "request_uri" in params and not issuer.features.request_objects:
        raise RequestUriNotSupported("Request objects by reference are not supported")
    if params.keys() >= PARAMETERS:
        raise InvalidRequest("request and request_uri cannot be sent together")
    if "request" in params:
        return params["request"]
    uri = params["request_uri"]
    if uri not in client.request_uris:
        raise InvalidRequestUri("request_uri is not registered for this client")
    try:
        body = await issuer.requests.fetch(uri.partition("#")[0])
        return body.decode("ascii").strip()
    except (Unreachable, UnicodeDecodeError) as error:
        raise InvalidRequestUri(
            "The request object cannot be had from request_uri", detail=str(error)
        ) from None


async def _verify(issuer: Issuer, client: Client, received: Received) -> None:
    claims = received.claims
    alg = client.request_object_signing_alg
    algs = CLIENT_ALGORITHMS if alg is None else (alg,)
    if received.alg not in algs or received.typ not in _TYPES:
        raise InvalidRequestObject("The request object has an algorithm or type that is refused")
    if claims.get("sub") == client.client_id:  # could be a client assertion: JAR-10.8
        raise InvalidRequestObject("The request object must not have the client as its subject")
    _check_parties(issuer, client, claims)
    if not is_current(claims, need_exp=False):
        raise InvalidRequestObject("The request object is expired or not valid yet")
    try:
        keys = await issuer.clients.keys(client, received.kid)
    except Unreachable as error:
        raise InvalidRequestObject(
            "The keys of the client cannot be had", detail=str(error)
        ) from None
    if not received.is_signed_by(keys, algs):
        raise InvalidRequestObject("The request object is not signed by a key of the client")


def _check_parties(issuer: Issuer, client: Client, claims: Mapping[str, Any]) -> None:
    """`iss` and `aud` (JAR-4); OpenID Connect lets clients leave them out (OIDCC-6.1)."""
    is_strict = client.profile == "oauth21"
    if claims.get("iss", None if is_strict else client.client_id) != client.client_id:
        raise InvalidRequestObject("iss of the request object is not the client")
    if ("aud" in claims or is_strict) and issuer.url not in audience_of(claims):
        raise InvalidRequestObject("aud of the request object is not this provider")


def _parameters(claims: Mapping[str, Any]) -> dict[str, str]:
    """The claims as the parameters that they would have been."""
    if _OUT_OF_PLACE & claims.keys():
        raise InvalidRequestObject("The request object holds what has no place in one")
    inside: dict[str, str] = {}
    for name, value in claims.items():
        if name in _OF_THE_JWT or value is None:
            continue
        if isinstance(value, str):
            text = value
        elif isinstance(value, dict) or name in _OF_JSON:
            text = json.dumps(value)
        elif isinstance(value, list) and all(isinstance(word, str) for word in value):
            text = " ".join(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            text = str(value)
        else:
            raise InvalidRequestObject("The request object holds a value of the wrong kind")
        if text:
            inside[name] = text
    return inside


def _compare(client: Client, params: Mapping[str, str], inside: Mapping[str, str]) -> None:
    """Compare what must stand outside too (JR-3)."""
    outside_type = params.get("response_type")
    if outside_type is None and client.profile != "oauth21":
        raise InvalidRequest("response_type is missing beside the request object")
    if outside_type is not None and inside.get("response_type", outside_type) != outside_type:
        raise InvalidRequest("response_type differs between request and request object")
    if client.profile == "oauth21" or "openid" not in inside.get("scope", "").split():
        return
    if "openid" not in params.get("scope", "").split():
        raise InvalidRequest("scope must hold openid beside the request object")


def _merge(client: Client, params: Mapping[str, str], inside: Mapping[str, str]) -> dict[str, str]:
    if client.profile == "oauth21":
        return {**inside, "client_id": client.client_id}
    dropped = PARAMETERS | (_NEVER_MIXED if _NEVER_MIXED & inside.keys() else frozenset())
    outside = {name: value for name, value in params.items() if name not in dropped}
    return {**outside, **inside, "client_id": client.client_id}
