"""What every answer is held to, by libraries that Insula does not use where there are any."""

import base64
import hashlib
import time

import jwt
from sites import CALLBACK

#: Seconds that two clocks may differ.
LEEWAY = 5
_PROTOCOL = {"iss", "sub", "aud", "exp", "iat", "nonce", "at_hash", "acr", "amr", "auth_time"}
_NEEDED = {"iss", "sub", "aud", "exp", "iat", "at_hash", "acr", "amr"}


def check_authorization_answer(arrival, asked, run):
    """An answer goes where it was asked for, the way it was asked for, and says whose it is."""
    assert arrival.url == CALLBACK
    assert arrival.mode == asked.get("response_mode", "query")
    assert arrival.answer.get("state") == asked.get("state")
    assert arrival.answer["iss"] == run.metadata["issuer"]  # RFC9207-2
    assert run.metadata["authorization_response_iss_parameter_supported"] is True


def check_answer_headers(answer):
    """Answers of the token endpoint are JSON that nobody keeps (RFC6749-5.1)."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


def check_refused(answer, error, status=400):
    """A refusal of a back-channel endpoint."""
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}


def check_bearer_refused(answer, error, status=401):
    """A refusal of a token, as RFC6750-3 words it."""
    assert answer.status_code == status
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert f'error="{error}"' in challenge


def check_id_token(token, run, *, client_id, nonce, access_token, alg="RS256"):
    """Judge an id_token as OIDCC-3.1.3.7 says, strictly; its claims."""
    header = jwt.get_unverified_header(token)
    assert header == {"alg": alg, "typ": "JWT", "kid": header["kid"]}
    (key,) = [key for key in run.jwks["keys"] if key["kid"] == header["kid"]]
    claims = jwt.decode(
        token,
        jwt.PyJWK(key, alg),
        algorithms=[alg],
        audience=client_id,
        issuer=run.issuer,
        leeway=LEEWAY,
        options={"require": sorted(_NEEDED)},
    )
    assert claims["aud"] == client_id
    assert claims.get("nonce") == nonce
    assert "azp" not in claims
    assert claims["iat"] <= time.time() + LEEWAY
    assert claims["iat"] > time.time() - 60
    assert 0 < len(claims["sub"]) <= 255
    assert claims["at_hash"] == at_hash(access_token, alg)
    return claims


def beyond_protocol(claims):
    """The members of an id_token that are about the person."""
    return {name: value for name, value in claims.items() if name not in _PROTOCOL}


def at_hash(access_token, alg):
    digest = hashlib.new(f"sha{alg[2:]}", access_token.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
