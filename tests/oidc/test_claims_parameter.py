"""Claims asked for by name, OIDCC-5.5 (OC-8, OC-13, OC-14)."""

import json

import jwt
import pytest
from test_authorize_errors import is_told

OPTIONS = {"verify_signature": False}


def asking(**places):
    return json.dumps(places)


async def said(world, client, browser=None, **changes):
    """What the id_token and userinfo say."""
    tokens = await world.tokens(client, browser, **changes)
    userinfo = (await world.userinfo(tokens["access_token"])).json
    return jwt.decode(tokens["id_token"], options=OPTIONS), userinfo


@pytest.mark.spec("OIDCC-5.5", "OIDCC-5.4")
async def test_a_claim_is_released_where_it_was_asked_for(world, web):
    claims = asking(userinfo={"name": {"essential": True}}, id_token={"email": None})

    id_token, userinfo = await said(world, web, claims=claims)

    assert userinfo == {"sub": str(world.ada.user_id), "name": "Ada Lovelace"}
    assert id_token["email"] == "ada@acme.example"
    assert "name" not in id_token


@pytest.mark.spec("OIDCC-5.5.1", "OC-14", "UI-7")
async def test_claims_that_nobody_has_or_knows_are_no_error(world, web):
    claims = asking(
        userinfo={"nickname": {"essential": True}, "shoe_size": None, "phone_number": None},
        id_token={"name#de": None},
        other={"x": 1},
    )

    _, userinfo = await said(world, web, claims=claims)

    assert set(userinfo) == {"sub", "phone_number"}


async def test_a_client_gets_nothing_by_name_that_it_may_not_get_by_scope(world):
    client = world.client(scopes=frozenset({"openid"}))

    _, userinfo = await said(world, client, claims=asking(userinfo={"email": None}))

    assert set(userinfo) == {"sub"}


@pytest.mark.spec("OIDCC-3.1.2.4")
async def test_the_person_is_asked_for_what_is_shared_by_name(world):
    client = world.client(consent="ask")
    browser = world.signed_in()
    asked = await browser.authorize(client, claims=asking(userinfo={"email": None, "name": None}))
    txn, ask = world.txn(asked), world.asked(asked)
    world.host.people.allow(txn, browser.cookies["session"])

    answer = await browser.resume(txn)
    tokens = (await world.redeem(client, answer.code)).json
    userinfo = (await world.userinfo(tokens["access_token"])).json

    assert ask.scopes == ("openid", "profile", "email")
    assert tokens["scope"] == "openid"
    assert set(userinfo) == {"sub", "name", "email"}


async def test_a_scope_that_was_asked_for_covers_its_claims(world, web):
    id_token, userinfo = await said(
        world, web, scope="openid email", claims=asking(id_token={"email_verified": None})
    )

    assert id_token["email_verified"] is True
    assert set(userinfo) == {"sub", "email", "email_verified"}


@pytest.mark.spec("OIDCC-5.5")
@pytest.mark.parametrize(
    "claims",
    [
        "{",
        "[]",
        "null",
        '"userinfo"',
        "1" * 5000,
        '{"userinfo": []}',
        '{"id_token": null}',
        '{"userinfo": {"name": true}}',
        '{"userinfo": {"name": "x"}}',
        '{"userinfo":' + "[" * 4000,
    ],
)
async def test_claims_that_are_no_such_object_are_refused(world, web, claims):
    assert is_told(await world.signed_in().authorize(web, claims=claims), "invalid_request")


@pytest.mark.spec("OIDCC-5.5.1")
@pytest.mark.parametrize("place", ["userinfo", "id_token"])
async def test_a_named_person_must_be_the_one_who_is_here(world, web, place):
    sub = str(world.ada.user_id)
    right = [{"value": sub}, {"values": ["x", sub]}, {"essential": True}, None]
    wrong = [{"value": "x"}, {"values": ["x"]}]

    for wish in right:
        answer = await world.signed_in().authorize(web, claims=asking(**{place: {"sub": wish}}))
        assert "code" in answer.fields
    for wish in wrong:
        for prompt in ("", "none"):
            answer = await world.signed_in().authorize(
                web, prompt=prompt, claims=asking(**{place: {"sub": wish}})
            )
            assert is_told(answer, "login_required")


@pytest.mark.spec("OIDCC-5.5.1.1")
@pytest.mark.parametrize(
    ("acr", "is_reached"),
    [
        ({"essential": True, "values": ["urn:1", "urn:2"]}, True),
        ({"essential": True, "value": "urn:2"}, False),
        ({"essential": True, "values": ["urn:2"]}, False),
        ({"values": ["urn:2"]}, True),
        ({"essential": True}, True),
        ({"essential": True, "values": "urn:2"}, True),
        (None, True),
    ],
)
async def test_only_an_essential_level_must_be_reached(world, web, acr, is_reached):
    answer = await world.signed_in().authorize(web, claims=asking(id_token={"acr": acr}))

    if is_reached:
        assert "code" in answer.fields
    else:
        assert is_told(answer, "unmet_authentication_requirements")


@pytest.mark.spec("OIDCC-5.5.1")
async def test_auth_time_may_be_asked_for_by_name(world, web):
    id_token, _ = await said(world, web, claims=asking(id_token={"auth_time": None}))

    assert id_token["auth_time"] <= id_token["iat"]
