"""Refresh tokens: rotation, the grace for a lost answer, and reuse (RT-1 to RT-9)."""

import asyncio
import re

import jwt
import pytest

OFFLINE = {"scope": "openid profile offline_access"}
OPTIONS = {"verify_signature": False}


def is_refused(answer, error="invalid_grant"):
    assert (answer.status, answer.json["error"]) == (400, error), answer.text
    return True


async def family(world, client):
    return (await world.tokens(client, **OFFLINE))["refresh_token"]


@pytest.mark.spec("RFC6749-6", "RFC9700-4.14.2", "RT-4")
async def test_a_refresh_token_is_succeeded_at_each_use(world, web):
    first = await world.tokens(web, **OFFLINE)

    second = (await world.refresh(web, first["refresh_token"])).json
    third = (await world.refresh(web, second["refresh_token"])).json

    assert len({t["refresh_token"] for t in (first, second, third)}) == 3
    assert len({t["access_token"] for t in (first, second, third)}) == 3
    assert third["scope"] == "openid profile offline_access"
    assert (await world.userinfo(third["access_token"])).json["name"] == "Ada Lovelace"


@pytest.mark.spec("RFC9700-4.14.2", "RT-6")
async def test_a_lost_answer_is_given_again_and_never_another(world, web):
    token = await family(world, web)

    first = await world.refresh(web, token)
    again = await world.refresh(web, token)

    assert again.status == 200
    assert again.body == first.body
    assert (await world.refresh(web, first.json["refresh_token"])).status == 200


@pytest.mark.spec("RFC9700-4.14.2", "RT-5")
@pytest.mark.parametrize("why", ["the grace is over", "the successor was used", "no grace"])
async def test_reuse_ends_the_family(world, later, why):
    client = world.client(refresh_grace=0 if why == "no grace" else 10)
    token = await family(world, client)
    newest = (await world.refresh(client, token)).json
    if why == "the grace is over":
        later(11)
    if why == "the successor was used":
        newest = (await world.refresh(client, newest["refresh_token"])).json

    assert is_refused(await world.refresh(client, token))
    assert is_refused(await world.refresh(client, newest["refresh_token"]))
    assert (await world.userinfo(newest["access_token"])).status == 401
    assert is_refused(await world.refresh(client, token))


@pytest.mark.spec("RFC9700-4.14")
async def test_of_fifty_refreshes_at_once_one_lineage_lives(world, web):
    token = await family(world, web)

    answers = await asyncio.gather(*(world.refresh(web, token) for _ in range(50)))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    successor = answers[0].json["refresh_token"]
    assert (await world.refresh(web, successor)).status == 200


@pytest.mark.spec("RFC9700-4.14")
async def test_of_fifty_refreshes_at_once_without_grace_none_lives_twice(world):
    client = world.client(refresh_grace=0)
    token = await family(world, client)

    answers = await asyncio.gather(*(world.refresh(client, token) for _ in range(50)))

    won = [answer for answer in answers if answer.status == 200]
    assert len(won) == 1
    assert is_refused(await world.refresh(client, won[0].json["refresh_token"]))


async def test_a_family_that_ends_while_it_is_used_gives_nothing(world, web, monkeypatch):
    fixed = world.client("fixed", rotate_refresh_tokens=False)
    read = world.host.tokens.read_refresh

    async def read_then_end(token, client):
        stored = await read(token, client)
        world.host.tokens.issues[stored.family_id].is_revoked = True
        return stored

    for client in (web, fixed):
        token = await family(world, client)
        with monkeypatch.context() as patch:
            patch.setattr(world.host.tokens, "read_refresh", read_then_end)
            assert is_refused(await world.refresh(client, token))


@pytest.mark.spec("RFC6749-6")
async def test_the_refresh_token_of_another_client_is_unknown_and_harmed_by_nothing(world, web):
    other = world.client("other")
    token = await family(world, web)

    stolen = await world.refresh(other, token)
    unknown = await world.refresh(other, "ins_rt_unknown")

    assert is_refused(stolen)
    assert stolen.body == unknown.body
    assert (await world.refresh(web, token)).status == 200


@pytest.mark.spec("RFC6749-6")
async def test_the_lost_answer_is_not_given_to_another_client(world, web):
    other = world.client("other")
    token = await family(world, web)
    await world.refresh(web, token)

    assert is_refused(await world.refresh(other, token))
    assert (await world.refresh(web, token)).status == 200


@pytest.mark.spec("RFC6749-6")
async def test_the_scope_may_narrow_for_once_and_never_widen(world, web):
    token = await family(world, web)

    narrow = (await world.refresh(web, token, scope="openid")).json
    whole = (await world.refresh(web, narrow["refresh_token"])).json
    wider = await world.refresh(web, whole["refresh_token"], scope="openid email")
    unknown = await world.refresh(web, whole["refresh_token"], scope="openid banana")

    assert narrow["scope"] == "openid"
    assert set((await world.userinfo(narrow["access_token"])).json) == {"sub"}
    assert whole["scope"] == "openid profile offline_access"
    assert is_refused(wider, "invalid_scope")
    assert is_refused(unknown, "invalid_scope")
    assert (await world.refresh(web, whole["refresh_token"])).status == 200


@pytest.mark.spec("OIDCC-12.2")
async def test_the_id_token_of_a_refresh_agrees_with_the_first(world, later):
    client = world.client(require_auth_time=True)
    first = await world.tokens(client, **OFFLINE)
    later(100)

    second = (await world.refresh(client, first["refresh_token"])).json
    old, new = (jwt.decode(t["id_token"], options=OPTIONS) for t in (first, second))

    for name in ("iss", "sub", "aud", "auth_time", "acr", "amr"):
        assert new[name] == old[name]
    assert new["iat"] >= old["iat"] + 100
    assert "nonce" not in new


@pytest.mark.parametrize(
    ("change", "scope"), [({"id_token_on_refresh": False}, None), ({}, "profile")]
)
async def test_no_id_token_when_none_is_wanted(world, change, scope):
    client = world.client(**change)

    answer = await world.refresh(client, await family(world, client), scope=scope)

    assert answer.status == 200
    assert "id_token" not in answer.json


@pytest.mark.spec("RFC9700-4.14.2")
async def test_a_confidential_client_may_keep_its_token(world, later):
    client = world.client(rotate_refresh_tokens=False)
    token = await family(world, client)
    later(10 * 86400)

    for _ in range(2):
        answer = await world.refresh(client, token)
        assert answer.status == 200
        assert "refresh_token" not in answer.json
    later(10 * 86400)
    assert (await world.refresh(client, token)).status == 200


@pytest.mark.spec("RFC9700-4.14.2", "RT-4")
async def test_a_public_client_may_not(world):
    client = world.public(rotate_refresh_tokens=False)
    token = await family(world, client)

    assert (await world.refresh(client, token)).json["refresh_token"] != token


@pytest.mark.parametrize("method", ["ES256", "RS256"])
async def test_opaque_access_tokens_are_refreshed_too(world, method):
    for rotates in (True, False):
        client = world.client(
            f"c{rotates}",
            access_token_format="opaque",  # noqa: S106
            id_token_signed_response_alg=method,
            rotate_refresh_tokens=rotates,
        )

        answer = await world.refresh(client, await family(world, client))

        assert answer.json["access_token"].startswith("ins_at_")
        assert answer.json["expires_in"] == 3600
        assert (await world.userinfo(answer.json["access_token"])).status == 200


@pytest.mark.spec("RT-7")
async def test_an_unused_token_dies_after_a_fortnight(world, web, later):
    token = await family(world, web)
    later(14 * 86400 + 1)

    assert is_refused(await world.refresh(web, token))
    assert (await world.introspect(web, token)).json == {"active": False}


@pytest.mark.spec("RT-7")
async def test_rotation_never_extends_the_absolute_life(world, web, later):
    token = await family(world, web)
    for _ in range(8):
        later(11 * 86400)
        token = (await world.refresh(web, token)).json["refresh_token"]
    later(3 * 86400)

    assert is_refused(await world.refresh(web, token))


@pytest.mark.parametrize("ended", ["person", "client"])
async def test_it_dies_with_the_person_and_the_client(world, web, ended):
    token = await family(world, web)
    (world.host.people.persons if ended == "person" else world.host.clients.active).clear()

    answer = await world.refresh(web, token)

    assert answer.status == (401 if ended == "client" else 400)
    assert "access_token" not in answer.json


async def test_a_lost_answer_is_not_repeated_to_the_dead(world, web):
    token = await family(world, web)
    await world.refresh(web, token)
    world.host.people.persons.clear()

    assert is_refused(await world.refresh(web, token))


@pytest.mark.spec("RFC6749-A.17")
async def test_its_characters_are_those_that_may_travel(world, web):
    assert re.fullmatch(r"ins_rt_[A-Za-z0-9_-]{43}", await family(world, web))


@pytest.mark.parametrize("altered", [lambda t: t[:-1], lambda t: t + "A", str.upper])
async def test_an_altered_token_is_none(world, web, altered):
    token = await family(world, web)

    assert is_refused(await world.refresh(web, altered(token)))
    assert (await world.refresh(web, token)).status == 200
