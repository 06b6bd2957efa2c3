"""A client that registers our own keys as its own, and brings what we have signed as if it had."""

import jwt as pyjwt
import pytest
from oidc_world import CALLBACK, ISSUER, call
from proofs import USERINFO_URL, dpop, proof
from signed import Key, asserting

from insula.oidc.features.logout import LOGOUT_TOKEN_TYPE, logout_claims

SHADOW = "shadow"


@pytest.fixture(params=["oauth21", "standard"])
def shadow(world, generated, request):
    """A client whose keys are ours, so that every signature of ours is one of its own."""
    keys = tuple({**k.public_jwk, "kid": k.kid, "use": "sig"} for k in generated.values())
    return world.client(
        SHADOW,
        jwks=keys,
        profile=request.param,
        token_endpoint_auth_method="private_key_jwt",  # noqa: S106  (the method)
        userinfo_signed_response_alg="ES256",
        grant_types=frozenset({"authorization_code", "client_credentials"}),
    )


@pytest.fixture
async def ours(world, web, ring, shadow):
    """All that we sign, for this client where it is for one."""
    of_web = await world.tokens(web)
    says = logout_claims(ISSUER, shadow, subject=SHADOW, sid="s", jti="j")
    key = ring.signing["ES256"]
    return {
        "access token": of_web["access_token"],
        "id_token": of_web["id_token"],
        "logout token": await key.issue(LOGOUT_TOKEN_TYPE, says),
        # userinfo and id_tokens of a person whose subject is the name of the client
        "its id_token": await key.issue("JWT", says | {"sub": SHADOW, "nonce": "n"}),
        "its userinfo": await key.issue("JWT", {"iss": ISSUER, "aud": SHADOW, "sub": "somebody"}),
    }


@pytest.mark.spec("RFC8725-3.12", "JAR-10.8", "CA-3")
async def test_nothing_that_we_sign_proves_a_client(world, shadow, ours):
    for name, token in ours.items():
        params = asserting(token) | {"grant_type": "client_credentials"}
        answer = await world.post("/oauth2/token", shadow, params)
        assert (answer.status, answer.json["error"]) == (401, "invalid_client"), name


@pytest.mark.spec("RFC8725-3.12", "JAR-4", "JR-5")
@pytest.mark.usefixtures("shadow")
async def test_nothing_that_we_sign_is_a_request(world, ours):
    outside = {"client_id": SHADOW, "response_type": "code", "scope": "openid"}
    for name, token in ours.items():
        answer = await world.signed_in().go(
            "/oauth2/authorize", outside | {"redirect_uri": CALLBACK, "request": token}
        )
        assert answer.fields["error"] == "invalid_request_object", name


@pytest.mark.spec("RFC8725-3.11", "DP-1")
async def test_nothing_that_we_sign_is_a_proof_and_no_proof_is_anything_else(world, shadow, ours):
    key = Key()
    shadow = world.change(shadow, jwks=(key.jwk,))
    for name, token in ours.items():
        headers = [("authorization", f"DPoP {ours['access token']}"), dpop(token)]
        answer = await call(world.provider, "GET", "/oauth2/userinfo", headers=headers)
        assert (answer.status, answer.json["error"]) == (401, "invalid_dpop_proof"), name
    as_assertion = proof(key, "GET", USERINFO_URL, iss=SHADOW, sub=SHADOW, aud=ISSUER, exp=2**33)
    assert pyjwt.get_unverified_header(as_assertion)["typ"] == "dpop+jwt"
    params = asserting(as_assertion) | {"grant_type": "client_credentials"}
    assert (await world.post("/oauth2/token", shadow, params)).status == 401
