"""The token endpoint's manners, and who may use which grant (TK-1 to TK-3, TK-9 to TK-11)."""

import pytest
from oidc_world import call


@pytest.mark.spec("RFC6749-5.1")
async def test_the_answer_is_kept_by_nobody(world, web):
    answer = await world.redeem(web, await world.code(web))

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 600)


@pytest.mark.spec("RFC6749-5.2", "TK-3")
async def test_nor_is_a_refusal(world, web):
    answer = await world.redeem(web, "unknown")

    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    assert "www-authenticate" not in answer.headers
    assert "unknown" not in answer.json["error_description"]


@pytest.mark.spec("RFC6749-3.2", "TK-1")
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "DELETE", "OPTIONS"])
async def test_only_post_is_allowed(world, method):
    answer = await call(world.provider, method, "/oauth2/token")

    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.spec("RFC6749-5.2")
async def test_a_request_without_a_grant_type_is_invalid(world, web):
    answer = await world.token(web, code="x")

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.spec("RFC6749-5.2", "RFC9700-2.4", "RFC7523-2.1")
@pytest.mark.parametrize(
    "grant_type",
    [
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "AUTHORIZATION_CODE",
    ],
)
async def test_grants_that_are_not_offered(world, web, grant_type):
    answer = await world.token(web, grant_type=grant_type, username="a", password="b")  # noqa: S106

    assert (answer.status, answer.json["error"]) == (400, "unsupported_grant_type")


@pytest.mark.spec("RFC6749-5.2")
@pytest.mark.parametrize(
    "grant_type", ["authorization_code", "refresh_token", "client_credentials"]
)
async def test_grants_that_are_not_this_clients(world, grant_type):
    client = world.client(grant_types=frozenset())

    answer = await world.token(client, grant_type=grant_type)

    assert (answer.status, answer.json["error"]) == (400, "unauthorized_client")


@pytest.mark.spec("RFC6749-4.1.3", "RFC6749-6")
@pytest.mark.parametrize("grant_type", ["authorization_code", "refresh_token"])
async def test_a_grant_needs_what_is_to_be_exchanged(world, web, grant_type):
    answer = await world.token(web, grant_type=grant_type)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.spec("RFC9396-6", "RA-1")
async def test_what_would_narrow_the_tokens_is_refused_rather_than_left_aside(world, web):
    code = await world.code(web)

    answer = await world.redeem(web, code, authorization_details='[{"type":"payment"}]')

    assert (answer.status, answer.json["error"]) == (400, "invalid_authorization_details")
    assert (await world.redeem(web, code)).status == 200
