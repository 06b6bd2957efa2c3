"""The client credentials grant: a client that acts for itself (TK-8, TK-14)."""

import jwt
import pytest

OPTIONS = {"verify_signature": False}
GRANT = {"grant_type": "client_credentials"}


@pytest.mark.spec("RFC6749-4.4", "RFC9700-4.15")
async def test_its_token_speaks_of_no_person(world, web):
    answer = await world.token(web, **GRANT, scope="api:read")
    says = jwt.decode(answer.json["access_token"], options=OPTIONS)

    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope"}
    assert says["sub"] == says["client_id"] == "web"
    assert not set(says) & {"auth_time", "acr", "amr", "name", "email"}


@pytest.mark.spec("RFC6749-4.4.2")
@pytest.mark.parametrize(
    "scope", ["openid", "profile", "offline_access", "api:write", "banana", "api:read openid"]
)
async def test_scopes_beyond_its_own_list_are_refused(world, web, scope):
    answer = await world.token(web, **GRANT, scope=scope)

    assert (answer.status, answer.json["error"]) == (400, "invalid_scope")


@pytest.mark.spec("RFC6749-3.3")
@pytest.mark.parametrize(
    ("scopes", "default", "expected"),
    [
        ({"openid", "api:read", "api:write"}, {"openid", "api:read"}, "api:read"),
        ({"openid", "api:read", "api:write"}, {"openid"}, "api:read api:write"),
        ({"openid"}, set(), None),
    ],
)
async def test_what_it_gets_when_it_names_none(world, scopes, default, expected):
    client = world.client(scopes=frozenset(scopes), default_scopes=frozenset(default))

    answer = await world.token(client, **GRANT)
    says = jwt.decode(answer.json["access_token"], options=OPTIONS)

    assert answer.status == 200
    assert answer.json.get("scope") == says.get("scope") == expected


async def test_a_token_without_scopes_is_alive_all_the_same(world):
    client = world.client(scopes=frozenset({"openid"}))
    token = (await world.token(client, **GRANT)).json["access_token"]

    said = (await world.introspect(client, token)).json

    assert said["active"]
    assert "scope" not in said


@pytest.mark.spec("RFC6749-4.4")
async def test_a_public_client_cannot_act_for_itself(world):
    client = world.public(grant_types=frozenset({"client_credentials"}))

    answer = await world.token(client, **GRANT)

    assert (answer.status, answer.json["error"]) == (400, "unauthorized_client")


async def test_a_client_that_ends_meanwhile_gets_none(world, web, monkeypatch):
    find = world.host.clients.find

    async def find_then_end(client_id):
        found = await find(client_id)
        world.host.clients.active.clear()
        return found

    monkeypatch.setattr(world.host.clients, "find", find_then_end)

    answer = await world.token(web, **GRANT)

    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


async def test_opaque_tokens_are_issued_to_clients_too(world):
    client = world.client(access_token_format="opaque")  # noqa: S106

    answer = (await world.token(client, **GRANT)).json

    assert answer["access_token"].startswith("ins_at_")
    assert answer["expires_in"] == 600
    said = (await world.introspect(client, answer["access_token"])).json
    assert (said["active"], said["sub"]) == (True, "web")
    assert (await world.userinfo(answer["access_token"])).status == 403
