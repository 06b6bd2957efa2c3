"""A fresher or stronger sign-in, where an API wants one: RFC 9470 (SU-1 to SU-3)."""

import re
from dataclasses import replace

import pytest
from apis import APIS, DESK, REPORTS, USES_APIS, payload, reissue
from test_authorize_errors import is_told


@pytest.fixture
def serve(world, ring):
    """Let the API whose tokens userinfo takes want more of a sign-in."""

    def serve(**wants):
        return reissue(world, ring, resources={**APIS, DESK: replace(APIS[DESK], **wants)})

    return serve


def challenge(answer):
    """What the challenge says, by name."""
    assert (answer.status, answer.json["error"]) == (401, "insufficient_user_authentication")
    assert answer.headers["cache-control"] == "no-store"
    scheme, _, rest = answer.headers["www-authenticate"].partition(" ")
    said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    assert (scheme, said["error"]) == ("Bearer", "insufficient_user_authentication")
    return {name: said[name] for name in ("acr_values", "max_age") if name in said}


@pytest.mark.spec("RFC9470-3", "SU-1")
@pytest.mark.parametrize(
    ("wants", "said"),
    [
        ({"required_acr": "urn:2"}, {"acr_values": "urn:2"}),
        ({"max_age": 60}, {"max_age": "60"}),
        ({"max_age": 0}, {"max_age": "0"}),
        ({"required_acr": "urn:2", "max_age": 60}, {"acr_values": "urn:2", "max_age": "60"}),
    ],
)
async def test_userinfo_says_what_is_missing(serve, wants, said):
    world = serve(**wants)
    browser = world.signed_in(ago=61)
    tokens = await world.tokens(world.client(**USES_APIS), browser, resource=DESK)

    assert challenge(await world.userinfo(tokens["access_token"])) == said


@pytest.mark.spec("RFC9470-3", "SU-1")
async def test_what_is_enough_is_let_in(serve, later):
    world = serve(required_acr="urn:1", max_age=60)
    tokens = await world.tokens(world.client(**USES_APIS), resource=DESK)
    assert (await world.userinfo(tokens["access_token"])).status == 200

    later(62)

    said = challenge(await world.userinfo(tokens["access_token"]))
    assert said == {"acr_values": "urn:1", "max_age": "60"}


async def test_tokens_that_are_for_no_such_api_are_not_asked_for_more(serve):
    world = serve(required_acr="urn:2")
    tokens = await world.tokens(world.client(**USES_APIS), world.signed_in(ago=9999))

    assert (await world.userinfo(tokens["access_token"])).status == 200


@pytest.mark.spec("RFC9470-4", "OIDCC-3.1.2.1", "SU-2", "OC-6")
async def test_a_client_gets_there_by_asking_for_a_fresh_sign_in(serve):
    world = serve(max_age=60)
    client, browser = world.client(**USES_APIS), world.signed_in(ago=61)
    old = await world.tokens(client, browser, resource=DESK)
    said = challenge(await world.userinfo(old["access_token"]))

    asked = await browser.authorize(client, resource=DESK, max_age=said["max_age"])
    txn = world.txn(asked)
    assert world.asked(asked).fresh
    browser.cookies["session"] = world.host.people.prove(txn, world.ada)
    new = (await world.redeem(client, (await browser.resume(txn)).code)).json

    assert (await world.userinfo(new["access_token"])).status == 200


@pytest.mark.spec("RFC9470-4", "OIDCC-5.5.1.1", "SU-2", "OC-7", "OC-8")
async def test_a_level_is_a_wish_or_a_condition(world):
    client, browser = world.client(), world.signed_in()
    must = '{"id_token":{"acr":{"essential":true,"values":["urn:2","urn:3"]}}}'

    wish = await world.tokens(client, browser, acr_values="urn:2 urn:1")
    refused = await browser.authorize(client, claims=must)
    reached = await browser.authorize(client, claims=must.replace("urn:3", "urn:1"))

    assert payload(wish["id_token"])["acr"] == "urn:1"
    assert is_told(refused, "unmet_authentication_requirements")
    assert "code" in reached.fields


@pytest.mark.spec("RFC9470-6.1", "SU-3")
async def test_a_refresh_neither_raises_nor_renews(serve, later):
    world = serve(max_age=60)
    client, browser = world.client(**USES_APIS), world.signed_in()
    first = await world.tokens(
        client, browser, scope="openid offline_access desk:use", resource=DESK, max_age=100
    )
    later(61)

    second = (await world.refresh(client, first["refresh_token"])).json

    before, after = payload(first["access_token"]), payload(second["access_token"])
    assert (after["auth_time"], after["acr"]) == (before["auth_time"], before["acr"])
    assert payload(second["id_token"])["auth_time"] == before["auth_time"]
    said = (await world.introspect(client, second["access_token"])).json
    assert (said["auth_time"], said["acr"]) == (before["auth_time"], before["acr"])
    assert challenge(await world.userinfo(second["access_token"])) == {"max_age": "60"}


@pytest.mark.spec("RFC9068-2.2", "SU-3")
async def test_an_api_reads_level_and_time_from_its_token(world, ring):
    reissue(world, ring)
    browser = world.signed_in(ago=30)

    says = payload(
        (await world.tokens(world.client(**USES_APIS), browser, resource=REPORTS))["access_token"]
    )

    assert 29 <= says["iat"] - says["auth_time"] <= 32
    assert says["acr"] == "urn:1"
