"""Steps of a sign-in: bound to one browser, of limited life, in their order, safe to repeat."""

import random
import time
from uuid import uuid4

import pytest

RESUME = "/oauth2/authorize/resume"
WRONG = "not the password of anybody"


def txn_of(page):
    return page.response.url.params["txn"]


def is_gone(page):
    assert page.status == 400, (page.status, page.text)
    assert page.left is None
    assert "<title>Error: " in page.response.text
    return True


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/sign-in/new-password",
        "/sign-in/select-account",
        "/sign-in/consent",
        "/sign-in/out",
        RESUME,
    ],
)
@pytest.mark.parametrize("txn", ["unknown", "", "x", "of another browser", "of another tenant"])
def test_a_step_that_is_not_this_browsers_is_gone(
    product, start, browser, another_browser, path, txn
):
    start(browser)
    ids = {
        "unknown": str(uuid4()),
        "of another browser": txn_of(start(another_browser)),
        "of another tenant": txn_of(
            browser.open(product.authorize_url("globex", product.demo_app("globex", "web")))
        ),
    }

    assert is_gone(browser.open(product.url("acme", f"{path}?txn={ids.get(txn, txn)}")))


def test_a_step_that_took_too_long_is_explained_and_signs_nobody_in(product, start, browser, ada):
    page = start()
    product.change(
        "update insula.interactions set step_expires_at = now() - interval '1 second'"
        " where id = %s",
        txn_of(page),
    )

    late = browser.sign_in(page, ada)

    assert is_gone(late)
    assert "Nothing was shared." in late.text
    assert "/sign-in" in late.links
    assert browser.cookie(page.url, "insula_session") is None
    assert not product.rows("select * from insula.sessions where user_id = %s", ada.id)


def test_each_step_gives_time_for_the_next_but_not_beyond_the_whole(product, start, browser, ada):
    page = start(application=product.app("acme", consent="ask"))
    product.change(
        "update insula.interactions set step_expires_at = now() + interval '1 minute',"
        " expires_at = now() + interval '2 minutes' where id = %s",
        txn_of(page),
    )

    browser.sign_in(page, ada)

    (row,) = product.rows(
        "select step_expires_at = expires_at as capped,"
        " step_expires_at > now() + interval '90 seconds' as longer"
        " from insula.interactions where id = %s",
        txn_of(page),
    )
    assert row == (True, True)


def test_a_session_that_dies_between_password_and_answer_is_asked_for_again(
    product, start, browser, ada
):
    answer = browser.send(start(), "sign_in", username=ada.email, password=ada.password)
    product.change("update insula.sessions set ended_at = now() where user_id = %s", ada.id)

    page = browser.open(product.url("acme", answer.headers["location"]))

    assert page.path == "/sign-in"
    assert browser.sign_in(page, ada).code


def test_reload_and_back_are_safe(product, start, browser, ada):
    asking = product.app("acme", consent="ask")
    page = start(application=asking)

    # reloaded: the same step, and its form still works
    reloaded = browser.open(page.url)
    assert reloaded.form.action == page.form.action
    consent = browser.sign_in(page, ada)
    assert consent.path == "/sign-in/consent"

    # back to the password: shown again, and doing it again leads forward again
    back = browser.open(page.url)
    assert back.path == "/sign-in"
    assert browser.sign_in(back, ada).path == "/sign-in/consent"
    consent = browser.open(consent.url)

    # the answer is given once: going back afterwards shows that it is over
    answered = browser.submit(consent, "allow")
    assert answered.code
    assert is_gone(browser.open(consent.url))
    assert is_gone(browser.submit(consent, "allow"))
    assert is_gone(browser.open(product.url("acme", f"{RESUME}?txn={txn_of(page)}")))


def test_the_same_form_sent_twice_signs_in_once_more_and_answers_once(start, browser, ada):
    page = start()
    first = browser.send(page, "sign_in", username=ada.email, password=ada.password)
    assert first.status_code == 303
    # the browser holds another session now, so the former page's token is over
    second = browser.send(page, "sign_in", username=ada.email, password=ada.password)
    assert second.status_code == 403


def test_two_tabs_of_one_browser_do_not_disturb_each_other(product, app, start, browser, ada):
    one, other = start(state="one"), start(state="other")
    assert txn_of(one) != txn_of(other)

    assert browser.sign_in(one, ada).answer["state"] == "one"
    other = browser.open(other.url)
    answered = browser.sign_in(other, ada)

    assert answered.answer["state"] == "other"
    assert product.redeem("acme", app, answered.code).status_code == 200


def test_what_was_asked_is_what_was_stored_whatever_the_address_says(
    product, app, start, browser, ada
):
    page = start(scope="openid")
    answer = browser.send(page, "sign_in", username=ada.email, password=ada.password)
    more = "&scope=openid+email&redirect_uri=https://evil.example&client_id=x&state=evil"

    done = browser.open(product.url("acme", answer.headers["location"] + more))

    assert done.answer["state"] == "xyz"
    assert product.redeem("acme", app, done.code).json()["scope"] == "openid"


@pytest.fixture
def elsewhere(product):
    """The slug, an application and a person of a tenant that a test may suspend."""
    slug = f"t{uuid4().hex[:10]}"
    product.tenant(slug)
    return slug, product.app(slug), product.person(slug)


def test_a_suspended_tenant_is_closed_within_a_second_to_a_sign_in_half_way(
    product, browser, elsewhere
):
    slug, app, person = elsewhere
    page = browser.open(product.authorize_url(slug, app))

    product.suspend(slug)
    deadline = time.monotonic() + 1
    while "tenant_not_active" not in browser.get(page.url).text:
        assert time.monotonic() < deadline
        time.sleep(0.02)

    late = browser.sign_in(page, person)
    assert "This organisation is not active" in late.text
    assert late.left is None


def test_a_suspension_that_no_process_has_heard_of_lets_nobody_in(product, browser, elsewhere):
    slug, app, person = elsewhere
    page = browser.open(product.authorize_url(slug, app))
    product.change("update insula.tenants set status = 'suspended' where slug = %s", slug)

    late = browser.sign_in(page, person)

    assert is_gone(late)
    assert not product.rows("select * from insula.sessions where user_id = %s", person.id)


def test_a_suspension_between_password_and_answer_yields_no_code(product, browser, elsewhere):
    slug, app, person = elsewhere
    page = browser.open(product.authorize_url(slug, app))
    answer = browser.send(page, "sign_in", username=person.email, password=person.password)
    product.change("update insula.tenants set status = 'suspended' where slug = %s", slug)

    late = browser.open(product.url(slug, answer.headers["location"]))

    assert late.left is None
    assert late.status == 400
    assert not product.rows(
        "select * from insula.authorization_codes where user_id = %s", person.id
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_walk_through_the_steps_reaches_a_code_without_the_password(
    product, start, browser, ada, seed
):
    """Every step in any order, with valid tokens and all buttons, but never the right password."""
    asking = product.app("acme", consent="ask")
    pages = [start(application=asking), browser.open(product.url("acme", "/sign-in"))]
    product.change("update insula.users set must_change_password = true where id = %s", ada.id)
    choose = random.Random(seed)  # noqa: S311
    steps = ["", "/new-password", "/select-account", "/consent", "/out"]
    strong = "a quite new and long password"
    filled = {
        "username": ada.email,
        "password": WRONG,
        "new_password": strong,
        "repeat": strong,
        "account": str(ada.id),
        "allow": "1",
        "save": "1",
        "scope": "openid",
        "sign_in": "1",
    }

    for _ in range(25):
        page = choose.choice(pages)
        url = product.url("acme", f"/sign-in{choose.choice(steps)}?txn={txn_of(page)}")
        match choose.randrange(3):
            case 0:
                browser.get(url)
            case 1:
                browser.post(url, {"csrf_token": page.form.values["csrf_token"], **filled})
            case 2:
                arrived = browser.open(product.url("acme", f"{RESUME}?txn={txn_of(page)}"))
                assert arrived.left is None
                assert arrived.path != "/sign-in/consent"

    assert not product.rows("select * from insula.sessions where user_id = %s", ada.id)
    assert not product.rows("select * from insula.grants where user_id = %s", ada.id)
    assert not product.rows("select * from insula.authorization_codes where user_id = %s", ada.id)
