"""A session: new at each sign-in, of limited life, and over when it is over."""

import secrets

import pytest
from product import SIGNED_OUT
from spine import Api

from insula.accounts import service as accounts

SESSION = "insula_session"


@pytest.fixture
def home(product):
    return product.url("acme", "/")


@pytest.fixture
def signed_in(start, browser, ada):
    """Ada's browser, after she has signed in."""
    browser.sign_in(start(), ada).code  # noqa: B018  (asserts that there is one)
    return browser


def is_known(browser, home):
    return "You are signed in" in browser.open(home).text


def sessions_of(product, person):
    return product.rows(
        "select * from insula.sessions where user_id = %s order by created_at", person.id
    )


def test_a_planted_session_id_does_not_survive_the_sign_in(product, start, browser, ada, home):
    token = secrets.token_urlsafe(32)
    planted = f"{product.tenant_id('acme').hex}.{token}"
    browser.plant(home, SESSION, planted)

    browser.sign_in(start(), ada).code  # noqa: B018

    assert browser.cookie(home, SESSION).split(".")[1] != token
    with product.http() as http:
        answer = http.get(home, headers={"cookie": f"{SESSION}={planted}"})
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-4", "RT-1", "RT-10")
def test_proving_oneself_again_for_one_application_keeps_the_others_signed_in(
    product, start, browser, ada
):
    first = product.app("acme", refresh_without_offline_access=True)
    there = Api(product, "acme", first)
    tokens = there.redeem(browser.sign_in(start(application=first), ada).code).json()

    again = browser.sign_in(start(application=product.app("acme"), prompt="login"), ada)

    assert again.code
    assert there.userinfo(tokens["access_token"]).status_code == 200
    answer = there.refresh(tokens["refresh_token"])
    assert answer.status_code == 200, answer.text
    browser.submit(browser.open(product.url("acme", "/sign-in/out")), "sign_out")
    assert there.refresh(answer.json()["refresh_token"]).status_code == 400
    assert there.userinfo(answer.json()["access_token"]).status_code == 401


@pytest.mark.spec("RT-10", "security row 34")
@pytest.mark.parametrize("limit", ["idle_expires_at", "absolute_expires_at"])
def test_what_ended_with_a_session_does_not_come_back_with_the_next_sign_in(
    product, start, browser, ada, limit
):
    app = product.app("acme", refresh_without_offline_access=True)
    api = Api(product, "acme", app)
    tokens = api.redeem(browser.sign_in(start(application=app), ada).code).json()
    product.change(
        f"update insula.sessions set {limit} = now() - interval '1 second' where user_id = %s",  # noqa: S608
        ada.id,
    )
    assert api.userinfo(tokens["access_token"]).status_code == 401

    assert browser.sign_in(start(application=app), ada).code
    assert api.userinfo(tokens["access_token"]).status_code == 401
    assert api.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_each_sign_in_has_a_new_id_and_ends_the_one_before(
    product, app, start, signed_in, ada, home
):
    before = signed_in.cookie(home, SESSION)
    first_sid = product.redeem("acme", app, start(signed_in).code).json()["id_token"]

    page = start(signed_in, prompt="login")
    assert "Confirm it is you" in page.text
    again = signed_in.sign_in(page, ada)

    after = signed_in.cookie(home, SESSION)
    assert not set(before.split(".")[1:]) & set(after.split(".")[1:])
    assert product.redeem("acme", app, again.code).json()["id_token"] != first_sid
    former, present = sessions_of(product, ada)
    assert (former.ended_for, present.ended_for) == ("renewed", None)
    signed_in.plant(home, SESSION, before)
    assert not is_known(signed_in, home)


@pytest.mark.parametrize("limit", ["idle_expires_at", "absolute_expires_at"])
def test_a_session_ends_at_its_limits(product, signed_in, ada, home, limit):
    assert is_known(signed_in, home)

    product.change(
        f"update insula.sessions set {limit} = now() - interval '1 second' where user_id = %s",  # noqa: S608
        ada.id,
    )

    assert not is_known(signed_in, home)


@pytest.mark.parametrize("limit", ["idle_expires_at", "absolute_expires_at"])
def test_at_an_application_an_old_session_asks_for_the_password_again(
    product, start, signed_in, ada, limit
):
    product.change(
        f"update insula.sessions set {limit} = now() - interval '1 second' where user_id = %s",  # noqa: S608
        ada.id,
    )

    assert start(signed_in).path == "/sign-in"
    assert start(signed_in, prompt="none").answer["error"] == "login_required"


def test_use_moves_the_idle_limit_and_never_past_the_absolute_one(product, start, signed_in, ada):
    product.change(
        "update insula.sessions set last_seen_at = now() - interval '2 minutes',"
        " idle_expires_at = now() + interval '1 minute',"
        " absolute_expires_at = now() + interval '1 hour' where user_id = %s",
        ada.id,
    )

    assert start(signed_in).code

    (session,) = product.rows(
        "select idle_expires_at = absolute_expires_at as capped,"
        " idle_expires_at > now() + interval '50 minutes' as moved"
        " from insula.sessions where user_id = %s",
        ada.id,
    )
    assert session == (True, True)


@pytest.mark.parametrize("act", [accounts.lock, accounts.disable], ids=["lock", "disable"])
def test_locking_or_disabling_a_person_ends_their_sessions_at_once(
    product, start, signed_in, ada, home, act
):
    product.in_transaction("acme", lambda db: act(db, ada.id))

    assert not is_known(signed_in, home)
    assert start(signed_in).path == "/sign-in"


def test_who_was_unlocked_signs_in_again_and_the_old_cookie_stays_dead(
    product, start, signed_in, another_browser, ada, home
):
    product.in_transaction("acme", lambda db: accounts.lock(db, ada.id))
    product.in_transaction("acme", lambda db: accounts.enable(db, ada.id))

    assert not is_known(signed_in, home)
    assert another_browser.sign_in(start(another_browser), ada).code


def test_max_age_looks_at_the_sign_in_and_not_at_its_last_use(product, start, signed_in, ada):
    assert start(signed_in, max_age="3600").code
    product.change(
        "update insula.sessions set auth_time = auth_time - interval '2 hours' where user_id = %s",
        ada.id,
    )

    assert start(signed_in).code
    assert "Confirm it is you" in start(signed_in, max_age="3600").text


def test_the_landing_page_says_who_is_here_and_leads_out(product, signed_in, ada, home):
    page = signed_in.open(home)

    assert ada.email in page.text
    assert "/sign-in/out" in page.links
    signed_out = signed_in.submit(signed_in.open(product.url("acme", "/sign-in/out")), "sign_out")
    assert "You are signed out" in signed_out.text
    assert not is_known(signed_in, home)


def test_single_sign_on_asks_nothing_of_a_second_application(product, start, signed_in):
    second = product.app("acme")

    assert start(signed_in, application=second).code


def test_a_logged_out_person_is_asked_again_by_every_application(
    product, app, start, signed_in, ada
):
    tokens = product.redeem("acme", app, start(signed_in).code).json()
    url = f"/oauth2/logout?id_token_hint={tokens['id_token']}&post_logout_redirect_uri={SIGNED_OUT}"
    cookie = signed_in.cookie(product.issuer("acme"), SESSION)

    assert signed_in.open(product.url("acme", url)).left == SIGNED_OUT

    signed_in.plant(product.issuer("acme"), SESSION, cookie)
    assert start(signed_in).path == "/sign-in"
    assert start(signed_in, prompt="none").answer["error"] == "login_required"
    (session,) = sessions_of(product, ada)
    assert session.ended_for == "logout"
