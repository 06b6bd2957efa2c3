"""What a client without a secret makes us keep or fetch is counted by its address."""

import pytest
from oidc_world import CALLBACK, CHALLENGE

from insula.oidc.memory.clients import MAX_BURST

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
REQUEST = {
    "response_type": "code",
    "redirect_uri": CALLBACK,
    "scope": "openid",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


async def last(world, client, path, params, status):
    for _ in range(MAX_BURST):
        assert (await world.post(path, client, params)).status == status
    return await world.post(path, client, params)


def is_told_to_wait(answer):
    assert (answer.status, answer.json["error"]) == (429, "slow_down")
    assert int(answer.headers["retry-after"]) > 0
    return True


@pytest.mark.spec("PAR-2.3", "PA-4")
async def test_a_stranger_cannot_push_without_end(world, spa):
    assert is_told_to_wait(await last(world, spa, "/oauth2/par", REQUEST, 201))


@pytest.mark.spec("PAR-2.3", "PA-4")
async def test_who_has_a_secret_may(world, web):
    assert (await last(world, web, "/oauth2/par", REQUEST, 201)).status == 201


@pytest.mark.spec("RFC8628-5.1", "DV-4")
async def test_nor_begin_devices_without_end(world):
    screen = world.public("screen", grant_types=frozenset({DEVICE}))

    assert is_told_to_wait(await last(world, screen, "/oauth2/device", {"scope": "openid"}, 200))


@pytest.mark.spec("JAR-10.4", "JR-2")
async def test_nor_make_us_fetch_without_end(world):
    address = "https://app.example/request.jwt"
    web = world.client(request_uris=frozenset({address}))
    browser = world.browser()
    for _ in range(MAX_BURST):
        assert (await browser.authorize(web, request_uri=address)).status == 400

    answer = await browser.authorize(web, request_uri=address)

    assert answer.status == 429
    assert world.host.wire.trips["fetch"] == MAX_BURST
