"""The introspection endpoint, RFC 7662 (IN-1 to IN-3)."""

from dataclasses import replace

import pytest
from apis import APIS, BILLING, DESK, REPORTS, USES_APIS, reissue
from oidc_world import ISSUER, basic

INACTIVE = b'{"active":false}'


@pytest.mark.spec("RFC7662-2.2")
@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
async def test_the_owner_is_told_about_an_access_token(world, token_format):
    client = world.client(access_token_format=token_format)
    tokens = await world.tokens(client, scope="openid email")

    answer = await world.introspect(client, tokens["access_token"])
    said = answer.json

    assert answer.headers["cache-control"] == "no-store"
    assert said.pop("exp") - said.pop("iat") == tokens["expires_in"]
    assert said.pop("auth_time") > 0
    assert bool(said.pop("jti", "")) == (token_format == "jwt")
    assert said == {
        "active": True,
        "scope": "openid email",
        "client_id": "web",
        "token_type": "Bearer",
        "sub": str(world.ada.user_id),
        "aud": ISSUER,
        "iss": ISSUER,
        "acr": "urn:1",
    }


@pytest.mark.spec("RFC7662-2.2")
async def test_the_owner_is_told_about_a_refresh_token(world, web):
    tokens = await world.tokens(web, scope="openid offline_access")

    said = (await world.introspect(web, tokens["refresh_token"])).json

    assert said["active"]
    assert said["scope"] == "openid offline_access"
    assert said["sub"] == str(world.ada.user_id)
    assert "token_type" not in said
    assert said["exp"] - said["iat"] == 14 * 86400


@pytest.mark.spec("RFC7662-2.2", "RFC7662-4")
async def test_whatever_else_is_asked_the_answer_is_the_same(world, web, later):
    other = world.client("other")
    expired = await world.tokens(web, scope="openid offline_access")
    later(616)
    tokens = await world.tokens(web, scope="openid offline_access")
    revoked = await world.tokens(web)
    await world.revoke(web, revoked["access_token"])
    rotated = (await world.tokens(web, scope="openid offline_access"))["refresh_token"]
    await world.refresh(web, rotated)

    asked = [
        (web, "garbage"),
        (web, "a.b.c"),
        (web, "ins_rt_unknown"),
        (web, "ins_at_unknown"),
        (web, tokens["id_token"]),
        (web, tokens["access_token"] + "A"),
        (web, expired["access_token"]),
        (web, revoked["access_token"]),
        (web, rotated),
        (other, tokens["access_token"]),
        (other, tokens["refresh_token"]),
    ]
    for client, token in asked:
        answer = await world.introspect(client, token)
        assert (answer.status, answer.body) == (200, INACTIVE), token


@pytest.mark.spec("RFC7662-2.1")
async def test_a_permitted_client_is_told_about_others_access_tokens(world, web):
    api = world.client("api", introspects_others=True)
    tokens = await world.tokens(web, scope="openid offline_access")

    access = (await world.introspect(api, tokens["access_token"])).json
    refresh = await world.introspect(api, tokens["refresh_token"])

    assert (access["active"], access["client_id"]) == (True, "web")
    assert refresh.body == INACTIVE


@pytest.mark.spec("RFC7662-2.1")
async def test_who_does_not_prove_to_be_a_client_is_told_nothing(world, web, spa):
    token = (await world.tokens(web))["access_token"]
    params = {"token": token}

    answers = [
        await world.post("/oauth2/introspect", spa, params),
        await world.post("/oauth2/introspect", web, params, headers=[]),
        await world.post("/oauth2/introspect", web, params, headers=[basic("web", "wrong")]),
    ]

    for answer in answers:
        assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.spec("RFC7662-2.1")
async def test_a_token_is_needed(world, web):
    answer = await world.post("/oauth2/introspect", web, {"token_type_hint": "access_token"})

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "banana"])
async def test_a_hint_is_only_a_hint(world, web, hint):
    tokens = await world.tokens(web, scope="openid offline_access")

    for name in ("access_token", "refresh_token"):
        params = {"token": tokens[name], "token_type_hint": hint}
        assert (await world.post("/oauth2/introspect", web, params)).json["active"]


# --- by the client of an API


@pytest.fixture
def reports(world, ring):
    """The client that asks on behalf of Reports and of Desk."""
    own = {"introspection_clients": frozenset({"reports"})}
    apis = {**APIS, REPORTS: replace(APIS[REPORTS], **own), DESK: replace(APIS[DESK], **own)}
    reissue(world, ring, resources=apis)
    return world.client("reports")


@pytest.mark.spec("RFC7662-2.1", "RFC7662-2.2", "IN-1", "IN-2")
async def test_an_api_is_told_about_tokens_for_itself(world, reports):
    app = world.client("app", **USES_APIS)
    tokens = await world.tokens(app, scope="openid email reports:read", max_age=100)

    said = (await world.introspect(reports, tokens["access_token"])).json

    assert (said["active"], said["client_id"]) == (True, "app")
    assert (said["aud"], said["scope"]) == (REPORTS, "reports:read")
    assert not {"username", "email", "name", "act", "cnf"} & said.keys()
    with_userinfo = await world.tokens(app, scope="openid desk:use")
    said = (await world.introspect(reports, with_userinfo["access_token"])).json
    assert said["aud"] == [DESK, ISSUER]


@pytest.mark.spec("RFC7662-2.2", "RFC7662-4", "IN-3", "security 36")
async def test_and_about_nothing_else(world, reports):
    app = world.client("app", **USES_APIS)
    tokens = await world.tokens(app, scope="openid reports:read offline_access")
    asked = [
        (await world.tokens(app))["access_token"],
        (await world.tokens(app, scope="billing:read"))["access_token"],
        (await world.tokens(app, resource=BILLING))["access_token"],
        tokens["refresh_token"],
        tokens["id_token"],
    ]

    for token in asked:
        assert (await world.introspect(reports, token)).body == INACTIVE
    other = world.client("another")
    assert (await world.introspect(other, tokens["access_token"])).body == INACTIVE


@pytest.mark.spec("RFC7662-4", "IN-1")
async def test_a_public_client_is_no_api_whatever_is_registered(world, reports):
    app = world.client("app", **USES_APIS)
    token = (await world.tokens(app, scope="reports:read"))["access_token"]
    public = world.change(reports, token_endpoint_auth_method="none")  # noqa: S106

    answer = await world.introspect(public, token)

    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.spec("RFC7662-2.2", "IN-2")
@pytest.mark.parametrize("has_name", [True, False])
async def test_an_api_reads_the_user_name_only_where_it_may(world, ring, has_name):
    may = replace(
        APIS[REPORTS], introspection_clients=frozenset({"reports"}), introspection_username=True
    )
    reissue(world, ring, resources={**APIS, REPORTS: may})
    asker, app = world.client("reports"), world.client("app", **USES_APIS)
    if has_name:
        ada = replace(world.ada, claims={**world.ada.claims, "preferred_username": "ada"})
        world.host.people.persons[ada.user_id] = world.ada = ada
    token = (await world.tokens(app, scope="reports:read"))["access_token"]

    said = (await world.introspect(asker, token)).json
    to_its_own = (await world.introspect(app, token)).json

    assert said.get("username", ...) == ("ada" if has_name else ...)
    assert "username" not in to_its_own
