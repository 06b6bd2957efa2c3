"""What our JWTs say, read by two other libraries (ID-1 to ID-6, RS-6)."""

import json

import jwt
import pytest
from cryptojwt import JWS, KeyJar
from oidc_world import ISSUER, call

from insula.oidc.signing import left_half_hash

ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")


async def jwks(world):
    return (await call(world.provider, "GET", "/oauth2/jwks")).body


async def verified(world, token, audience):
    """The claims, after PyJWT and cryptojwt both accepted the signature."""
    published = await jwks(world)
    key = jwt.PyJWKSet.from_json(published)[jwt.get_unverified_header(token)["kid"]]
    says = jwt.decode(
        token, key, algorithms=[key.algorithm_name], audience=audience, issuer=ISSUER, leeway=5
    )
    jar = KeyJar()
    jar.import_jwks(json.loads(published), ISSUER)
    assert JWS(alg=key.algorithm_name).verify_compact(token, jar.get_issuer_keys(ISSUER)) == says
    return says


@pytest.mark.spec("OIDCC-2", "OIDCC-3.1.3.3", "OIDCC-3.1.3.6", "OIDCC-10.1", "ID-1", "TK-13")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_an_id_token_tells_one_client_about_one_sign_in(world, alg):
    client = world.client(id_token_signed_response_alg=alg)
    tokens = await world.tokens(client)
    says = await verified(world, tokens["id_token"], "web")

    assert jwt.get_unverified_header(tokens["id_token"]) == {
        "alg": alg,
        "kid": world_kid(world, alg),
        "typ": "JWT",
    }
    assert set(says) == {"iss", "sub", "aud", "exp", "iat", "nonce", "at_hash", "acr", "amr"}
    assert (says["iss"], says["aud"]) == (ISSUER, "web")
    assert says["sub"] == str(world.ada.user_id)
    assert says["nonce"] == "n-1"
    assert says["exp"] - says["iat"] == 600
    assert (says["acr"], says["amr"]) == ("urn:1", ["pwd"])
    assert says["at_hash"] == left_half_hash(alg, tokens["access_token"])


def world_kid(world, alg):
    return world.provider._issuer.keys.signing[alg].kid  # noqa: SLF001


@pytest.mark.spec("OIDCC-3.1.3.6")
def test_at_hash_as_published():
    # OIDCC-A.3: the access token and at_hash of the example with "id_token token"
    assert (
        left_half_hash("RS256", "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
        == "77QmUPtjPfzWtF2AnpK9RQ"
    )


@pytest.mark.spec("OIDCC-2", "ID-1")
@pytest.mark.parametrize(
    ("change", "asked", "is_said"),
    [
        ({}, {}, False),
        ({}, {"max_age": "100"}, True),
        ({"require_auth_time": True}, {}, True),
        ({"default_max_age": 100}, {}, True),
    ],
)
async def test_auth_time_is_said_when_it_is_wanted(world, change, asked, is_said):
    client = world.client(**change)
    tokens = await world.tokens(client, world.signed_in(ago=30), **asked)
    says = await verified(world, tokens["id_token"], "web")

    assert ("auth_time" in says) == is_said
    if is_said:
        assert 30 <= says["iat"] - says["auth_time"] <= 32


async def test_a_nonce_is_said_only_when_it_was_sent(world, web):
    code = (await world.signed_in().authorize(web, without=["nonce"])).code
    says = await verified(world, (await world.redeem(web, code)).json["id_token"], "web")

    assert "nonce" not in says


@pytest.mark.parametrize("nonce", ["n" * 2048, "a b+c%20&=\"'\\", "ÄÖ\U0001f600"])
async def test_a_nonce_is_copied_unchanged(world, web, nonce):
    tokens = await world.tokens(web, nonce=nonce)

    assert (await verified(world, tokens["id_token"], "web"))["nonce"] == nonce


@pytest.mark.spec("OIDCC-5.4")
@pytest.mark.parametrize("chatty", [True, False])
async def test_claims_of_scopes_are_for_userinfo_unless_the_client_wants_both(world, chatty):
    client = world.client(claims_in_id_token=chatty)
    tokens = await world.tokens(client, scope="openid email")
    says = await verified(world, tokens["id_token"], "web")

    assert ("email" in says) == chatty


async def test_nothing_stored_of_a_person_replaces_what_the_protocol_says(world):
    mallory = type(world.ada)(world.ada.user_id, {"sub": "admin", "iss": "evil", "name": "M"})
    client = world.client(claims_in_id_token=True)
    tokens = await world.tokens(client, world.signed_in(mallory), scope="openid profile")
    says = await verified(world, tokens["id_token"], "web")
    userinfo = (await world.userinfo(tokens["access_token"])).json

    assert (says["iss"], says["sub"]) == (ISSUER, str(mallory.user_id))
    assert userinfo["sub"] == str(mallory.user_id)


async def test_what_is_not_known_about_a_sign_in_is_left_out(world, web):
    browser = world.signed_in()
    sessions = world.host.people.sessions
    cookie = browser.cookies["session"]
    sessions[cookie] = type(sessions[cookie])(
        sessions[cookie].id, world.ada.user_id, sessions[cookie].auth_time, (), ""
    )
    tokens = await world.tokens(web, browser)
    says = await verified(world, tokens["id_token"], "web")

    assert not {"acr", "amr"} & set(says)
    introspected = (await world.introspect(web, tokens["access_token"])).json
    assert "acr" not in introspected


@pytest.mark.spec("RFC9068-2.1", "RFC9068-2.2", "RS-7")
@pytest.mark.parametrize("alg", ALGORITHMS)
async def test_an_access_token_says_what_an_api_needs_and_no_more(world, alg):
    client = world.client(access_token_alg=alg)
    token = (await world.tokens(client, scope="openid email api:read"))["access_token"]
    says = await verified(world, token, ISSUER)

    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert set(jwt.get_unverified_header(token)) == {"alg", "kid", "typ"}
    assert set(says) == {
        *("iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope"),
        *("auth_time", "acr", "amr"),
    }
    assert (says["iss"], says["aud"], says["client_id"]) == (ISSUER, ISSUER, "web")
    assert says["scope"] == "openid email api:read"
    assert says["exp"] - says["iat"] == 600
    issue, _, random = says["jti"].partition(".")
    assert (len(issue), len(random)) == (32, 22)
    assert (await world.userinfo(token)).status == 200


async def test_an_opaque_access_token_says_nothing(world):
    client = world.client(access_token_format="opaque")  # noqa: S106
    tokens = await world.tokens(client, scope="openid email")

    assert tokens["access_token"].startswith("ins_at_")
    assert len(tokens["access_token"]) == len("ins_at_") + 43
    assert tokens["expires_in"] == 3600
    assert set((await world.userinfo(tokens["access_token"])).json) == {
        "sub",
        "email",
        "email_verified",
    }


@pytest.mark.spec("TK-12")
async def test_no_two_values_are_ever_the_same(world, web):
    browser = world.signed_in()
    answers = [await world.tokens(web, browser, scope="openid offline_access") for _ in range(5)]

    for name in ("access_token", "refresh_token"):
        assert len({answer[name] for answer in answers}) == 5
    codes = {await world.code(web, browser) for _ in range(5)}
    assert len(codes) == 5
    assert all(len(code) == len("ins_ac_") + 43 for code in codes)
