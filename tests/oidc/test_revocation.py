"""The revocation endpoint, RFC 7009 (RV-1 to RV-4)."""

import pytest
from oidc_world import basic

OFFLINE = {"scope": "openid offline_access"}


def is_done(answer):
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"
    return True


async def is_alive(world, client, token):
    return (await world.introspect(client, token)).json["active"]


@pytest.mark.spec("RFC7009-2.1", "RV-3", "RV-4")
@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
async def test_an_access_token_is_revoked_alone(world, token_format):
    client = world.client(access_token_format=token_format)
    tokens = await world.tokens(client, **OFFLINE)

    assert is_done(await world.revoke(client, tokens["access_token"]))

    assert not await is_alive(world, client, tokens["access_token"])
    assert (await world.userinfo(tokens["access_token"])).status == 401
    assert await is_alive(world, client, tokens["refresh_token"])


@pytest.mark.spec("RFC7009-2.1", "RV-3")
async def test_a_refresh_token_takes_its_family_along(world, web):
    tokens = await world.tokens(web, **OFFLINE)

    assert is_done(await world.revoke(web, tokens["refresh_token"]))

    assert not await is_alive(world, web, tokens["access_token"])
    assert (await world.refresh(web, tokens["refresh_token"])).status == 400


@pytest.mark.spec("RFC7009-2.2", "RV-2")
async def test_what_is_unknown_or_gone_is_revoked_already(world, web):
    tokens = await world.tokens(web, **OFFLINE)
    unknown = ["garbage", "a.b.c", "ins_rt_x", "ins_at_x", tokens["id_token"]]

    for token in [*unknown, tokens["refresh_token"], tokens["refresh_token"]]:
        assert is_done(await world.revoke(web, token))


@pytest.mark.spec("RFC7009-2.1", "RFC7009-2.2", "RV-2")
@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
async def test_the_tokens_of_others_stay_alive(world, token_format):
    owner = world.client("owner", access_token_format=token_format)
    other = world.client("other")
    tokens = await world.tokens(owner, **OFFLINE)

    for name in ("access_token", "refresh_token"):
        assert is_done(await world.revoke(other, tokens[name]))
        assert await is_alive(world, owner, tokens[name])


@pytest.mark.spec("RFC7009-2.1", "RV-1")
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "banana"])
async def test_a_hint_is_only_a_hint(world, web, hint):
    for name in ("access_token", "refresh_token"):
        tokens = await world.tokens(web, **OFFLINE)
        await world.revoke(web, tokens[name], token_type_hint=hint)
        assert not await is_alive(world, web, tokens[name])


@pytest.mark.spec("RFC7009-5")
async def test_a_public_client_revokes_its_own(world, spa):
    tokens = await world.tokens(spa, **OFFLINE)

    assert is_done(await world.revoke(spa, tokens["refresh_token"]))
    assert (await world.refresh(spa, tokens["refresh_token"])).status == 400


@pytest.mark.spec("RFC7009-2.1")
async def test_who_does_not_prove_to_be_the_client_revokes_nothing(world, web):
    token = (await world.tokens(web))["access_token"]

    for headers in ([], [basic("web", "wrong")]):
        answer = await world.post("/oauth2/revoke", web, {"token": token}, headers=headers)
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    assert await is_alive(world, web, token)


async def test_a_token_is_needed(world, web):
    answer = await world.post("/oauth2/revoke", web, {})

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
