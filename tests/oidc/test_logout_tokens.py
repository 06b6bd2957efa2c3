"""What a client is told when a sign-in ends: logout tokens and discovery (LO-6, LO-10)."""

from uuid import uuid4

import jwt as pyjwt
import pytest
from oidc_world import ISSUER, build, call

from insula.kernel import clock
from insula.oidc.features.logout import LOGOUT_TOKEN_TYPE, logout_claims
from insula.oidc.models import Features
from insula.oidc.signing import load_signing_key

EVENT = "http://schemas.openid.net/event/backchannel-logout"
BACK = {"backchannel_logout_supported", "backchannel_logout_session_supported"}
FRONT = {"frontchannel_logout_supported", "frontchannel_logout_session_supported"}


def claims(client, **changes):
    says = {"subject": "ada", "sid": "s-1", "jti": "j-1"} | changes
    return logout_claims(ISSUER, client, **says)


@pytest.mark.spec("OIDCBCL-2.4", "LO-6")
def test_it_says_whose_session_ended_and_nothing_of_the_person(web):
    now = int(clock.now())
    says = dict(claims(web))

    assert now <= says.pop("iat") <= now + 1
    assert now + 120 <= says.pop("exp") <= now + 121
    assert says == {
        "iss": ISSUER,
        "aud": web.client_id,
        "sub": "ada",
        "sid": "s-1",
        "jti": "j-1",
        "events": {EVENT: {}},
    }


@pytest.mark.spec("OIDCBCL-2.4", "LO-6")
@pytest.mark.parametrize("alg", ["RS256", "ES256", "PS256", "EdDSA"])
async def test_it_is_signed_like_an_id_token_and_never_taken_for_one(world, web, generated, alg):
    key = generated[alg]
    token = await load_signing_key(key.kid, key.alg, key.pkcs8_der).issue(
        LOGOUT_TOKEN_TYPE, claims(web)
    )

    assert pyjwt.get_unverified_header(token) == {
        "alg": alg,
        "typ": "logout+jwt",
        "kid": key.kid,
    }
    says = pyjwt.decode(
        token, pyjwt.PyJWK(key.public_jwk, alg), algorithms=[alg], audience=web.client_id
    )
    assert says["events"] == {EVENT: {}}
    assert "nonce" not in says
    browser = world.signed_in()
    answer = await browser.go("/oauth2/logout", {"id_token_hint": token})
    assert answer.status == 400
    assert world.host.people.sessions


@pytest.mark.spec("OIDCBCL-2.2", "OIDCFCL-3", "LO-6", "LO-10")
@pytest.mark.parametrize(
    ("features", "says"),
    [
        (Features(), BACK | FRONT),
        (Features(backchannel_logout=False), FRONT),
        (Features(frontchannel_logout=False), BACK),
        (Features(backchannel_logout=False, frontchannel_logout=False), set()),
    ],
    ids=["both", "front", "back", "neither"],
)
async def test_discovery_says_what_is_on(world, ring, features, says):
    world.provider = build(world.host, ring, features=features)

    metadata = (await call(world.provider, "GET", "/.well-known/openid-configuration")).json

    assert {name for name in metadata if "channel_logout" in name} == says
    assert all(metadata[name] is True for name in says)


@pytest.mark.spec("OIDCBCL-2.1", "OIDCFCL-3", "LO-6", "LO-10")
@pytest.mark.parametrize(
    ("registered", "is_told"),
    [
        ({}, False),
        ({"backchannel_logout_uri": "https://app.example/out"}, True),
        ({"frontchannel_logout_uri": "https://app.example/out"}, True),
    ],
    ids=["neither", "back", "front"],
)
async def test_an_id_token_names_the_session_to_those_who_will_hear_of_its_end(
    world, registered, is_told
):
    client = world.client("told", **registered)
    browser = world.signed_in()
    session = world.host.people.sessions[browser.cookies["session"]]

    token = (await world.tokens(client, browser))["id_token"]

    sid = pyjwt.decode(token, options={"verify_signature": False}).get("sid")
    assert sid == (session.sid if is_told else None)


@pytest.mark.spec("OIDCFCL-2", "LO-10")
async def test_frames_come_before_the_way_back(world, web):
    browser = world.signed_in()
    hint = (await world.tokens(web, browser))["id_token"]
    frame = f"https://other.example/out?iss={uuid4()}"
    world.host.people.frames = (frame,)

    answer = await browser.go(
        "/oauth2/logout",
        {"id_token_hint": hint, "post_logout_redirect_uri": "https://app.example/bye"},
    )

    assert answer.status == 200
    assert "location" not in answer.headers
    assert not world.host.people.sessions
