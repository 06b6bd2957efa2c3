"""Signing out: asked first, complete, and for good."""

import pytest

SESSION = "insula_session"


@pytest.fixture
def home(product):
    return product.url("acme", "/")


@pytest.fixture
def signed_in(browser, ada, home):
    browser.sign_in(browser.open(home), ada)
    return browser


def test_it_is_asked_first(product, signed_in, ada, home):
    page = signed_in.open(product.url("acme", "/sign-in/out"))

    assert "Sign out of Acme?" in page.text
    assert ada.email in page.text
    assert [name for name, _ in page.form.buttons] == ["stay", "sign_out"]
    assert "You are signed in" in signed_in.open(home).text


def test_whoever_stays_is_still_here(product, signed_in):
    page = signed_in.open(product.url("acme", "/sign-in/out"))

    assert "You are signed in" in signed_in.submit(page, "stay").text
    # and that question is answered
    assert signed_in.open(page.url).status == 400


def test_everybody_in_this_browser_leaves_and_no_cookie_brings_them_back(
    product, start, signed_in, ada, home
):
    bea = product.person("acme")
    signed_in.sign_in(signed_in.open(product.url("acme", "/sign-in")), bea)
    value = signed_in.cookie(home, SESSION)

    left = signed_in.submit(signed_in.open(product.url("acme", "/sign-in/out")), "sign_out")

    assert "You are signed out" in left.text
    assert signed_in.cookie(home, SESSION) is None
    rows = product.rows(
        "select ended_for from insula.sessions where user_id in (%s, %s)", ada.id, bea.id
    )
    assert [row.ended_for for row in rows] == ["logout", "logout"]
    signed_in.plant(home, SESSION, value)
    assert signed_in.open(home).path == "/sign-in"
    assert start(signed_in, prompt="none").answer["error"] == "login_required"
    for person in (ada, bea):
        assert len(product.audit("acme", "user.logged_out", actor_id=str(person.id))) == 1


def test_a_session_elsewhere_goes_on(product, signed_in, another_browser, ada, home):
    another_browser.sign_in(another_browser.open(home), ada)

    signed_in.submit(signed_in.open(product.url("acme", "/sign-in/out")), "sign_out")

    assert "You are signed in" in another_browser.open(home).text


def test_whoever_is_not_signed_in_is_told_that_they_are_out(product, browser):
    assert "You are signed out" in browser.open(product.url("acme", "/sign-in/out")).text


def test_an_application_that_proves_nothing_makes_the_person_decide(product, app, signed_in, home):
    page = signed_in.open(product.url("acme", f"/oauth2/logout?client_id={app.client_id}"))

    assert page.path == "/sign-in/out"
    assert "asks for it" in page.text
    assert "You are signed in" in signed_in.open(home).text
    assert "You are signed out" in signed_in.submit(page, "sign_out").text
    assert signed_in.open(home).path == "/sign-in"


def test_tokens_that_were_bound_to_the_session_end_with_it(product, start, signed_in):
    bound = product.app("acme", refresh_without_offline_access=True)
    lasting = product.app("acme")
    scope = "openid offline_access"
    refresh = {
        name: product.redeem(
            "acme", application, start(signed_in, application=application, scope=wanted).code
        ).json()["refresh_token"]
        for name, application, wanted in (("bound", bound, "openid"), ("lasting", lasting, scope))
    }

    signed_in.submit(signed_in.open(product.url("acme", "/sign-in/out")), "sign_out")

    def answer(name, application):
        form = {"grant_type": "refresh_token", "refresh_token": refresh[name]}
        with product.http(auth=(application.client_id, application.secret)) as http:
            return http.post(product.url("acme", "/oauth2/token"), data=form)

    assert answer("bound", bound).json()["error"] == "invalid_grant"
    assert answer("lasting", lasting).status_code == 200
