"""APIs, their scopes and their tokens: RFC 8707 and RFC 9068 (RS-1 to RS-8)."""

from dataclasses import replace
from urllib.parse import urlencode

import jwt as pyjwt
import pytest
from apis import APIS, BILLING, DESK, REPORTS, USES_APIS, is_refused, payload, reissue
from hypothesis import given, settings
from hypothesis import strategies as st
from oidc_world import CALLBACK, FORM, ISSUER, basic, call
from test_authorize_errors import is_told

from insula.oidc.errors import OAuthError
from insula.oidc.features import resources, scopes
from insula.oidc.models import Client
from insula.oidc.request import Parameters

OFFLINE = "openid offline_access reports:read billing:read"


@pytest.fixture
def world(world, ring):
    return reissue(world, ring)


@pytest.fixture
def web(world):
    return world.client(**USES_APIS)


def asking(world, client, *resources, **changes):
    """The pairs of an authorization request for several resources."""
    pairs = (world.request(client) | changes).items()
    return [*pairs, *(("resource", each) for each in resources)]


async def code_for(world, client, *resources, **changes):
    answer = await world.signed_in().go(
        "/oauth2/authorize", asking(world, client, *resources, **changes)
    )
    assert "code" in answer.fields, answer.location
    return answer.code


# --- what a token for an API says


@pytest.mark.spec("RFC9068-2.1", "RFC9068-2.2", "RFC8707-2", "RS-6")
async def test_a_jwt_for_an_api_says_what_the_api_needs_and_nothing_of_the_person(world, web):
    tokens = await world.tokens(web, scope="openid profile email reports:read", resource=REPORTS)

    header = pyjwt.get_unverified_header(tokens["access_token"])
    says = payload(tokens["access_token"])
    keys = (await world.browser().go("/oauth2/jwks")).json["keys"]
    assert set(header) == {"alg", "kid", "typ"}
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert header["kid"] in {key["kid"] for key in keys}
    assert says.pop("exp") - says.pop("iat") == tokens["expires_in"] == 600
    assert says.pop("jti")
    assert says.pop("auth_time") <= payload(tokens["id_token"])["iat"]
    assert says == {
        "iss": ISSUER,
        "aud": REPORTS,
        "sub": str(world.ada.user_id),
        "client_id": "web",
        "scope": "reports:read",
        "acr": "urn:1",
        "amr": ["pwd"],
    }


@pytest.mark.spec("RFC6749-3.3", "AZ-7", "TK-2")
async def test_the_answer_names_the_scopes_of_the_token(world, web):
    some = await world.tokens(web, scope="openid reports:read reports:write banana")
    none = await world.tokens(web, scope="openid profile", resource=REPORTS)

    assert some["scope"] == "reports:read reports:write"
    assert none["scope"] == ""


@pytest.mark.spec("OIDCC-3.1.3.3")
async def test_a_token_for_an_api_comes_with_an_id_token_where_openid_was_granted(world, web):
    with_it = await world.tokens(web, scope="openid reports:read")
    without = await world.tokens(web, scope="reports:read")

    assert payload(with_it["id_token"])["aud"] == "web"
    assert "openid" not in with_it["scope"]
    assert "id_token" not in without


@pytest.mark.spec("RFC9068-2.1", "RS-6")
async def test_form_algorithm_and_life_are_the_apis(world, ring, web):
    strict = replace(APIS[REPORTS], signing_alg="EdDSA", access_token_lifetime=61)
    reissue(world, ring, resources={**APIS, REPORTS: strict})
    web = world.change(web, access_token_format="opaque", access_token_alg="RS256")  # noqa: S106

    reports = await world.tokens(web, scope="reports:read")
    billing = await world.tokens(world.change(web, access_token_format="jwt"), scope="billing:read")  # noqa: S106

    assert pyjwt.get_unverified_header(reports["access_token"])["alg"] == "EdDSA"
    assert reports["expires_in"] == 61
    assert billing["access_token"].startswith("ins_at_")
    assert billing["expires_in"] == 3600
    said = (await world.introspect(web, billing["access_token"])).json
    assert (said["aud"], said["scope"]) == (BILLING, "billing:read")


# --- which API


@pytest.mark.spec("RFC8707-2", "RS-1")
@pytest.mark.parametrize(
    "resource",
    [
        "https://unknown.example",
        REPORTS + "#part",
        REPORTS + "/",
        REPORTS.upper(),
        REPORTS[:-1],
        "reports",
        " ",
        "\t",
        "\u00a0",
        REPORTS + " ",
        f"{REPORTS}  {BILLING}",
    ],
)
async def test_what_is_no_api_of_the_tenant_is_refused_everywhere(world, web, resource):
    client = world.client("machine", **USES_APIS, redirect_uris=(CALLBACK,))
    family = await refresh_token(world, web)

    answers = [
        await world.redeem(
            web, await code_for(world, web, scope="reports:read"), resource=resource
        ),
        await world.token(client, grant_type="client_credentials", resource=resource),
        await world.refresh(web, family, resource=resource),
    ]

    assert is_told(await world.signed_in().authorize(web, resource=resource), "invalid_target")
    for answer in answers:
        assert is_refused(answer, "invalid_target")


async def refresh_token(world, client, scope=OFFLINE):
    code = await code_for(world, client, scope=scope)
    answer = await world.redeem(client, code, resource=REPORTS)
    assert answer.status == 200, answer.text
    return answer.json["refresh_token"]


@pytest.mark.spec("RFC6749-3.1", "AZ-2")
async def test_an_empty_resource_is_none(world, web):
    tokens = await world.tokens(web, resource="")

    assert payload(tokens["access_token"])["aud"] == ISSUER


@pytest.mark.spec("RFC8707-2", "RS-1")
async def test_an_api_that_is_not_the_clients_is_refused_like_an_unknown_one(world, web):
    web = world.change(web, resources=frozenset({REPORTS}))
    browser = world.signed_in()

    answers = [
        await browser.authorize(web, resource=name) for name in (BILLING, "https://unknown.example")
    ]

    assert all(is_told(answer, "invalid_target") for answer in answers)
    assert answers[0].location == answers[1].location
    assert is_told(await browser.authorize(web, scope="billing:read"), "invalid_scope")


@pytest.mark.spec("RFC8707-2", "RS-4")
async def test_a_scope_chooses_its_api(world, web):
    tokens = await world.tokens(web, scope="openid desk:use")

    assert payload(tokens["access_token"])["aud"] == [DESK, ISSUER]


@pytest.mark.spec("RFC8707-2", "RS-4")
async def test_a_scope_of_another_api_than_the_one_named_is_refused(world, web):
    answer = await world.signed_in().authorize(web, scope="billing:read", resource=REPORTS)
    own = await world.token(
        web, grant_type="client_credentials", scope="billing:read", resource=REPORTS
    )

    assert is_told(answer, "invalid_scope")
    assert is_refused(own, "invalid_scope")


@pytest.mark.spec("RS-3")
async def test_without_an_api_a_token_is_for_the_issuer_or_the_clients_usual_api(world, web):
    plain = await world.tokens(web)
    usual = await world.tokens(world.change(web, default_resource=DESK))
    alone = world.client(
        "alone", **USES_APIS | {"resources": frozenset()}, default_resource=REPORTS
    )

    assert payload(plain["access_token"])["aud"] == ISSUER
    assert payload(usual["access_token"])["aud"] == [DESK, ISSUER]
    assert payload((await world.tokens(alone))["access_token"])["aud"] == REPORTS


@pytest.mark.spec("RFC8707-2", "RS-2", "RS-3", "RS-5")
async def test_the_issuer_is_named_for_a_token_that_userinfo_takes(world, web):
    usual = world.change(web, default_resource=REPORTS)
    asked = {"scope": "openid email offline_access reports:read"}

    first = await world.redeem(usual, await code_for(world, usual, **asked), resource=ISSUER)
    second = await world.refresh(usual, first.json["refresh_token"])
    alone = await world.tokens(usual, scope="openid", resource=ISSUER)
    refused = await world.signed_in().authorize(usual, scope="reports:read", resource=ISSUER)
    own = await world.token(usual, grant_type="client_credentials", resource=ISSUER)

    assert payload(first.json["access_token"])["aud"] == ISSUER
    assert "reports:read" not in first.json["scope"]
    assert (await world.userinfo(first.json["access_token"])).json["email"]
    assert payload(second.json["access_token"])["aud"] == REPORTS
    assert payload(alone["access_token"])["aud"] == ISSUER
    assert is_told(refused, "invalid_scope")
    assert payload(own.json["access_token"])["aud"] == ISSUER
    assert "scope" not in own.json


# --- several APIs


@pytest.mark.spec("RFC8707-2", "RFC8707-2.2", "RS-1", "RS-2")
async def test_of_several_that_were_granted_one_is_chosen_at_the_token_endpoint(world, web):
    asked = {"scope": "openid reports:read billing:read"}

    chosen = await world.redeem(
        web, await code_for(world, web, REPORTS, BILLING, **asked), resource=BILLING
    )
    by_scope = await world.redeem(web, await code_for(world, web, **asked), resource=REPORTS)

    assert chosen.json["scope"] == "billing:read"
    assert payload(by_scope.json["access_token"])["scope"] == "reports:read"


@pytest.mark.spec("RFC8707-2.2", "RS-2")
@pytest.mark.parametrize("resource", [None, DESK, "https://unknown.example"])
async def test_none_of_several_or_another_one_is_refused_and_burns_the_code(world, web, resource):
    code = await code_for(world, web, REPORTS, BILLING, scope="reports:read billing:read")

    assert is_refused(await world.redeem(web, code, resource=resource), "invalid_target")
    assert is_refused(await world.redeem(web, code, resource=REPORTS), "invalid_grant")


@pytest.mark.spec("RFC8707-2.2", "RS-1")
@pytest.mark.parametrize("second", [BILLING, REPORTS])
async def test_a_token_is_for_one_api(world, web, second):
    code = await code_for(world, web, REPORTS, BILLING, scope="reports:read billing:read")
    form = [
        ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", CALLBACK),
        ("code_verifier", "v" * 43), ("resource", REPORTS), ("resource", second),
    ]  # fmt: skip

    answer = await call(
        world.provider,
        "POST",
        "/oauth2/token",
        headers=[FORM, basic("web")],
        body=urlencode(form).encode(),
    )

    assert is_refused(answer, "invalid_target")


@pytest.mark.spec("RFC8707-2.2", "RFC6749-6", "RS-2", "RT-2")
async def test_a_refresh_may_choose_another_one_that_was_granted(world, web):
    first = await refresh_token(world, web)

    second = await world.refresh(web, first, resource=BILLING)
    refused = [
        await world.refresh(web, second.json["refresh_token"], resource=DESK),
        await world.refresh(web, second.json["refresh_token"]),
    ]
    third = await world.refresh(web, second.json["refresh_token"], resource=REPORTS)

    assert second.json["scope"] == "billing:read"
    assert payload(second.json["id_token"])["sub"] == str(world.ada.user_id)
    assert all(is_refused(answer, "invalid_target") for answer in refused)
    assert payload(third.json["access_token"])["aud"] == REPORTS


@pytest.mark.spec("RFC6749-6", "RFC8707-2.2", "RT-3", "RS-4")
async def test_a_narrower_refresh_names_scopes_of_the_api_it_is_for(world, web):
    token = await refresh_token(world, web, OFFLINE + " reports:write")

    refused = await world.refresh(web, token, scope="openid billing:read", resource=REPORTS)
    narrow = await world.refresh(web, token, scope="openid reports:write", resource=REPORTS)
    whole = await world.refresh(web, narrow.json["refresh_token"], resource=REPORTS)

    assert is_refused(refused, "invalid_scope")
    assert narrow.json["scope"] == "reports:write"
    assert "id_token" in narrow.json
    assert whole.json["scope"] == "reports:read reports:write"


# --- a client's own tokens


@pytest.mark.spec("RFC6749-4.4", "RFC8707-2", "TK-8", "RS-4")
async def test_a_clients_own_token_is_for_one_api(world, web):
    async def own(**params):
        return await world.token(web, grant_type="client_credentials", **params)

    named = payload((await own(resource=REPORTS)).json["access_token"])
    by_scope = payload((await own(scope="reports:write")).json["access_token"])

    assert (named["aud"], named["scope"]) == (REPORTS, "reports:read reports:write")
    assert (by_scope["aud"], by_scope["scope"], by_scope["sub"]) == (
        REPORTS,
        "reports:write",
        "web",
    )
    assert is_refused(await own(scope="reports:read billing:read"), "invalid_scope")
    assert is_refused(await own(resource=f"{REPORTS} {BILLING}"), "invalid_target")


async def test_a_client_has_no_scope_of_an_api_that_is_not_its_own(world, web):
    web = world.change(web, resources=frozenset())

    answer = await world.token(web, grant_type="client_credentials", scope="reports:read")

    assert is_refused(answer, "invalid_scope")


# --- userinfo


@pytest.mark.spec("RFC9700-2.3", "RFC9068-4", "RS-5", "RS-8", "UI-4", "security 36")
async def test_userinfo_refuses_a_token_for_an_api(world, web):
    for api in (REPORTS, BILLING):
        token = (await world.tokens(web, scope="openid profile", resource=api))["access_token"]

        answer = await world.userinfo(token)

        assert (answer.status, answer.json["error"]) == (401, "invalid_token")


@pytest.mark.spec("RFC9068-4", "RS-5")
async def test_userinfo_takes_it_where_the_api_says_so(world, web):
    tokens = await world.tokens(web, scope="openid email desk:use")

    answer = await world.userinfo(tokens["access_token"])

    assert set(tokens["scope"].split()) == {"openid", "email", "desk:use"}
    assert answer.json == {
        "sub": str(world.ada.user_id),
        "email": "ada@acme.example",
        "email_verified": True,
    }


# --- what is gone is in no new token


@pytest.mark.spec("RS-4", "RT-3")
async def test_a_scope_that_is_gone_is_in_no_new_token(world, ring, web):
    token = await refresh_token(world, web)
    code = await code_for(world, web, scope="openid reports:read reports:write")
    less = replace(APIS[REPORTS], scopes=frozenset({"reports:write"}), with_userinfo=True)

    reissue(world, ring, resources={**APIS, REPORTS: less}, gone={"reports:read"})

    refreshed = (await world.refresh(web, token, resource=REPORTS)).json
    redeemed = (await world.redeem(web, code)).json
    assert "reports:read" not in payload(refreshed["access_token"])["scope"]
    assert set(redeemed["scope"].split()) == {"openid", "reports:write"}
    asked = await world.refresh(
        web, refreshed["refresh_token"], scope="reports:read", resource=REPORTS
    )
    assert is_refused(asked, "invalid_scope")


@pytest.mark.spec("RS-1", "RS-2")
async def test_what_was_granted_for_an_api_that_is_gone_is_not_for_the_issuer_instead(
    world, ring, web
):
    code = await code_for(world, web, scope="openid profile reports:read")
    first = await world.redeem(
        web, await code_for(world, web, REPORTS, scope="openid profile offline_access")
    )
    others = {name: api for name, api in APIS.items() if name != REPORTS}

    reissue(world, ring, resources=others)

    assert is_refused(await world.redeem(web, code), "invalid_target")
    assert is_refused(await world.refresh(web, first.json["refresh_token"]), "invalid_target")


@pytest.mark.spec("RS-1", "RT-3")
async def test_what_the_client_has_lost_is_in_no_new_token(world, web):
    token = await refresh_token(world, web)

    less = world.change(web, scopes=web.scopes - {"openid", "billing:read"})
    narrow = (await world.refresh(less, token, resource=BILLING)).json
    fewer = world.change(less, resources=frozenset({REPORTS}))
    refused = await world.refresh(fewer, narrow["refresh_token"], resource=BILLING)
    left = (await world.refresh(fewer, narrow["refresh_token"])).json

    assert narrow["scope"] == ""
    assert "id_token" not in narrow
    assert is_refused(refused, "invalid_target")
    assert payload(left["access_token"])["aud"] == REPORTS


@pytest.mark.spec("OIDCC-5.5", "OC-13")
async def test_a_claim_asked_for_by_name_goes_with_the_scope_that_covers_it(world, web):
    asked = {"scope": "openid", "claims": '{"userinfo":{"email":null},"id_token":{"email":null}}'}
    tokens = await world.tokens(web, **asked)
    code = await world.code(web, **asked)
    assert (await world.userinfo(tokens["access_token"])).json["email"] == "ada@acme.example"

    less = world.change(web, scopes=web.scopes - {"email"})

    assert "email" not in (await world.userinfo(tokens["access_token"])).json
    assert "email" not in payload((await world.redeem(less, code)).json["id_token"])


# --- whatever is sent


@pytest.mark.spec("PAR-2.1", "RFC8707-2", "RS-1")
async def test_a_pushed_request_is_told_at_once(world, web):
    form = world.request(web) | {"resource": "https://unknown.example"}

    assert is_refused(await world.post("/oauth2/par", web, form), "invalid_target")
    pushed = await world.post("/oauth2/par", web, world.request(web) | {"resource": REPORTS})
    answer = await world.signed_in().go(
        "/oauth2/authorize", {"client_id": "web", "request_uri": pushed.json["request_uri"]}
    )
    redeemed = await world.redeem(web, answer.code)
    assert payload(redeemed.json["access_token"])["aud"] == REPORTS


WORDS = st.sampled_from(
    [
        REPORTS,
        BILLING,
        "openid",
        "reports:read",
        "billing:read",
        "",
        " ",
        "\t",
        "\u2003",
        "\x1c",
        "é",
    ]
) | st.text(max_size=8)
KNOWN = ("openid", "profile", "offline_access", "reports:read", "reports:write", "billing:read")
ANY = Client(None, "any", "Any", **USES_APIS)


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=4).map(" ".join))
@settings(max_examples=200, deadline=None)
def test_whatever_is_asked_nothing_but_the_granted_comes_of_it(named, scope):
    params = Parameters([("scope", scope), *(("resource", each) for each in named)])
    try:
        granted = scopes.read_scopes(params, ANY, KNOWN)
        chosen = resources.read_resources(params, ANY, granted, APIS, ISSUER)
        target = resources.choose({}, ANY, chosen, granted, APIS, ISSUER)
    except OAuthError:
        return

    assert granted <= ANY.scopes
    assert granted <= set(KNOWN)
    assert set(chosen) <= APIS.keys()
    assert target.scopes <= granted
    own = target.resource.scopes if target.resource else frozenset()
    assert not target.scopes & (frozenset({"reports:read", "billing:read"}) - own)


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=4).map(" ".join))
@settings(max_examples=200, deadline=None)
def test_whatever_a_client_asks_for_itself_it_gets_its_own_or_an_error(named, scope):
    params = Parameters([("scope", scope), *(("resource", each) for each in named)])
    try:
        asked = scopes.read_own_scopes(params, ANY)
        target = resources.read_target(
            params, ANY, asked, APIS, ISSUER, is_explicit=bool(scopes.asked_for(params))
        )
    except OAuthError:
        return

    assert target.scopes <= ANY.scopes - scopes.OF_A_PERSON
    assert target.scopes <= (target.resource.scopes if target.resource else asked)
