"""Where a refusal of an authorization request goes: to a page, or to the client (AZ-1 to AZ-16)."""

import asyncio
from urllib.parse import urlencode, urlsplit

import pytest
from oidc_world import CALLBACK, FORM, ISSUER, call

SENTENCE = set(range(0x20, 0x22)) | set(range(0x23, 0x5C)) | set(range(0x5D, 0x7F))


def is_page(answer, status=400):
    """E: a page at the provider, and nothing that leads elsewhere."""
    assert answer.status == status, answer.text
    assert "location" not in answer.headers
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    return True


def is_told(answer, error, *, state="xyz"):
    """R(x): an error at the redirect URI, with state and iss."""
    assert answer.status == 303, answer.text
    target = urlsplit(answer.location)
    assert f"{target.scheme}://{target.netloc}{target.path}" == CALLBACK
    fields = answer.fields
    description = fields.pop("error_description")
    assert set(description.encode()) <= SENTENCE
    expected = {"error": error, "iss": ISSUER} | ({"state": state} if state else {})
    assert fields == expected
    return True


#: Asks for no page, so even this error goes to the client.
SILENT = "none login"

# (what is changed, the error) for a request that is otherwise good
REFUSED = {
    "no response_type": ({"response_type": ""}, "invalid_request"),
    "unknown response_type": ({"response_type": "banana"}, "unsupported_response_type"),
    "token": ({"response_type": "token"}, "unsupported_response_type"),
    "id_token": ({"response_type": "id_token"}, "unsupported_response_type"),
    "hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "response_mode fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "response_mode web_message": ({"response_mode": "web_message"}, "invalid_request"),
    "unknown scope": ({"scope": "banana"}, "invalid_scope"),
    "scope not allowed": ({"scope": "openid api:write"}, "invalid_scope"),
    "no scope, no default": ({"scope": ""}, "invalid_scope"),
    "no challenge": ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
    "plain challenge": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no method": ({"code_challenge_method": ""}, "invalid_request"),
    "unknown prompt": ({"prompt": "banana"}, "invalid_request"),
    "prompt none and login": ({"prompt": SILENT}, "invalid_request"),
    "negative max_age": ({"max_age": "-1"}, "invalid_request"),
    "max_age in words": ({"max_age": "soon"}, "invalid_request"),
    "authorization details": (
        {"authorization_details": '[{"type":"payment"}]'},
        "invalid_authorization_details",
    ),
    "claims no JSON": ({"claims": "{"}, "invalid_request"),
    "request object": ({"request": "eyJ"}, "invalid_request_object"),
    "request object by reference": (
        {"request_uri": "https://app.example/r"},
        "invalid_request_uri",
    ),
}
refused = pytest.mark.parametrize(("changes", "error"), REFUSED.values(), ids=REFUSED)


@pytest.mark.spec("RFC6749-4.1.2.1", "RFC9207-2", "AZ-10")
@refused
async def test_the_client_is_told_when_somebody_is_signed_in(world, web, changes, error):
    answer = await world.signed_in().authorize(web, **changes)

    assert is_told(answer, error)


@pytest.mark.spec("RFC9700-4.11.2")
@pytest.mark.parametrize(
    ("changes", "error"),
    [(changes, error) for changes, error in REFUSED.values() if changes.get("prompt") != SILENT],
)
async def test_a_stranger_is_never_sent_to_a_client_with_an_error(world, web, changes, error):
    answer = await world.browser().authorize(web, **changes)

    assert is_page(answer)
    assert error in answer.text


@pytest.mark.spec("RFC9700-4.11.2", "OIDCC-3.1.2.6")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none", "scope": "banana"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
    ],
)
async def test_a_silent_request_is_always_answered_to_the_client(world, web, changes, error):
    assert is_told(await world.browser().authorize(web, **changes), error)


@pytest.mark.spec("RFC6749-4.1.2.1", "RFC9700-4.11.2", "AZ-6", "AZ-4")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": ""},
        {"client_id": "nobody"},
        {"client_id": "' or 1=1 --"},
        {"redirect_uri": ""},
        {"redirect_uri": "https://evil.example/cb"},
        {"redirect_uri": "https://evil.example/cb", "prompt": "none"},
        {"redirect_uri": "https://evil.example/cb", "scope": "banana"},
    ],
)
@pytest.mark.parametrize("signed_in", [True, False])
async def test_an_unknown_client_or_address_is_refused_on_a_page(world, web, changes, signed_in):
    browser = world.signed_in() if signed_in else world.browser()

    answer = await browser.authorize(web, **changes)

    assert is_page(answer)
    assert "evil" not in answer.text


@pytest.mark.spec("AZ-6")
async def test_an_inactive_client_is_an_unknown_one(world, web):
    unknown = await world.signed_in().authorize(web, client_id="nobody")
    del world.host.clients.active[web.client_id]

    inactive = await world.signed_in().authorize(web)

    assert is_page(inactive)
    assert inactive.body == unknown.body


@pytest.mark.spec("RFC6749-3.1")
@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
async def test_a_doubled_client_or_address_is_refused_on_a_page(world, web, name):
    params = world.request(web)

    answer = await world.signed_in().go(
        "/oauth2/authorize", [*params.items(), (name, params[name])]
    )

    assert is_page(answer)


@pytest.mark.spec("RFC6749-3.1")
@pytest.mark.parametrize(
    "name",
    ["response_type", "scope", "nonce", "code_challenge", "code_challenge_method", "made_up"],
)
async def test_any_other_doubled_parameter_is_told_to_the_client(world, web, name):
    params = world.request(web)
    doubled = [*params.items(), (name, params.get(name, "x")), (name, "x")]

    assert is_told(await world.signed_in().go("/oauth2/authorize", doubled), "invalid_request")
    assert is_page(await world.browser().go("/oauth2/authorize", doubled))


async def test_a_doubled_state_is_not_given_back(world, web):
    doubled = [*world.request(web).items(), ("state", "other")]

    answer = await world.signed_in().go("/oauth2/authorize", doubled)

    assert is_told(answer, "invalid_request", state=None)


@pytest.mark.spec("RFC6749-3.1")
async def test_a_parameter_split_over_address_and_body_is_doubled(world, web):
    browser = world.signed_in()
    params = world.request(web)

    answer = await call(
        world.provider,
        "POST",
        "/oauth2/authorize",
        headers=[FORM, ("cookie", f"session={browser.cookies['session']}")],
        query={"scope": "openid"},
        body=urlencode(params).encode(),
    )

    assert is_told(answer, "invalid_request")


@pytest.mark.spec("OIDCC-3.1.2.1")
async def test_unknown_parameters_are_ignored(world, web):
    answer = await world.signed_in().authorize(web, extra="foobar", audience="https://api.example")

    assert "code" in answer.fields


@pytest.mark.spec("RFC6749-3.1.1", "AZ-3")
async def test_a_client_without_the_grant_may_not_ask(world, web):
    client = world.change(web, grant_types=frozenset({"client_credentials"}))

    assert is_told(await world.signed_in().authorize(client), "unauthorized_client")


@pytest.mark.spec("RFC6749-4.1.2", "AZ-9")
@pytest.mark.parametrize(
    "state",
    ["x", "a b+c%20&=?#/\\\"'<script>", "ÄÖ\U0001f600", "s" * 2048],
    ids=["short", "awkward", "unicode", "2 KB"],
)
async def test_state_comes_back_bit_for_bit(world, web, state):
    browser = world.signed_in()

    success = await browser.authorize(web, state=state)
    failure = await browser.authorize(web, state=state, scope="banana")

    assert success.fields["state"] == state
    assert failure.fields["state"] == state


@pytest.mark.spec("AZ-9")
@pytest.mark.parametrize("state", ["s" * 2049, "Ä" * 1025, "a\nb", "a\x7fb"])
async def test_a_state_that_cannot_be_kept_is_refused_and_not_given_back(world, web, state):
    answer = await world.signed_in().authorize(web, state=state)

    assert is_told(answer, "invalid_request", state=None)


async def test_a_nonce_above_2_kb_is_refused(world, web):
    answer = await world.signed_in().authorize(web, nonce="n" * 2049)

    assert is_told(answer, "invalid_request")


async def test_a_parameter_above_8_kb_is_refused_on_a_page(world, web):
    assert is_page(await world.signed_in().authorize(web, state="s" * 8193))


async def test_no_state_is_asked_and_none_is_made_up(world, web):
    answer = await world.signed_in().authorize(web, without=["state"])

    assert set(answer.fields) == {"code", "iss"}


@pytest.mark.spec("RFC9700-4.12", "RFC9207-2", "AZ-12")
async def test_the_answer_is_a_303_with_the_issuer(world, web):
    answer = await world.signed_in().authorize(web)

    assert answer.status == 303
    assert answer.location.startswith(CALLBACK + "?")
    assert set(answer.fields) == {"code", "state", "iss"}
    assert answer.fields["iss"] == ISSUER
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.spec("RFC9700-2.6", "AZ-13")
async def test_no_other_origin_may_read_the_answer(world):
    client = world.client(allowed_origins=frozenset({"https://app.example"}))
    origin = ("origin", "https://app.example")

    answer = await world.signed_in().go(
        "/oauth2/authorize", world.request(client), headers=[origin]
    )
    preflight = await call(
        world.provider,
        "OPTIONS",
        "/oauth2/authorize",
        headers=[origin, ("access-control-request-method", "GET")],
    )

    assert "access-control-allow-origin" not in answer.headers
    assert preflight.status == 405
    assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused(world, method):
    answer = await call(world.provider, method, "/oauth2/authorize")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.spec("RFC6749-3.1")
async def test_a_form_is_as_good_as_an_address(world, web):
    answer = await world.signed_in().authorize(web, method="POST")

    assert answer.status == 303
    assert "code" in answer.fields


async def test_a_body_that_is_no_form_is_refused_on_a_page(world):
    answer = await call(world.provider, "POST", "/oauth2/authorize", body=b"{}")

    assert is_page(answer)


@pytest.mark.spec("RFC6749-3.1")
async def test_a_post_of_another_site_comes_back_by_get_with_its_cookies(world, web):
    browser = world.signed_in()
    params = world.request(web) | {"state": "a b&c", "made_up": "x"}

    without = await browser.go("/oauth2/authorize", params, method="POST", cookies=False)
    target = urlsplit(without.location)
    answer = await browser.follow(without)

    assert without.status == 303
    assert (target.netloc, target.path) == ("", "/oauth2/authorize")
    assert "made_up" not in target.query
    assert answer.fields["state"] == "a b&c"
    assert "code" in answer.fields


async def test_a_cookie_that_came_along_does_not_hide_that_the_others_did_not(world, web):
    browser = world.signed_in()
    theme = [("cookie", "theme=dark"), ("sec-fetch-site", "cross-site")]

    without = await browser.go(
        "/oauth2/authorize", world.request(web), method="POST", cookies=False, headers=theme
    )

    assert without.location.startswith("/oauth2/authorize?")
    assert "code" in (await browser.follow(without)).fields


async def test_a_post_of_another_site_that_fits_no_address_is_refused_on_a_page(world, web):
    params = world.request(web) | {"login_hint": "x" * 8000}

    answer = await world.signed_in().go("/oauth2/authorize", params, method="POST", cookies=False)

    assert is_page(answer)


async def test_a_post_of_another_site_leads_nowhere_for_an_unknown_address(world, web):
    answer = await world.browser().authorize(
        web, method="POST", redirect_uri="https://evil.example/"
    )

    assert is_page(answer)


async def test_a_dropped_session_is_dropped_in_every_answer(world, web):
    for changes in ({}, {"prompt": "none"}, {"scope": "banana"}):
        browser = world.browser()
        browser.cookies["session"] = "stale"

        answer = await browser.authorize(web, **changes)

        assert "session=; Max-Age=0" in answer.all("set-cookie")
        assert "session" not in browser.cookies


async def test_a_client_that_ends_while_the_code_is_made_gets_none(world, web, monkeypatch):
    visit = world.host.people.visit

    async def visit_then_end(*args):
        found = await visit(*args)
        world.host.clients.active.clear()
        return found

    monkeypatch.setattr(world.host.people, "visit", visit_then_end)

    spoken = await world.signed_in().authorize(web)
    world.host.clients.add(web)
    silent = await world.signed_in().authorize(web, prompt="none")

    assert is_page(spoken)
    assert is_page(silent)


async def test_of_two_that_come_back_at_once_one_gets_the_code(world, web):
    browser = world.browser()
    txn = world.txn(await browser.authorize(web))
    browser.cookies["session"] = world.host.people.prove(txn, world.ada)

    answers = await asyncio.gather(*(browser.resume(txn) for _ in range(10)))

    assert sorted(answer.status for answer in answers) == [303] + [400] * 9
