"""What a relying party must check before it believes a token, OIDCC-3.1.3.7."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

Claims = dict[str, Any]

# Never "none", and no HMAC: a public key must not be accepted as a shared secret.
ALGORITHMS = ("RS256", "PS256", "ES256")
LEEWAY = 30  # seconds that two clocks may differ


class Refused(Exception):
    """An answer that we do not believe, or a refusal of the provider; the text is for people."""


@dataclass(frozen=True)
class Decoded:
    """The two readable parts of a signed token."""

    header: Claims
    claims: Claims


@dataclass(frozen=True)
class Expected:
    """What an id_token must say; *nonce* is None where it need not repeat one (OIDCC-12.2)."""

    issuer: str
    client_id: str
    access_token: str
    nonce: str | None


def verified_id_token(token: str, jwks: Mapping[str, Any], expected: Expected) -> Decoded:
    try:
        found = jwt.decode(token, KeySet.import_key_set(_keys(jwks)), algorithms=ALGORITHMS)
        _registry(expected).validate(found.claims)
    except (JoseError, ValueError) as error:
        raise Refused(f"The id_token is not valid: {error}") from error
    decoded = Decoded(dict(found.header), dict(found.claims))
    _check_kind(decoded)
    _check_authorized_party(decoded, expected.client_id)
    _check_at_hash(decoded, expected.access_token)
    return decoded


def readable(token: str) -> Decoded | None:
    """Decode a token that is meant for somebody else, to look at; None when it is opaque."""
    try:
        header, claims, _ = token.split(".")
        return Decoded(_json(header), _json(claims))
    except ValueError:
        return None


def _keys(jwks: Mapping[str, Any]) -> Any:  # noqa: ANN401  # joserfc wants its own TypedDict
    return {"keys": [key for key in jwks["keys"] if key.get("use", "sig") == "sig"]}


def _registry(expected: Expected) -> jwt.JWTClaimsRegistry:
    nonce = expected.nonce
    return jwt.JWTClaimsRegistry(
        leeway=LEEWAY,
        iss={"essential": True, "value": expected.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": expected.client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": False} if nonce is None else {"essential": True, "value": nonce},
    )


def _check_kind(token: Decoded) -> None:
    # An access token or a logout token of the same issuer is signed by the same key.
    if str(token.header.get("typ", "JWT")).upper() != "JWT":
        raise Refused(f"A token of type {token.header['typ']} came in the place of the id_token.")


def _check_authorized_party(token: Decoded, client_id: str) -> None:
    several = isinstance(token.claims["aud"], list) and len(token.claims["aud"]) > 1
    if token.claims.get("azp", None if several else client_id) != client_id:
        raise Refused("The id_token was issued to another application.")


def _check_at_hash(token: Decoded, access_token: str) -> None:
    # Every algorithm that we accept goes with SHA-256.
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    expected = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    if not hmac.compare_digest(str(token.claims.get("at_hash", "")), expected):
        raise Refused("The access token is not the one that the id_token was issued with.")


def _json(part: str) -> Claims:
    value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004  # as for any other unreadable token
    return value
