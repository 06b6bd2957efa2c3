"""Userinfo as a JWT that its client asked for: OIDCC-5.3.2 (UI-3)."""

import jwt as pyjwt
import pytest
from apis import reissue
from oidc_world import ISSUER
from test_authorize_errors import is_told

pytestmark = pytest.mark.spec("OIDCC-5.3.2", "UI-3")


@pytest.fixture(params=["RS256", "ES256", "PS256", "EdDSA"])
def alg(request):
    return request.param


async def keys(world):
    return pyjwt.PyJWKSet.from_dict((await world.browser().go("/oauth2/jwks")).json).keys


async def test_it_is_signed_with_the_registered_algorithm_for_its_client(world, alg):
    client = world.client(userinfo_signed_response_alg=alg)
    token = (await world.tokens(client, scope="openid email"))["access_token"]

    answer = await world.userinfo(token)

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["cache-control"] == "no-store"
    header = pyjwt.get_unverified_header(answer.text)
    (key,) = [key for key in await keys(world) if key.key_id == header["kid"]]
    says = pyjwt.decode(answer.text, key, algorithms=[alg], audience=client.client_id)
    assert says == {
        "iss": ISSUER,
        "aud": client.client_id,
        "sub": str(world.ada.user_id),
        "email": "ada@acme.example",
        "email_verified": True,
    }
    assert set(header) == {"alg", "kid", "typ"}


async def test_refusals_stay_plain(world):
    world.client(userinfo_signed_response_alg="ES256")

    answer = await world.userinfo("garbage")

    assert (answer.status, answer.json["error"]) == (401, "invalid_token")


async def test_its_subject_is_the_id_tokens(world, ring):
    reissue(world, ring)
    client = world.client(
        userinfo_signed_response_alg="ES256", subject_type="pairwise", sector="app.example"
    )
    tokens = await world.tokens(client)

    answer = await world.userinfo(tokens["access_token"])

    told = [
        pyjwt.decode(each, options={"verify_signature": False})["sub"]
        for each in (answer.text, tokens["id_token"])
    ]
    assert told[0] == told[1] != str(world.ada.user_id)


@pytest.mark.spec("OIDCC-3.1.3.7", "ID-6", "OC-9", "LO-4")
async def test_it_is_taken_for_no_other_token(world):
    client = world.client(userinfo_signed_response_alg="ES256")
    browser = world.signed_in()
    signed = (await world.userinfo((await world.tokens(client, browser))["access_token"])).text

    hint = await browser.authorize(client, prompt="none", id_token_hint=signed)
    out = await browser.go("/oauth2/logout", {"id_token_hint": signed})

    assert is_told(hint, "login_required")
    assert out.status == 400
    assert world.host.people.sessions
    assert (await world.userinfo(signed)).status == 401
    assert (await world.introspect(client, signed)).json == {"active": False}
