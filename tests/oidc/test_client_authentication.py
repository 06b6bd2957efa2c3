"""Who calls: RFC6749-2.3 (CA-1, CA-2, CA-6, CA-7, CA-10, CA-11)."""

import base64
from dataclasses import replace

import pytest
from oidc_world import SECRET, basic

from insula.oidc.memory import MAX_FAILURES

GRANT = {"grant_type": "client_credentials"}


def raw_basic(text):
    return ("authorization", "Basic " + base64.b64encode(text.encode("latin-1")).decode())


def is_refused(answer, *, challenged):
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")
    expected = 'Basic realm="client", charset="UTF-8"' if challenged else None
    assert answer.headers.get("www-authenticate") == expected
    assert answer.headers["cache-control"] == "no-store"
    return True


@pytest.fixture
def poster(world):
    return world.client("poster", token_endpoint_auth_method="client_secret_post")  # noqa: S106


@pytest.mark.spec("RFC6749-2.3.1")
async def test_each_method_works_for_the_client_that_registered_it(world, web, poster, spa):
    assert (await world.token(web, **GRANT)).status == 200
    assert (await world.token(poster, **GRANT)).status == 200
    assert (await world.redeem(spa, await world.code(spa))).status == 200


@pytest.mark.spec("RFC6749-2.3.1")
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
async def test_both_halves_are_form_decoded(world, scheme):
    client = world.client("a:b c%/+ä", secret="p:q %&=+ü")  # noqa: S106
    _, value = basic("a:b c%/+ä", "p:q %&=+ü")
    header = ("authorization", value.replace("Basic", scheme))

    assert (await world.token(client, headers=[header], **GRANT)).status == 200


@pytest.mark.spec("RFC6749-2.3")
@pytest.mark.parametrize(
    ("registered", "sent"),
    [
        ("client_secret_basic", "post"),
        ("client_secret_post", "basic"),
        ("client_secret_basic", "none"),
        ("client_secret_post", "none"),
        ("none", "basic"),
        ("none", "post"),
    ],
)
async def test_another_method_than_the_registered_one_is_refused(world, registered, sent):
    client = world.client(token_endpoint_auth_method=registered)
    client = world.host.clients.add(replace(client, secrets=()), SECRET)
    params = {
        "basic": {},
        "post": {"client_id": "web", "client_secret": SECRET},
        "none": {"client_id": "web"},
    }
    headers = [basic("web")] if sent == "basic" else []

    answer = await world.token(client, headers=headers, **params[sent], **GRANT)

    assert is_refused(answer, challenged=sent == "basic")


@pytest.mark.spec("RFC6749-5.2")
async def test_an_unknown_client_a_wrong_secret_and_a_foreign_one_look_alike(world, web):
    world.client("other", secret="another")  # noqa: S106
    tries = [basic("web", "wrong"), basic("nobody"), basic("web", "another"), basic("web", "")]

    answers = [await world.token(web, headers=[header], **GRANT) for header in tries]

    assert all(is_refused(answer, challenged=True) for answer in answers)
    assert len({answer.body for answer in answers[:3]}) == 1


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", "Basic"),
        ("authorization", "Basic !!!"),
        ("authorization", "Basic " + base64.b64encode(b"no colon").decode()),
        raw_basic(":secret"),
        raw_basic("web:"),
        raw_basic("web:%zz"),
        raw_basic("web:\xff"),
        raw_basic("web:a&b"),
    ],
)
async def test_malformed_credentials_are_refused(world, web, header):
    answer = await world.token(web, headers=[header], **GRANT)

    assert is_refused(answer, challenged=header[1] != "Basic")


@pytest.mark.parametrize("header", [("authorization", "Bearer x"), ("authorization", "")])
async def test_a_scheme_that_is_not_for_clients_is_refused(world, web, header):
    assert is_refused(await world.token(web, headers=[header], **GRANT), challenged=False)


async def test_nobody_at_all_is_refused(world, web):
    assert is_refused(await world.token(web, headers=[], **GRANT), challenged=False)


@pytest.mark.spec("RFC6749-2.3")
@pytest.mark.parametrize(
    ("headers", "params"),
    [
        ([basic("web")], {"client_secret": SECRET}),
        ([basic("web")], {"client_id": "web", "client_secret": SECRET}),
        ([basic("web"), basic("web")], {}),
        ([basic("web")], {"client_assertion": "eyJ"}),
        ([], {"client_id": "web", "client_secret": SECRET, "client_assertion": "eyJ"}),
    ],
)
async def test_two_methods_at_once_are_refused(world, web, headers, params):
    answer = await world.token(web, headers=headers, **params, **GRANT)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.spec("RFC6749-3.2.1")
async def test_a_client_id_in_the_body_must_be_the_same_client(world, web):
    world.client("other")

    same = await world.token(web, client_id="web", **GRANT)
    other = await world.token(web, client_id="other", **GRANT)

    assert same.status == 200
    assert is_refused(other, challenged=True)


async def test_an_inactive_client_is_an_unknown_one(world, web):
    del world.host.clients.active["web"]

    assert is_refused(await world.token(web, **GRANT), challenged=True)


@pytest.mark.spec("CA-7")
async def test_two_secrets_live_side_by_side_until_the_old_one_expires(world, web, later):
    old = replace(web.secrets[0], expires_at=2_000_000_000_000)
    client = world.host.clients.add(replace(web, secrets=(old,)), "new")

    for secret in (SECRET, "new"):
        answer = await world.token(client, headers=[basic("web", secret)], **GRANT)
        assert answer.status == 200
    later(2_000_000_000_000)
    assert is_refused(await world.token(client, **GRANT), challenged=True)


async def test_guessing_is_slowed_down_for_the_guesser_only(world, web):
    for _ in range(MAX_FAILURES):
        await world.token(web, headers=[basic("web", "guess")], **GRANT)

    guesser = await world.token(web, headers=[basic("web")], **GRANT)
    world.host.clients.failures.clear()
    client = await world.token(web, headers=[basic("web")], **GRANT)

    assert (guesser.status, guesser.json["error"]) == (429, "slow_down")
    assert guesser.headers["retry-after"] == "30"
    assert client.status == 200
