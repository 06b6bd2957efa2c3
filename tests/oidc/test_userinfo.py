"""The userinfo endpoint: OIDCC-5.3 and RFC 6750 (UI-1 to UI-8, BR-1, BR-2)."""

from urllib.parse import urlencode

import pytest
from oidc_world import FORM, bearer, call


def is_refused(answer, status, error):
    assert (answer.status, answer.json["error"]) == (status, error)
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="userinfo", error="' + error + '", error_descr')
    assert answer.headers["cache-control"] == "no-store"
    return True


async def token(world, client, scope="openid"):
    return (await world.tokens(client, scope=scope))["access_token"]


@pytest.mark.spec("OIDCC-5.3.1", "RFC6750-2.1")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_token_travels_in_the_header(world, web, method, scheme):
    header = ("authorization", f"{scheme} {await token(world, web)}")

    answer = await call(world.provider, method, "/oauth2/userinfo", headers=[header])

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.spec("OIDCC-5.3.2", "OIDCC-5.4", "OIDCC-5.1")
@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", set()),
        ("openid profile", {"name", "given_name", "updated_at"}),
        ("openid email", {"email", "email_verified"}),
        ("openid address", {"address"}),
        ("openid phone", {"phone_number"}),
        ("phone openid email", {"phone_number", "email", "email_verified"}),
    ],
)
async def test_the_claims_of_the_scopes_and_no_others(world, web, scope, claims):
    said = (await world.userinfo(await token(world, web, scope))).json

    assert set(said) == claims | {"sub"}
    assert said["sub"] == str(world.ada.user_id)


@pytest.mark.spec("OIDCC-5.1.1")
async def test_claims_keep_their_types(world, web):
    said = (await world.userinfo(await token(world, web, "openid profile email address"))).json

    assert said["address"] == {"country": "GB"}
    assert said["email_verified"] is True
    assert said["updated_at"] == 1700000000


@pytest.mark.spec("RFC6750-3")
@pytest.mark.parametrize(
    "headers", [[], [("authorization", "Basic eDp5")], [("authorization", "Bearerx")]]
)
async def test_without_a_token_there_is_a_bare_challenge(world, headers):
    answer = await call(world.provider, "GET", "/oauth2/userinfo", headers=headers)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="userinfo"'
    assert answer.body == b""


@pytest.mark.spec("RFC6750-3.1")
@pytest.mark.parametrize("value", ["garbage", "ins_at_" + "x" * 43, "a.b.c", "e30.e30.e30"])
async def test_an_unknown_token_is_invalid(world, value):
    assert is_refused(await world.userinfo(value), 401, "invalid_token")


@pytest.mark.spec("RFC6750-3.1")
@pytest.mark.parametrize("value", ["", "a b", 'a"b', "a\\b", "ä", "=a"])
async def test_a_token_has_the_characters_of_one(world, value):
    assert is_refused(await world.userinfo(value), 400, "invalid_request")


@pytest.mark.spec("RFC6750-2.3", "RFC9700-4.3.2", "UI-8")
@pytest.mark.parametrize("with_header", [True, False])
async def test_a_token_in_the_address_is_refused_even_when_it_is_good(world, web, with_header):
    good = await token(world, web)

    answer = await call(
        world.provider,
        "GET",
        "/oauth2/userinfo",
        headers=[bearer(good)] if with_header else [],
        query={"access_token": good},
    )

    assert is_refused(answer, 400, "invalid_request")


@pytest.mark.spec("RFC6750-2.2")
async def test_a_token_in_a_body_is_refused(world, web):
    good = await token(world, web)

    answer = await call(
        world.provider,
        "POST",
        "/oauth2/userinfo",
        headers=[FORM],
        body=urlencode({"access_token": good}).encode(),
    )

    assert is_refused(answer, 400, "invalid_request")


@pytest.mark.spec("RFC6750-2.1")
async def test_two_tokens_are_one_too_many(world, web):
    good = await token(world, web)

    assert is_refused(await world.userinfo(good, headers=[bearer(good)]), 400, "invalid_request")


async def test_a_body_must_be_a_form_if_there_is_one(world, web):
    good = bearer(await token(world, web))

    async def post(body, *headers):
        return await call(
            world.provider, "POST", "/oauth2/userinfo", headers=[good, *headers], body=body
        )

    assert is_refused(
        await post(b"{}", ("content-type", "application/json")), 400, "invalid_request"
    )
    assert (await post(b"", ("content-type", "application/json"))).status == 200
    assert (await post(b"a=b", FORM)).status == 200
    assert is_refused(await post(b"a=%zz", FORM), 400, "invalid_request")
    assert (await post(b"x" * 65537, FORM)).status == 413


@pytest.mark.spec("OIDCC-5.3.3")
async def test_an_expired_token_is_invalid(world, web, later):
    opaque = world.client("opaque", access_token_format="opaque")  # noqa: S106
    both = [await token(world, web), await token(world, opaque)]
    later(3601)

    for value in both:
        assert is_refused(await world.userinfo(value), 401, "invalid_token")


@pytest.mark.spec("OIDCC-5.3.3")
@pytest.mark.parametrize("ended", ["person", "client", "issue"])
async def test_a_token_ends_with_what_it_stands_for(world, web, ended):
    opaque = world.client("opaque", access_token_format="opaque")  # noqa: S106
    both = [await token(world, web), await token(world, opaque)]
    {
        "person": world.host.people.persons,
        "client": world.host.clients.active,
        "issue": world.host.tokens.issues,
    }[ended].clear()

    for value in both:
        assert is_refused(await world.userinfo(value), 401, "invalid_token")


@pytest.mark.spec("RFC6750-3.1", "OIDCC-5.3.3")
async def test_a_token_without_openid_is_not_enough(world, web):
    of_person = await token(world, web, "profile")
    of_client = (await world.token(web, grant_type="client_credentials")).json["access_token"]

    for value in (of_person, of_client):
        answer = await world.userinfo(value)
        assert is_refused(answer, 403, "insufficient_scope")
        assert answer.headers["www-authenticate"].endswith('scope="openid"')


async def test_a_jti_that_names_no_issue_is_invalid(world, web, ring):
    good = await token(world, web)
    verifier = world.provider._issuer.verifier  # noqa: SLF001
    says = dict(verifier.access_token(good))
    key = ring.signing["ES256"]
    other = world.client("other")

    for change in ({"jti": "not-hex.x"}, {"jti": ""}, {"client_id": other.client_id}):
        forged = key.jwt("at+jwt", says | change)
        assert is_refused(await world.userinfo(forged), 401, "invalid_token")
        assert (await world.revoke(other, forged)).status == 200
        assert (await world.revoke(web, forged)).status == 200
    assert (await world.userinfo(good)).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
async def test_other_methods_are_refused(world, method):
    answer = await call(world.provider, method, "/oauth2/userinfo")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")
