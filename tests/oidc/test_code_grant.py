"""The authorization code grant: once, by its client, with all it is bound to (TK-4 to TK-7)."""

import asyncio
from dataclasses import replace

import pytest
from oidc_world import CALLBACK

from insula.oidc.models import Caller


def is_refused(answer, error="invalid_grant"):
    assert (answer.status, answer.json["error"]) == (400, error), answer.text
    return True


@pytest.mark.spec("RFC6749-4.1.2", "TK-4", "TK-6")
async def test_a_code_is_used_once_and_a_second_use_ends_all_that_came_of_it(world, web):
    code = await world.code(web, scope="openid offline_access")
    first = (await world.redeem(web, code)).json

    assert is_refused(await world.redeem(web, code))
    assert (await world.userinfo(first["access_token"])).status == 401
    assert (await world.introspect(web, first["access_token"])).json == {"active": False}
    assert (await world.introspect(web, first["refresh_token"])).json == {"active": False}
    assert is_refused(await world.refresh(web, first["refresh_token"]))


@pytest.mark.spec("RFC6749-10.5", "RFC9700-4.5", "TK-4")
async def test_of_a_hundred_redemptions_at_once_one_wins_and_its_family_ends(world, web):
    code = await world.code(web, scope="openid offline_access")

    answers = await asyncio.gather(*(world.redeem(web, code) for _ in range(100)))

    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1
    assert all(is_refused(answer) for answer in answers if answer.status != 200)
    assert is_refused(await world.refresh(web, won[0].json["refresh_token"]))
    assert (await world.userinfo(won[0].json["access_token"])).status == 401


@pytest.mark.spec("RFC6749-4.1.3", "TK-7")
async def test_the_code_of_another_client_is_unknown_and_stays_usable(world, web):
    other = world.client("other")
    code = await world.code(web)

    stolen = await world.redeem(other, code)
    unknown = await world.redeem(other, "ins_ac_unknown")
    owner = await world.redeem(web, code)

    assert is_refused(stolen)
    assert stolen.body == unknown.body
    assert owner.status == 200


@pytest.mark.spec("RFC6749-4.1.2", "AZ-8")
@pytest.mark.parametrize(("seconds", "status"), [(58, 200), (61, 400)])
async def test_a_code_lives_a_minute(world, web, later, seconds, status):
    code = await world.code(web)
    later(seconds)

    assert (await world.redeem(web, code)).status == status


@pytest.mark.spec("RFC6749-4.1.3")
@pytest.mark.parametrize("altered", [lambda c: c[:-1], lambda c: c + "A", str.upper, str.swapcase])
async def test_an_altered_code_is_no_code(world, web, altered):
    code = await world.code(web)

    assert is_refused(await world.redeem(web, altered(code)))
    assert (await world.redeem(web, code)).status == 200


@pytest.mark.spec("RFC6749-4.1.3", "TK-5")
@pytest.mark.parametrize("uri", ["https://app.example/other", CALLBACK + "/", CALLBACK.upper()])
async def test_the_redirect_uri_must_be_the_one_of_the_request(world, uri):
    client = world.client(redirect_uris=(CALLBACK, "https://app.example/other"))
    code = await world.code(client)

    assert is_refused(await world.redeem(client, code, redirect_uri=uri))
    assert is_refused(await world.redeem(client, code))


@pytest.mark.spec("RFC6749-4.1.3", "OAUTH21", "TK-5")
@pytest.mark.parametrize(("profile", "status"), [("oauth21", 200), ("standard", 400)])
async def test_whether_the_redirect_uri_is_repeated_is_a_matter_of_profile(world, profile, status):
    client = world.client(profile=profile)
    code = await world.code(client)

    answer = await world.redeem(client, code, redirect_uri=None)

    assert answer.status == status
    if status == 400:
        assert is_refused(answer, "invalid_request")
        assert (await world.redeem(client, code)).status == 200


async def test_a_code_without_challenge_needs_its_redirect_uri_in_every_profile(world):
    client = world.client(profile="standard")
    without = ("code_challenge", "code_challenge_method")
    code = (await world.signed_in().authorize(client, without=without)).code
    client = world.change(client, profile="oauth21")

    answer = await world.redeem(client, code, redirect_uri=None, code_verifier=None)

    assert is_refused(answer, "invalid_request")
    assert (await world.redeem(client, code, code_verifier=None)).status == 200


async def test_a_scope_at_the_token_endpoint_changes_nothing(world, web):
    answer = await world.redeem(web, await world.code(web), scope="openid email")

    assert answer.json["scope"] == "openid"


@pytest.mark.spec("TK-15")
@pytest.mark.parametrize("ended", ["session", "person", "client"])
async def test_what_ended_meanwhile_gets_no_tokens(world, web, ended):
    code = await world.code(web)
    host = world.host
    if ended == "session":
        host.people.sessions.clear()
    elif ended == "person":
        host.people.persons.clear()
    else:
        del host.clients.active[web.client_id]

    answer = await world.redeem(web, code)

    assert answer.status == (401 if ended == "client" else 400)
    assert "access_token" not in answer.json


@pytest.mark.parametrize("ended", ["session", "spent", "expired"])
async def test_what_ends_while_the_tokens_are_signed_gets_none(
    world, web, monkeypatch, later, ended
):
    code = await world.code(web)
    read = world.host.tokens.read_code

    async def read_then_end(code, client):
        stored = await read(code, client)
        if ended == "session":
            world.host.people.sessions.clear()
        elif ended == "spent":
            world.host.tokens.codes[code].is_consumed = True
        else:
            later(61)
        return stored

    monkeypatch.setattr(world.host.tokens, "read_code", read_then_end)

    assert is_refused(await world.redeem(web, code))
    assert world.host.tokens.codes[code].is_consumed


@pytest.mark.spec("RFC6749-6", "OIDCC-11")
@pytest.mark.parametrize(
    ("change", "scope", "is_given"),
    [
        ({}, "openid", False),
        ({}, "openid offline_access", True),
        ({"refresh_without_offline_access": True}, "openid", True),
        (
            {
                "refresh_without_offline_access": True,
                "grant_types": frozenset({"authorization_code"}),
            },
            "openid",
            False,
        ),
    ],
)
async def test_who_gets_a_refresh_token(world, change, scope, is_given):
    client = world.client(**change)

    assert ("refresh_token" in await world.tokens(client, scope=scope)) == is_given


@pytest.mark.spec("OIDCBCL-2.7")
@pytest.mark.parametrize(("scope", "survives"), [("openid offline_access", 200), ("openid", 400)])
async def test_what_was_not_meant_for_offline_ends_with_the_session(world, scope, survives):
    client = world.client(refresh_without_offline_access=True)
    tokens = await world.tokens(client, scope=scope)
    world.host.people.sessions.clear()

    assert (await world.refresh(client, tokens["refresh_token"])).status == survives


@pytest.mark.spec("RFC9700-4.14")
async def test_a_code_is_no_refresh_token_and_no_access_token(world, web):
    code = await world.code(web)
    tokens = await world.tokens(web, scope="openid offline_access")

    assert is_refused(await world.refresh(web, code))
    assert is_refused(await world.redeem(web, tokens["refresh_token"]))
    assert is_refused(await world.refresh(web, tokens["access_token"]))
    assert (await world.userinfo(code)).status == 401
    assert (await world.userinfo(tokens["refresh_token"])).status == 401


async def test_the_second_client_of_one_person_has_a_family_of_its_own(world, web):
    other = world.client("other")
    mine = await world.tokens(web, scope="openid offline_access")
    theirs = await world.tokens(other, scope="openid offline_access")

    await world.revoke(web, mine["refresh_token"])

    assert (await world.refresh(other, theirs["refresh_token"])).status == 200
    assert is_refused(await world.refresh(replace(other), mine["refresh_token"]))


@pytest.mark.spec("RFC6749-4.1.3")
async def test_a_refusal_of_another_client_burns_nothing(world, web):
    code = await world.code(web)

    await world.host.tokens.refuse_code(code, world.client("other"), Caller("", "", ""))

    assert (await world.redeem(web, code)).status == 200
