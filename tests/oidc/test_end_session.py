"""RP-Initiated Logout (LO-1 to LO-5)."""

from uuid import uuid4

import pytest
from oidc_world import Person, build, call, ring_of
from test_authorize_errors import is_page, is_told

BYE = "https://app.example/bye"
BEA = Person(uuid4(), {"name": "Bea"})


async def signed_in(world, client):
    """A browser with a session, and the id_token its client holds."""
    browser = world.signed_in()
    return browser, (await world.tokens(client, browser))["id_token"]


def is_confirmed_first(world, answer, return_to, client):
    assert (answer.status, answer.location) == (303, "/sign-out")
    asked = world.host.people.sign_outs[-1]
    assert (asked.return_to, asked.client) == (return_to, client)
    assert world.host.people.sessions
    return True


@pytest.mark.spec("OIDCRIL-2", "OIDCRIL-3")
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_proven_client_ends_the_session_and_gets_the_browser_back(world, web, method):
    browser, hint = await signed_in(world, web)

    answer = await browser.go(
        "/oauth2/logout",
        {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "a b&c"},
        method=method,
    )
    silent = await browser.authorize(web, prompt="none")

    assert (answer.status, answer.location) == (303, BYE + "?state=a%20b%26c")
    assert "session" not in browser.cookies
    assert not world.host.people.sessions
    assert is_told(silent, "login_required")


@pytest.mark.spec("OIDCRIL-3")
async def test_without_state_none_is_added(world, web):
    browser, hint = await signed_in(world, web)

    answer = await browser.go(
        "/oauth2/logout", {"id_token_hint": hint, "post_logout_redirect_uri": BYE}
    )

    assert answer.location == BYE


@pytest.mark.spec("OIDCRIL-2")
@pytest.mark.parametrize("more", [{}, {"state": "x"}, {"client_id": "web"}, {"ui_locales": "fr"}])
async def test_without_an_address_a_page_says_so(world, web, more):
    browser, hint = await signed_in(world, web)

    answer = await browser.go("/oauth2/logout", {"id_token_hint": hint} | more)

    assert answer.status == 200
    assert "Signed out of App" in answer.text
    assert "location" not in answer.headers
    assert not world.host.people.sessions


@pytest.mark.spec("OIDCRIL-2")
async def test_without_a_hint_the_person_confirms(world, web):
    browser = world.signed_in()

    assert is_confirmed_first(world, await browser.go("/oauth2/logout"), None, None)
    asked = await browser.go("/oauth2/logout", {"client_id": "web"})
    assert is_confirmed_first(world, asked, None, web)
    assert browser.cookies["browser"] == "out"


@pytest.mark.spec("OIDCRIL-2")
async def test_with_a_hint_about_somebody_else_the_person_confirms(world, web):
    hint = (await world.tokens(web, world.signed_in(BEA)))["id_token"]

    answer = await world.signed_in().go(
        "/oauth2/logout", {"id_token_hint": hint, "post_logout_redirect_uri": BYE}
    )

    assert is_confirmed_first(world, answer, BYE, web)


@pytest.mark.spec("OIDCRIL-2")
async def test_who_is_not_signed_in_is_signed_out(world, web):
    _, hint = await signed_in(world, web)

    plain = await world.browser().go("/oauth2/logout")
    back = await world.browser().go(
        "/oauth2/logout", {"id_token_hint": hint, "post_logout_redirect_uri": BYE}
    )

    assert (plain.status, plain.text) == (200, "<p>Signed out of everything")
    assert back.location == BYE


@pytest.mark.spec("OIDCRIL-3")
@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        BYE + "?x=1",
        BYE + "/",
        BYE.upper(),
        "https://app.example/cb",
        "javascript:alert(1)",
    ],
)
async def test_an_address_that_is_not_registered_ends_on_a_page(world, web, uri):
    browser, hint = await signed_in(world, web)

    answer = await browser.go(
        "/oauth2/logout", {"id_token_hint": hint, "post_logout_redirect_uri": uri}
    )

    assert is_page(answer)
    assert world.host.people.sessions


@pytest.mark.spec("OIDCRIL-3")
@pytest.mark.parametrize("more", [{}, {"client_id": "web"}])
async def test_an_address_without_a_proven_client_ends_on_a_page(world, web, more):
    browser, _ = await signed_in(world, web)

    assert is_page(await browser.go("/oauth2/logout", {"post_logout_redirect_uri": BYE} | more))


@pytest.mark.spec("OIDCRIL-4")
async def test_an_expired_hint_serves(world, web, later):
    browser, hint = await signed_in(world, web)
    later(86400)

    await browser.go("/oauth2/logout", {"id_token_hint": hint})

    assert not world.host.people.sessions


@pytest.mark.spec("OIDCRIL-4")
async def test_a_hint_that_proves_nothing_ends_on_a_page(world, web, foreign):
    browser, hint = await signed_in(world, web)
    world.client("other")
    head, payload, signature = hint.split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"
    bad = [
        {"id_token_hint": "garbage"},
        {"id_token_hint": f"{none}.{payload}."},
        {"id_token_hint": f"{head}.{payload}.{signature[::-1]}"},
        {"id_token_hint": hint, "client_id": "other"},
        {"id_token_hint": hint, "client_id": "nobody"},
        {"client_id": "nobody"},
        {"id_token_hint": hint, "state": "s" * 2049},
    ]

    for params in bad:
        assert is_page(await browser.go("/oauth2/logout", params))
    world.provider = build(world.host, ring_of(foreign.values()))
    assert is_page(await browser.go("/oauth2/logout", {"id_token_hint": hint}))
    assert world.host.people.sessions


async def test_a_hint_of_a_client_that_went_away_ends_on_a_page(world, web):
    browser, hint = await signed_in(world, web)
    del world.host.clients.active["web"]

    assert is_page(await browser.go("/oauth2/logout", {"id_token_hint": hint}))


async def test_a_doubled_parameter_ends_on_a_page(world, web):
    browser, hint = await signed_in(world, web)

    answer = await browser.go("/oauth2/logout", [("id_token_hint", hint), ("id_token_hint", hint)])

    assert is_page(answer)


@pytest.mark.spec("OIDCRIL-2")
async def test_a_post_of_another_site_comes_back_by_get_with_its_cookies(world, web):
    browser, hint = await signed_in(world, web)
    params = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "x": "y"}

    without = await browser.go("/oauth2/logout", params, method="POST", cookies=False)
    assert world.host.people.sessions
    answer = await browser.follow(without)

    assert without.location.startswith("/oauth2/logout?")
    assert answer.location == BYE
    assert not world.host.people.sessions


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
async def test_other_methods_are_refused(world, method):
    answer = await call(world.provider, method, "/oauth2/logout")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")
