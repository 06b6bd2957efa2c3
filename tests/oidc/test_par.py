"""Requests that are pushed before the browser sets out: RFC 9126 (PA-1 to PA-8)."""

import re

import pytest
from oidc_world import CALLBACK, FORM, ISSUER, SECRET, basic, build, call
from signed import Key, without
from test_authorize_errors import REFUSED, is_page, is_told

from insula.kernel import clock
from insula.oidc.memory import MAX_FAILURES
from insula.oidc.models import Features, Lifetimes

PREFIX = "urn:ietf:params:oauth:request_uri:"


async def push(world, client, *, headers=None, **changes):
    params = without(world.request(client), changes)
    return await world.post("/oauth2/par", client, params, headers=headers)


async def reference_to(world, client, **changes):
    answer = await push(world, client, **changes)
    assert answer.status == 201, answer.text
    return answer.json["request_uri"]


async def bring(world, client, reference, browser=None, **more):
    params = {"client_id": client.client_id, "request_uri": reference} | more
    return await (browser or world.signed_in()).go("/oauth2/authorize", params)


def is_refused(answer, error="invalid_request", status=400):
    assert (answer.status, answer.json["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return True


def is_answered(answer):
    assert answer.status == 303, answer.text
    assert answer.location.startswith(CALLBACK + "?")
    assert answer.fields.keys() == {"code", "state", "iss"}, answer.location
    return True


def is_unknown(answer):
    """E, with the text of a reference that is good for nothing."""
    assert is_page(answer)
    assert "invalid_request_uri" in answer.text
    return True


# --- pushing ------------------------------------------------------------------------------


@pytest.mark.spec("PAR-2.1", "PAR-2.2", "PA-1", "PA-3")
async def test_a_push_is_answered_with_a_reference(world, web):
    answer = await push(world, web)

    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json.keys() == {"request_uri", "expires_in"}
    assert answer.json["expires_in"] == 60
    assert re.fullmatch(re.escape(PREFIX) + r"[a-z_]*[\w-]{43}", answer.json["request_uri"])


@pytest.mark.spec("PAR-2.2", "PA-3")
async def test_its_life_is_the_issuers(world, ring, web):
    world.provider = build(world.host, ring, lifetimes=Lifetimes(pushed_request=90))

    assert (await push(world, web)).json["expires_in"] == 90


@pytest.mark.spec("PAR-2.2", "PAR-7.1", "PA-3")
async def test_no_two_references_are_alike(world, web):
    assert len({await reference_to(world, web) for _ in range(50)}) == 50


@pytest.mark.spec("PAR-2.1", "PA-1")
async def test_the_client_proves_itself_as_at_the_token_endpoint(world, web, spa):
    assert (await push(world, spa)).status == 201
    assert is_refused(
        await push(world, web, headers=[basic("web", "wrong")]), "invalid_client", 401
    )
    assert is_refused(await push(world, web, headers=[]), "invalid_client", 401)
    assert is_refused(
        await push(world, web, headers=[basic("web")], client_id="spa"), "invalid_client", 401
    )
    assert is_refused(await push(world, web, headers=[basic("web")], client_secret=SECRET))


@pytest.mark.spec("PAR-2.1", "PA-1")
async def test_the_client_id_may_be_left_to_the_authentication(world, web):
    assert is_answered(await bring(world, web, await reference_to(world, web, client_id=...)))


@pytest.mark.spec("PAR-2.3", "PA-1")
@pytest.mark.parametrize("name", sorted(REFUSED.keys() - {"request object by reference"}))
async def test_what_the_authorization_endpoint_refuses_is_refused_now(world, web, name):
    changes, error = REFUSED[name]

    answer = await push(world, web, **changes)

    assert is_refused(answer, error)
    assert not world.host.requests.pushed


@pytest.mark.spec("PAR-2.1", "PA-1")
async def test_a_parameter_that_comes_twice_is_refused(world, web):
    body = b"response_type=code&scope=openid&scope=email"

    answer = await call(
        world.provider, "POST", "/oauth2/par", headers=[FORM, basic("web")], body=body
    )

    assert is_refused(answer)
    assert web.client_id == "web"


@pytest.mark.spec("PAR-2.1", "PA-2")
@pytest.mark.parametrize("uri", [PREFIX + "x", "https://app.example/request.jwt"])
async def test_a_reference_cannot_be_pushed(world, uri):
    client = world.client(request_uris=frozenset({uri}))

    answer, trips = await world.trips_of(push(world, client, request_uri=uri))

    assert is_refused(answer)
    assert trips == {}


@pytest.mark.spec("PAR-3", "PA-2")
@pytest.mark.parametrize("profile", ["oauth21", "standard"])
async def test_a_signed_request_can(world, profile):
    key = Key()
    client = world.client(jwks=(key.jwk,), profile=profile)
    claims = world.request(client) | {"iss": "web", "aud": ISSUER, "exp": clock.now() + 60}

    pushed = await world.post("/oauth2/par", client, {"request": key.sign(claims)})

    assert pushed.status == 201, pushed.text
    assert is_answered(await bring(world, client, pushed.json["request_uri"]))


@pytest.mark.spec("PAR-3", "PA-2")
async def test_a_signed_request_of_another_client_cannot(world):
    key = Key()
    client = world.client(jwks=(key.jwk,))
    world.client("other", jwks=(key.jwk,))
    says = world.request(client) | {"aud": ISSUER, "exp": clock.now() + 60}
    for claims, error in (
        (says | {"iss": "other", "client_id": "other"}, "invalid_request_object"),
        (says | {"iss": "web", "client_id": "other"}, "invalid_request"),
        (says | {"iss": "web", "request_uri": PREFIX}, "invalid_request_object"),
    ):
        answer = await world.post("/oauth2/par", client, {"request": key.sign(claims)})
        assert is_refused(answer, error)


@pytest.mark.spec("PAR-3", "PA-2", "JR-7")
async def test_a_signed_request_completes_once_however_often_it_is_pushed(world):
    key = Key()
    client = world.client(jwks=(key.jwk,))
    claims = world.request(client) | {"iss": "web", "aud": ISSUER, "exp": clock.now() + 60}
    token = key.sign(claims)
    references = [
        (await world.post("/oauth2/par", client, {"request": token})).json["request_uri"]
        for _ in range(2)
    ]

    assert is_answered(await bring(world, client, references[0]))
    assert is_told(await bring(world, client, references[1]), "invalid_request_object")


# --- the endpoint itself ------------------------------------------------------------------


@pytest.mark.spec("PAR-2.3", "PA-4")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_it_takes_a_post_only(world, method):
    answer = await call(world.provider, method, "/oauth2/par")

    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.spec("PAR-2.3", "PA-4")
async def test_it_takes_64_kb(world, web):
    answer = await push(world, web, **{f"x{n}": "y" * 8000 for n in range(9)})

    assert is_refused(answer, "invalid_request", 413)


@pytest.mark.spec("PAR-2.3", "PA-4")
async def test_whoever_guesses_has_to_wait(world, web):
    for _ in range(MAX_FAILURES):
        await push(world, web, headers=[basic("web", "guess")])

    answer = await push(world, web)

    assert is_refused(answer, "slow_down", 429)
    assert answer.headers["retry-after"] == "30"


@pytest.mark.spec("PAR-2.3", "PA-4")
async def test_what_is_no_form_is_refused(world, web):
    json = ("content-type", "application/json")

    answer = await call(
        world.provider, "POST", "/oauth2/par", headers=[json, basic("web")], body=b"{}"
    )

    assert is_refused(answer)
    assert web.client_id == "web"


@pytest.mark.spec("PA-4")
async def test_without_its_database_it_says_when_to_come_back(world, web):
    world.host.wire.is_cut = True

    assert (await push(world, web)).status == 503


@pytest.mark.spec("PAR-2.4", "PA-5")
@pytest.mark.parametrize(
    "uri", ["https://evil.example/cb", CALLBACK + "/x", CALLBACK + "?x", "http://127.0.0.1/cb", ...]
)
async def test_an_address_that_is_not_registered_stays_refused(world, web, uri):
    assert is_refused(await push(world, web, redirect_uri=uri))
    assert not world.host.requests.pushed


# --- bringing the reference ---------------------------------------------------------------


@pytest.mark.spec("PAR-4", "PA-6")
async def test_client_and_reference_suffice_and_nothing_else_counts(world, web):
    reference = await reference_to(world, web, state="pushed", scope="openid email")
    more = {
        "state": "brought",
        "scope": "openid api:read",
        "redirect_uri": "https://evil.example/",
        "response_type": "token",
        "response_mode": "form_post",
        "prompt": "login",
    }

    answer = await bring(world, web, reference, **more)

    assert is_answered(answer)
    assert answer.fields["state"] == "pushed"
    scope = (await world.redeem(web, answer.code)).json["scope"]
    assert set(scope.split()) == {"openid", "email"}


@pytest.mark.spec("PAR-4", "PA-6")
async def test_only_who_pushed_it_may_send_browsers_with_it(world, web):
    other = world.client("other")
    reference = await reference_to(world, web)

    assert is_unknown(await bring(world, other, reference))
    assert is_page(await world.signed_in().go("/oauth2/authorize", {"request_uri": reference}))
    assert is_page(await bring(world, web, reference, client_id="nobody"))
    assert is_answered(await bring(world, web, reference))  # and it was not spent


@pytest.mark.spec("PAR-2", "PA-6")
async def test_a_person_who_must_sign_in_first_comes_back_to_the_same_request(world, web):
    browser = world.browser()
    asked = await bring(world, web, await reference_to(world, web, state="kept"), browser)
    browser.cookies["session"] = world.host.people.prove(world.txn(asked), world.ada)

    answer = await browser.resume(world.txn(asked))

    assert is_answered(answer)
    assert answer.fields["state"] == "kept"


@pytest.mark.spec("PAR-4", "PA-6")
async def test_errors_go_where_the_pushed_request_says(world, web):
    reference = await reference_to(world, web, prompt="none")

    answer = await bring(world, web, reference, world.browser())

    assert is_told(answer, "login_required")


@pytest.mark.spec("PAR-4", "PA-6")
async def test_the_client_may_have_changed_since(world, web):
    reference = await reference_to(world, web)
    world.change(web, redirect_uris=("https://app.example/new",))

    assert is_page(await bring(world, web, reference))


# --- how often, and where -----------------------------------------------------------------


@pytest.mark.spec("PAR-7.3", "PA-7")
async def test_it_may_be_loaded_again_in_the_same_browser(world, web):
    browser, reference = world.browser(), await reference_to(world, web)
    first = await bring(world, web, reference, browser)
    second = await bring(world, web, reference, browser)
    assert (first.status, second.status) == (303, 303)
    browser.cookies["session"] = world.host.people.prove(world.txn(second), world.ada)

    assert is_answered(await browser.resume(world.txn(second)))


@pytest.mark.spec("PAR-7.3", "PA-7")
async def test_once_completed_it_is_unknown(world, web):
    browser, reference = world.signed_in(), await reference_to(world, web)
    assert is_answered(await bring(world, web, reference, browser))

    assert is_unknown(await bring(world, web, reference, browser))
    assert is_unknown(await bring(world, web, reference))


@pytest.mark.spec("PAR-7.3", "PA-7")
async def test_two_sign_ins_of_one_reference_complete_once(world, web):
    browser, reference = world.browser(), await reference_to(world, web)
    asked = [await bring(world, web, reference, browser) for _ in range(2)]
    codes = []
    for each in asked:
        browser.cookies["session"] = world.host.people.prove(world.txn(each), world.ada)
        answer = await browser.resume(world.txn(each))
        codes.append(answer.status == 303 and "code" in answer.fields)

    assert codes == [True, False]


@pytest.mark.spec("PAR-7.3", "PA-7")
async def test_in_another_browser_it_is_unknown(world, web):
    browser, reference = world.browser(), await reference_to(world, web)
    await bring(world, web, reference, browser)

    assert is_unknown(await bring(world, web, reference, world.signed_in()))
    assert (await bring(world, web, reference, browser)).status == 303


@pytest.mark.spec("PAR-2.2", "PAR-4", "PA-7")
async def test_it_expires_before_its_first_use(world, web, later):
    reference = await reference_to(world, web)
    later(61)

    assert is_unknown(await bring(world, web, reference))


@pytest.mark.spec("PAR-7.3", "PA-7")
async def test_once_begun_there_is_time_to_sign_in(world, web, later):
    browser, reference = world.browser(), await reference_to(world, web)
    await bring(world, web, reference, browser)
    later(300)

    assert (await bring(world, web, reference, browser)).status == 303
    later(601)
    assert is_unknown(await bring(world, web, reference, browser))


@pytest.mark.spec("PAR-7.1", "PA-7")
@pytest.mark.parametrize("tail", ["", "x", "ins_par_" + "x" * 43, "../" * 9, "%00", "ä"])
async def test_a_reference_that_nobody_made_is_unknown(world, web, tail):
    assert is_unknown(await bring(world, web, PREFIX + tail))


@pytest.mark.spec("PAR-7.1", "PA-7")
async def test_a_reference_counts_in_full_only(world, web):
    reference = await reference_to(world, web)
    for altered in (reference[:-1], reference + "x", reference.upper(), reference.swapcase()):
        answer = await bring(world, web, altered)
        assert answer.status == 400 or answer.fields.get("error") == "invalid_request_uri"

    assert is_answered(await bring(world, web, reference))


# --- required, and switched off -----------------------------------------------------------


@pytest.mark.spec("PAR-5", "PAR-6", "PA-8")
async def test_a_client_that_must_push_has_no_plain_requests(world, web):
    strict = world.change(web, require_pushed_authorization_requests=True)

    assert is_told(await world.signed_in().authorize(strict), "invalid_request")
    assert is_page(await world.browser().authorize(strict))
    assert is_answered(await bring(world, strict, await reference_to(world, strict)))


@pytest.mark.spec("PAR-5", "PA-8")
async def test_a_tenant_may_require_it_of_all(world, ring, web):
    world.provider = build(world.host, ring, features=Features(require_par=True))

    assert is_told(await world.signed_in().authorize(web), "invalid_request")
    assert is_page(await world.browser().authorize(web))
    assert is_answered(await bring(world, web, await reference_to(world, web)))
    said = (await call(world.provider, "GET", "/.well-known/openid-configuration")).json
    assert said["require_pushed_authorization_requests"] is True


@pytest.mark.spec("PAR-5", "PA-8")
async def test_a_pushed_request_that_waited_for_a_person_counts_as_pushed(world, web):
    strict = world.change(web, require_pushed_authorization_requests=True)
    browser = world.browser()
    asked = await bring(world, strict, await reference_to(world, strict), browser)
    browser.cookies["session"] = world.host.people.prove(world.txn(asked), world.ada)

    assert is_answered(await browser.resume(world.txn(asked)))


@pytest.mark.spec("PA-8", "JR-8")
@pytest.mark.parametrize(
    "must", ["require_pushed_authorization_requests", "require_signed_request_object"]
)
async def test_a_plain_request_that_waits_is_refused_when_it_comes_back(world, web, must):
    browser = world.browser()
    asked = await browser.authorize(web)
    browser.cookies["session"] = world.host.people.prove(world.txn(asked), world.ada)
    world.change(web, **{must: True})

    assert is_told(await browser.resume(world.txn(asked)), "invalid_request")


async def test_where_it_is_off_it_is_not_there(world, ring, web):
    reference = await reference_to(world, web)
    world.provider = build(world.host, ring, features=Features(par=False, require_par=True))

    assert (await push(world, web)).status == 404
    assert is_page(await bring(world, web, reference))
    said = (await call(world.provider, "GET", "/.well-known/openid-configuration")).json
    assert not {name for name in said if "pushed" in name}
    assert is_answered(await world.signed_in().authorize(web))


async def test_it_takes_one_trip_to_push_and_one_to_take(world, web):
    pushed, trips = await world.trips_of(push(world, web))
    assert trips == {"push": 1}

    _, trips = await world.trips_of(bring(world, web, pushed.json["request_uri"]))

    assert trips == {"take": 1, "visit": 1, "issue_code": 1}
