"""Which pages of other origins may read our answers: exact, per client, without credentials."""

import pytest
from oidc_world import basic, bearer, call

APP, OTHER = "https://app.example", "https://other.example"
HOSTILE = ["https://evil.example", "https://app.example.evil.example", "null", APP + "/", APP[:-1]]


@pytest.fixture
def spa(world):
    world.client("other", allowed_origins=frozenset({OTHER}))
    return world.public(allowed_origins=frozenset({APP}))


def allows(answer, origin):
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.all("vary")
    return answer.headers.get("access-control-allow-origin") == origin


async def every_answer(world, spa, origin):
    """Token, revocation and userinfo, in success and in refusal."""
    header = ("origin", origin)
    tokens = await world.tokens(spa)
    redeem = {"grant_type": "authorization_code", "code": await world.code(spa)}
    redeem |= {"code_verifier": "v" * 43}
    yield await world.post("/oauth2/token", spa, redeem, headers=[header])
    yield await world.post("/oauth2/token", spa, redeem, headers=[header])
    yield await world.userinfo(tokens["access_token"], headers=[header])
    yield await world.post(
        "/oauth2/revoke", spa, {"token": tokens["access_token"]}, headers=[header]
    )


async def test_the_calling_clients_own_origin_may_read(world, spa):
    answers = [answer async for answer in every_answer(world, spa, APP)]

    assert [answer.status for answer in answers] == [200, 400, 200, 200]
    assert all(allows(answer, APP) for answer in answers)


@pytest.mark.parametrize("origin", [*HOSTILE, OTHER])
async def test_no_other_origin_may_read_not_even_another_clients(world, spa, origin):
    async for answer in every_answer(world, spa, origin):
        assert allows(answer, None)


async def test_nobody_reads_before_the_client_is_proven(world):
    confidential = world.client("web", allowed_origins=frozenset({APP}))
    origin = ("origin", APP)

    wrong = await world.post(
        "/oauth2/token",
        confidential,
        {"grant_type": "client_credentials"},
        headers=[basic("web", "wrong"), origin],
    )
    unknown = await call(
        world.provider, "GET", "/oauth2/userinfo", headers=[bearer("garbage"), origin]
    )

    assert allows(wrong, None)
    assert allows(unknown, None)


async def test_without_an_origin_nothing_is_said_but_that_it_would_matter(world, spa):
    assert allows(await world.userinfo((await world.tokens(spa))["access_token"]), None)


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/userinfo", "/oauth2/revoke"])
@pytest.mark.usefixtures("spa")
async def test_a_preflight_is_answered_for_any_registered_origin(world, path):
    ask = ("access-control-request-method", "POST")

    for origin in (APP, OTHER):
        answer = await call(world.provider, "OPTIONS", path, headers=[("origin", origin), ask])
        assert (answer.status, answer.body) == (204, b"")
        assert allows(answer, origin)
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert answer.headers["access-control-allow-headers"] == "authorization, content-type, dpop"
        assert "content-length" not in answer.headers
    for origin in HOSTILE:
        answer = await call(world.provider, "OPTIONS", path, headers=[("origin", origin), ask])
        assert allows(answer, None)


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/introspect", "/oauth2/logout"])
async def test_options_that_is_no_preflight_is_a_wrong_method(world, path):
    assert (await call(world.provider, "OPTIONS", path)).status == 405
    assert (await call(world.provider, "OPTIONS", path, headers=[("origin", APP)])).status == 405


async def test_introspection_and_logout_are_for_no_other_origin(world):
    headers = [("origin", APP), ("access-control-request-method", "POST")]

    for path in ("/oauth2/introspect", "/oauth2/logout", "/oauth2/authorize"):
        answer = await call(world.provider, "OPTIONS", path, headers=headers)
        assert answer.status == 405
        assert "access-control-allow-origin" not in answer.headers
