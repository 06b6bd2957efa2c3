"""Tokens from the authorization endpoint: OIDCC-3.2 and Multiple Response Types (FC-1 to FC-8)."""

import base64
import hashlib
import html
import re

import jwt as pyjwt
import pytest
from apis import BILLING, DESK, REPORTS, USES_APIS, in_fragment, is_refused, payload, reissue
from hypothesis import given, settings
from hypothesis import strategies as st
from oidc_world import CALLBACK, ISSUER
from test_authorize_errors import is_page, is_told

from insula.oidc.errors import OAuthError
from insula.oidc.features import response_modes, response_types
from insula.oidc.models import Client, Features, Lifetimes

ON = Features(front_channel_tokens=True)
BOTH = "id_token token"
LEGACY = {
    "profile": "legacy",
    "grant_types": frozenset({"authorization_code", "implicit", "refresh_token"}),
    "response_types": frozenset({"code", "id_token", BOTH}),
    "response_modes": frozenset({"query", "fragment", "form_post"}),
}


@pytest.fixture
def world(world, ring):
    return reissue(world, ring, features=ON)


@pytest.fixture
def app(world):
    return world.client(**LEGACY | USES_APIS)


def is_told_behind_the_mark(answer, error):
    """R(x), in the fragment."""
    fields = in_fragment(answer)
    assert fields.pop("error_description")
    assert fields == {"error": error, "state": "xyz", "iss": ISSUER}
    return True


# --- success


@pytest.mark.spec("OIDCC-3.2.2.5", "OAuth2-RT-5", "RFC9207-2", "FC-1", "FC-2", "RM-1", "AZ-16")
async def test_both_tokens_travel_behind_the_mark(world, app):
    answer = await world.signed_in().authorize(app, response_type=BOTH)

    fields = in_fragment(answer)
    assert answer.location.startswith(CALLBACK + "#")
    assert answer.headers["cache-control"] == "no-store"
    assert fields.pop("id_token")
    assert (await world.userinfo(fields.pop("access_token"))).status == 200
    assert fields == {"token_type": "Bearer", "expires_in": "600", "state": "xyz", "iss": ISSUER}


@pytest.mark.spec("OIDCC-3.2.2.10", "OIDCC-3.2.2.11", "FC-3", "OC-2")
async def test_the_id_token_is_bound_to_request_and_access_token(world, app):
    fields = in_fragment(await world.signed_in().authorize(app, response_type=BOTH))

    says = payload(fields["id_token"])
    digest = hashlib.sha256(fields["access_token"].encode()).digest()[:16]
    assert says["at_hash"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert (says["nonce"], says["aud"], says["iss"]) == ("n-1", app.client_id, ISSUER)
    assert says["sub"] == str(world.ada.user_id)
    jwks = pyjwt.PyJWKSet.from_dict((await world.browser().go("/oauth2/jwks")).json)
    kid = pyjwt.get_unverified_header(fields["id_token"])["kid"]
    key = next(key for key in jwks.keys if key.key_id == kid)
    pyjwt.decode(fields["id_token"], key, algorithms=["ES256"], audience=app.client_id)


@pytest.mark.spec("OIDCC-5.4", "ID-4")
async def test_what_scopes_stand_for_is_in_the_id_token_only_where_nothing_else_can_tell(
    world, app
):
    browser, asked = world.signed_in(), {"scope": "openid email"}

    alone = in_fragment(await browser.authorize(app, response_type="id_token", **asked))
    beside = in_fragment(await browser.authorize(app, response_type=BOTH, **asked))
    by_code = await world.tokens(app, browser, **asked)

    assert set(alone) == {"id_token", "state", "iss"}
    assert payload(alone["id_token"])["email"] == "ada@acme.example"
    assert "at_hash" not in payload(alone["id_token"])
    assert "email" not in payload(beside["id_token"])
    assert "email" not in payload(by_code["id_token"])


@pytest.mark.spec("OIDCC-3.2.2.5", "OIDCC-11", "FC-2", "OC-18")
async def test_there_is_never_a_refresh_token(world, app):
    app = world.change(app, refresh_without_offline_access=True)

    answer = await world.signed_in().authorize(
        app, response_type=BOTH, scope="openid offline_access", prompt="consent"
    )
    assert "offline_access" not in world.asked(answer).scopes
    browser = world.signed_in()
    fields = in_fragment(
        await browser.authorize(app, response_type=BOTH, scope="openid offline_access")
    )

    assert "refresh_token" not in fields
    assert fields["scope"] == "openid"
    assert not world.host.tokens.families


@pytest.mark.spec("RFC9700-2.1.2", "FC-2")
@pytest.mark.parametrize(("life", "lasts"), [(3600, 600), (120, 120)])
async def test_the_access_token_is_short_lived_whatever_the_tenant_allows(
    world, ring, app, later, life, lasts
):
    lives = Lifetimes(access_token_jwt=life, access_token_opaque=life)
    reissue(world, ring, features=ON, lifetimes=lives)
    for kind in ("jwt", "opaque"):
        app = world.change(app, access_token_format=kind)
        fields = in_fragment(await world.signed_in().authorize(app, response_type=BOTH))
        assert fields["expires_in"] == str(lasts)
        later(lasts + 20)
        assert (await world.userinfo(fields["access_token"])).status == 401


@pytest.mark.spec("RFC6749-4.2.2", "AZ-7")
@pytest.mark.parametrize("scope", ["openid banana", "openid reports:read", None])
async def test_the_scopes_are_named_when_they_are_not_those_that_were_asked_for(world, app, scope):
    app = world.change(app, default_scopes=frozenset({"openid"}))
    changes = {"without": ["scope"]} if scope is None else {"scope": scope}

    fields = in_fragment(await world.signed_in().authorize(app, response_type=BOTH, **changes))

    assert fields["scope"] == ("reports:read" if scope and "reports" in scope else "openid")


@pytest.mark.spec("OAuth2-FP-2", "RM-2", "FC-2")
async def test_tokens_travel_by_form_too(world, app):
    answer = await world.signed_in().authorize(app, response_type=BOTH, response_mode="form_post")

    assert answer.status == 200
    assert f'action="{CALLBACK}"' in answer.text
    assert set(answer.fields) == {
        "access_token", "token_type", "expires_in", "id_token", "state", "iss",
    }  # fmt: skip
    assert "location" not in answer.headers
    value = re.search(r'name="access_token" value="([^"]*)"', answer.text)[1]
    assert (await world.userinfo(html.unescape(value))).status == 200


@pytest.mark.spec("RFC6749-3.1.1", "AZ-3")
@pytest.mark.parametrize("written", ["token id_token", "id_token  token", "id_token token token"])
async def test_the_order_of_words_means_nothing(world, app, written):
    fields = in_fragment(await world.signed_in().authorize(app, response_type=written))

    assert {"access_token", "id_token"} <= fields.keys()


@pytest.mark.spec("OIDCC-3.2.2.1")
async def test_a_person_signs_in_and_allows_first(world, app):
    app = world.change(app, consent="ask")
    browser = world.browser()
    asked = await browser.authorize(
        app, response_type=BOTH, without=["code_challenge", "code_challenge_method"]
    )
    txn = world.txn(asked)
    browser.cookies["session"] = world.host.people.prove(txn, world.ada)
    assert world.asked(await browser.resume(txn)).need == "consent"
    world.host.people.allow(txn, browser.cookies["session"])

    fields = in_fragment(await browser.resume(txn))

    assert fields["state"] == "xyz"
    assert payload(fields["id_token"])["nonce"] == "n-1"
    assert is_page(await browser.resume(txn))


async def test_the_tokens_end_with_the_session(world, app):
    browser = world.signed_in()
    fields = in_fragment(await browser.authorize(app, response_type=BOTH))
    del world.host.people.sessions[browser.cookies["session"]]

    assert (await world.userinfo(fields["access_token"])).status == 401


@pytest.mark.spec("RFC8707-2", "RS-1", "RS-4")
async def test_the_token_is_for_one_api(world, app):
    browser = world.signed_in()

    async def asking(**changes):
        return in_fragment(await browser.authorize(app, response_type=BOTH, **changes))

    reports = await asking(scope="openid reports:read")
    desk = await asking(resource=DESK)
    both = await world.browser().authorize(
        app, response_type=BOTH, scope="openid reports:read billing:read", prompt="none"
    )
    id_token = in_fragment(
        await browser.authorize(app, response_type="id_token", resource=f"{REPORTS} {BILLING}")
    )

    assert payload(reports["access_token"])["aud"] == REPORTS
    assert payload(desk["access_token"])["aud"] == [DESK, ISSUER]
    assert is_told_behind_the_mark(both, "invalid_target")
    assert "access_token" not in id_token


async def test_it_takes_three_trips(world, app):
    _, trips = await world.trips_of(world.signed_in().authorize(app, response_type=BOTH))

    assert trips == {"visit": 1, "person": 1, "issue_at_once": 1}


async def test_a_person_who_has_gone_meanwhile_gets_nothing(world, app):
    browser = world.signed_in()
    person = world.host.people.persons.pop(world.ada.user_id)

    assert is_page(await browser.authorize(app, response_type=BOTH))
    answer = await browser.authorize(app, response_type=BOTH, prompt="none")
    assert is_told_behind_the_mark(answer, "login_required")
    assert person == world.ada


# --- who may


@pytest.mark.spec("OIDCC-3.2.2.1", "FC-1")
async def test_a_tenant_that_does_not_offer_it_refuses_and_does_not_list_it(world, ring, app):
    listed = (await world.browser().go("/.well-known/openid-configuration")).json
    assert listed["response_types_supported"] == ["code", "id_token", BOTH]
    assert "fragment" in listed["response_modes_supported"]
    assert "implicit" in listed["grant_types_supported"]

    reissue(world, ring)

    for kind in ("id_token", BOTH):
        answer = await world.signed_in().authorize(app, response_type=kind)
        assert is_told(answer, "unsupported_response_type")
    listed = (await world.browser().go("/.well-known/openid-configuration")).json
    assert listed["response_types_supported"] == ["code"]
    assert listed["response_modes_supported"] == ["query", "form_post"]
    assert "implicit" not in listed["grant_types_supported"]
    assert is_told(
        await world.signed_in().authorize(app, response_mode="fragment"), "invalid_request"
    )


@pytest.mark.spec("FC-1", "security 8")
async def test_switching_it_off_ends_requests_that_wait_for_a_person(world, ring, app):
    browser = world.browser()
    txn = world.txn(await browser.authorize(app, response_type=BOTH))
    browser.cookies["session"] = world.host.people.prove(txn, world.ada)

    reissue(world, ring)

    answer = await browser.resume(txn)
    assert answer.fields["error"] == "unsupported_response_type"
    assert not world.host.tokens.issues


@pytest.mark.spec("OIDCC-3.2.2.1", "FC-1", "AZ-3")
@pytest.mark.parametrize(
    "changes",
    [
        {"profile": "standard"},
        {"profile": "oauth21"},
        {"response_types": frozenset({"code", "id_token"})},
        {"grant_types": frozenset({"authorization_code"})},
    ],
    ids=["standard", "oauth21", "not registered", "without the grant"],
)
async def test_a_client_that_may_not_is_refused(world, app, changes):
    app = world.change(app, **changes)

    answer = await world.signed_in().authorize(app, response_type=BOTH)

    assert is_told_behind_the_mark(answer, "unauthorized_client")


@pytest.mark.spec("RFC9449-5", "DP-4")
async def test_a_client_whose_tokens_must_be_bound_gets_none_that_is_not(world, app):
    bound = world.change(app, dpop_bound_access_tokens=True)

    both = await world.signed_in().authorize(bound, response_type=BOTH)
    alone = await world.signed_in().authorize(bound, response_type="id_token")

    assert is_told_behind_the_mark(both, "unauthorized_client")
    assert "id_token" in in_fragment(alone)


@pytest.mark.spec("RFC9700-2.1.2", "AZ-17", "FC-4", "FC-7")
@pytest.mark.parametrize(
    "kind", ["token", "code token", "code id_token", "none", "code id_token token"]
)
async def test_a_bare_token_and_hybrids_are_not_offered(world, app, kind):
    app = world.change(
        app,
        response_types=app.response_types | {response_types.normal_form({"response_type": kind})},
    )

    answer = await world.signed_in().authorize(app, response_type=kind)

    refused = is_told if kind == "none" else is_told_behind_the_mark
    assert refused(answer, "unsupported_response_type")


# --- errors


@pytest.mark.spec("OIDCC-3.2.2.1", "FC-1", "OC-2")
@pytest.mark.parametrize("kind", ["id_token", BOTH])
async def test_a_nonce_is_needed(world, app, kind):
    answer = await world.signed_in().authorize(app, response_type=kind, without=["nonce"])
    empty = await world.signed_in().authorize(app, response_type=kind, nonce="")

    assert is_told_behind_the_mark(answer, "invalid_request")
    assert is_told_behind_the_mark(empty, "invalid_request")


@pytest.mark.spec("OIDCC-3.2.2.1")
async def test_openid_is_needed_and_that_is_said_before_any_page(world, app):
    answer = await world.browser().authorize(
        app, response_type=BOTH, scope="profile", prompt="none"
    )

    assert is_told_behind_the_mark(answer, "invalid_scope")


@pytest.mark.spec("OAuth2-RT-2.1", "FC-6", "FC-7")
async def test_tokens_never_travel_in_a_query(world, app):
    answer = await world.signed_in().authorize(app, response_type=BOTH, response_mode="query")

    assert is_told_behind_the_mark(answer, "invalid_request")


@pytest.mark.spec("RFC9700-4.17", "RM-7", "FC-7")
@pytest.mark.parametrize("mode", ["web_message", "fragment.jwt", "jwt", "banana"])
async def test_other_modes_are_not_offered(world, app, mode):
    answer = await world.signed_in().authorize(app, response_type=BOTH, response_mode=mode)

    assert is_told_behind_the_mark(answer, "invalid_request")


@pytest.mark.spec("OAuth2-RT-5", "FC-7")
async def test_errors_travel_as_success_would_have(world, app):
    silent = {"response_type": BOTH, "prompt": "none"}

    plain = await world.browser().authorize(app, **silent)
    form = await world.browser().authorize(app, response_mode="form_post", **silent)
    unknown = await world.signed_in().authorize(app, response_type=BOTH, scope="banana")

    assert is_told_behind_the_mark(plain, "login_required")
    assert (form.status, form.fields["error"]) == (200, "login_required")
    assert is_told_behind_the_mark(unknown, "invalid_scope")


@pytest.mark.spec("OAuth2-RT-2.1", "RM-1")
async def test_a_code_may_travel_behind_the_mark_where_the_client_is_registered_for_it(world, app):
    fields = in_fragment(await world.signed_in().authorize(app, response_mode="fragment"))
    assert set(fields) == {"code", "state", "iss"}
    assert (await world.redeem(app, fields["code"])).status == 200

    app = world.change(app, response_modes=frozenset({"query"}))
    refused = await world.signed_in().authorize(app, response_mode="fragment")
    assert is_told(refused, "invalid_request")


@pytest.mark.spec("PAR-2.1", "FC-1")
async def test_a_pushed_request_is_judged_the_same(world, app):
    form = world.request(app) | {"response_type": BOTH}
    without = {name: value for name, value in form.items() if name != "nonce"}

    assert is_refused(await world.post("/oauth2/par", app, without), "invalid_request")
    pushed = await world.post("/oauth2/par", app, form)
    answer = await world.signed_in().go(
        "/oauth2/authorize", {"client_id": app.client_id, "request_uri": pushed.json["request_uri"]}
    )
    assert "access_token" in in_fragment(answer)


@given(
    kind=st.lists(st.sampled_from(["code", "id_token", "token", "none", "", "\t", "é"])).map(
        " ".join
    )
    | st.text(max_size=12),
    mode=st.none() | st.sampled_from(["query", "fragment", "form_post", "", "jwt", "Fragment"]),
    offered=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_asked_no_token_comes_but_where_it_may(kind, mode, offered):
    client, on = Client(None, "any", "Any", **LEGACY), Features(front_channel_tokens=offered)
    params = {"response_type": kind, "nonce": "n"} | (
        {} if mode is None else {"response_mode": mode}
    )
    try:
        found = response_types.check_response_type(params, client, on)
        way = response_modes.check_response_mode(params, client, on)
    except OAuthError:
        return

    assert found in ({"code", "id_token", BOTH} if offered else {"code"})
    assert found == "code" or way != "query"
