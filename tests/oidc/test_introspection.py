"""The introspection endpoint, RFC 7662 (IN-1 to IN-3)."""

import pytest
from oidc_world import ISSUER, basic

INACTIVE = b'{"active":false}'


@pytest.mark.spec("RFC7662-2.2")
@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
async def test_the_owner_is_told_about_an_access_token(world, token_format):
    client = world.client(access_token_format=token_format)
    tokens = await world.tokens(client, scope="openid email")

    answer = await world.introspect(client, tokens["access_token"])
    said = answer.json

    assert answer.headers["cache-control"] == "no-store"
    assert said.pop("exp") - said.pop("iat") == tokens["expires_in"]
    assert said.pop("auth_time") > 0
    assert bool(said.pop("jti", "")) == (token_format == "jwt")
    assert said == {
        "active": True,
        "scope": "openid email",
        "client_id": "web",
        "token_type": "Bearer",
        "sub": str(world.ada.user_id),
        "aud": ISSUER,
        "iss": ISSUER,
        "acr": "urn:1",
    }


@pytest.mark.spec("RFC7662-2.2")
async def test_the_owner_is_told_about_a_refresh_token(world, web):
    tokens = await world.tokens(web, scope="openid offline_access")

    said = (await world.introspect(web, tokens["refresh_token"])).json

    assert said["active"]
    assert said["scope"] == "openid offline_access"
    assert said["sub"] == str(world.ada.user_id)
    assert "token_type" not in said
    assert said["exp"] - said["iat"] == 14 * 86400


@pytest.mark.spec("RFC7662-2.2", "RFC7662-4")
async def test_whatever_else_is_asked_the_answer_is_the_same(world, web, later):
    other = world.client("other")
    expired = await world.tokens(web, scope="openid offline_access")
    later(616)
    tokens = await world.tokens(web, scope="openid offline_access")
    revoked = await world.tokens(web)
    await world.revoke(web, revoked["access_token"])
    rotated = (await world.tokens(web, scope="openid offline_access"))["refresh_token"]
    await world.refresh(web, rotated)

    asked = [
        (web, "garbage"),
        (web, "a.b.c"),
        (web, "ins_rt_unknown"),
        (web, "ins_at_unknown"),
        (web, tokens["id_token"]),
        (web, tokens["access_token"] + "A"),
        (web, expired["access_token"]),
        (web, revoked["access_token"]),
        (web, rotated),
        (other, tokens["access_token"]),
        (other, tokens["refresh_token"]),
    ]
    for client, token in asked:
        answer = await world.introspect(client, token)
        assert (answer.status, answer.body) == (200, INACTIVE), token


@pytest.mark.spec("RFC7662-2.1")
async def test_a_permitted_client_is_told_about_others_access_tokens(world, web):
    api = world.client("api", introspects_others=True)
    tokens = await world.tokens(web, scope="openid offline_access")

    access = (await world.introspect(api, tokens["access_token"])).json
    refresh = await world.introspect(api, tokens["refresh_token"])

    assert (access["active"], access["client_id"]) == (True, "web")
    assert refresh.body == INACTIVE


@pytest.mark.spec("RFC7662-2.1")
async def test_who_does_not_prove_to_be_a_client_is_told_nothing(world, web, spa):
    token = (await world.tokens(web))["access_token"]
    params = {"token": token}

    answers = [
        await world.post("/oauth2/introspect", spa, params),
        await world.post("/oauth2/introspect", web, params, headers=[]),
        await world.post("/oauth2/introspect", web, params, headers=[basic("web", "wrong")]),
    ]

    for answer in answers:
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.spec("RFC7662-2.1")
async def test_a_token_is_needed(world, web):
    answer = await world.post("/oauth2/introspect", web, {"token_type_hint": "access_token"})

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "banana"])
async def test_a_hint_is_only_a_hint(world, web, hint):
    tokens = await world.tokens(web, scope="openid offline_access")

    for name in ("access_token", "refresh_token"):
        params = {"token": tokens[name], "token_type_hint": hint}
        assert (await world.post("/oauth2/introspect", web, params)).json["active"]
