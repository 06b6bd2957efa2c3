"""How often a request goes to its host: the budget of architecture.md 3, for successes."""

import pytest


async def test_authorize_with_a_live_session(world, web):
    _, trips = await world.trips_of(world.signed_in().authorize(web))

    assert trips == {"visit": 1, "issue_code": 1}


async def test_authorize_through_sign_in(world, web):
    browser = world.browser()
    asked, trips = await world.trips_of(browser.authorize(web))
    assert trips == {"visit": 1, "ask": 1}
    browser.cookies["session"] = world.host.people.prove(world.txn(asked), world.ada)

    _, trips = await world.trips_of(browser.resume(world.txn(asked)))

    assert trips == {"resume": 1, "issue_code": 1}


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
async def test_code_refresh_userinfo_introspection_and_client_credentials(world, token_format):
    client = world.client(access_token_format=token_format)
    code = await world.code(client, scope="openid offline_access")
    find = {"jwt": "find_issue", "opaque": "find_access_token"}[token_format]

    redeemed, trips = await world.trips_of(world.redeem(client, code))
    assert trips == {"read_code": 1, "redeem_code": 1}
    refreshed, trips = await world.trips_of(world.refresh(client, redeemed.json["refresh_token"]))
    assert trips == {"read_refresh": 1, "advance_refresh": 1}
    token = refreshed.json["access_token"]
    for act in (world.userinfo(token), world.introspect(client, token)):
        _, trips = await world.trips_of(act)
        assert trips == {find: 1}
    _, trips = await world.trips_of(world.token(client, grant_type="client_credentials"))
    assert trips == {"issue_to_client": 1}


async def test_a_refresh_that_does_not_rotate(world):
    client = world.client(rotate_refresh_tokens=False)
    token = (await world.tokens(client, scope="openid offline_access"))["refresh_token"]

    _, trips = await world.trips_of(world.refresh(client, token))

    assert trips == {"read_refresh": 1, "touch_refresh": 1}


async def test_documents_and_forgeries_take_none(world, web):
    for act in (
        world.browser().go("/.well-known/openid-configuration"),
        world.browser().go("/oauth2/jwks"),
        world.userinfo("a.b.c"),
        world.introspect(web, "a.b.c"),
        world.browser().authorize(web, redirect_uri="https://evil.example"),
    ):
        _, trips = await world.trips_of(act)
        assert trips == {}
