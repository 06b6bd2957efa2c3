"""A client that is paused begins nothing new, and what it began or was given goes on (H02)."""

import pytest
from test_authorize_errors import is_page
from test_device_grant import GRANTS as OF_DEVICES
from test_device_grant import approved, begin, poll
from test_par import bring, push, reference_to

PAUSED = "unauthorized_client"


def is_refused(answer):
    assert (answer.status, answer.json["error"]) == (400, PAUSED), answer.text
    return True


def pause(world, client):
    return world.change(client, is_paused=True)


@pytest.mark.spec("features H02")
async def test_a_paused_client_begins_no_authorization(world, web):
    pushed = await reference_to(world, web)
    paused = pause(world, web)

    told = await world.signed_in().authorize(paused)
    assert (told.status, told.fields["error"]) == (303, PAUSED)
    assert told.fields["state"] == "xyz"
    assert (await world.signed_in().authorize(paused, prompt="none")).fields["error"] == PAUSED
    assert is_page(await world.browser().authorize(paused))  # nobody is signed in: AZ-11
    assert (await bring(world, paused, pushed)).fields["error"] == PAUSED
    assert is_refused(await push(world, paused))
    assert world.host.clients.noted["web", PAUSED] == 5

    world.change(paused, is_paused=False)
    assert "code" in (await world.signed_in().authorize(web)).fields


@pytest.mark.spec("features H02")
async def test_a_paused_client_begins_no_device_and_no_token_of_its_own(world):
    tv = pause(world, world.client("tv", grant_types=OF_DEVICES))
    machine = pause(world, world.client("machine"))

    assert is_refused(await begin(world, tv))
    assert is_refused(await world.token(machine, grant_type="client_credentials"))
    wrong = await world.post("/oauth2/par", tv, {}, headers=[])  # who it is comes first
    assert wrong.json["error"] == "invalid_client"


@pytest.mark.spec("features H02")
async def test_what_a_paused_client_began_or_was_given_goes_on(world, web):
    tv = world.client("tv", grant_types=OF_DEVICES)
    ada = world.host.people.sessions[world.host.people.sign_in(world.ada)]
    waiting, code = (
        await approved(world, tv, ada),
        await world.code(web, scope="openid offline_access"),
    )
    given = await world.tokens(web)
    pause(world, tv)
    paused = pause(world, web)

    assert (await poll(world, tv, waiting)).status == 200
    redeemed = await world.redeem(paused, code)
    assert redeemed.status == 200
    assert (await world.refresh(paused, redeemed.json["refresh_token"])).status == 200
    assert (await world.userinfo(given["access_token"])).status == 200
    assert (await world.introspect(paused, given["access_token"])).json["active"] is True
    assert (await world.revoke(paused, given["access_token"])).status == 200
