"""Who may post a form: its token, bound to browser, session and tenant, and where it came from."""

import re

import pytest

from insula.sign_in.guard import Pages
from insula.sign_in.routes import routes

POSTS = sorted(
    route.path
    for route in routes(Pages(None, None, b"", None))
    if route.methods and "POST" in route.methods
)


@pytest.fixture
def page(start):
    return start()


def txn_of(page):
    return page.response.url.params["txn"]


def is_refused(answer):
    assert answer.status_code == 403, (answer.status_code, answer.text)
    assert "csrf_failed" in answer.text
    assert not [h for h in answer.headers.get_list("set-cookie") if "insula_session" in h]
    return True


def test_there_are_forms_to_protect():
    assert len(POSTS) >= 5


@pytest.mark.spec("AZ-14")
@pytest.mark.parametrize("path", POSTS)
def test_every_form_needs_its_token(product, browser, page, path):
    url = product.url("acme", f"{path}?txn={txn_of(page)}")

    assert is_refused(browser.post(url, {"sign_in": "1"}))
    assert is_refused(browser.post(url, {"csrf_token": ""}))
    assert is_refused(browser.post(url, {"csrf_token": "A" * 43}))


def test_a_token_that_is_sent_twice_is_none(browser, page, ada):
    token = page.form.values["csrf_token"]
    data = {"username": ada.email, "password": ada.password, "csrf_token": [token, token]}

    assert is_refused(browser.post(page.url, data))


def test_a_token_in_the_query_is_none(browser, page, ada):
    data = {"username": ada.email, "password": ada.password}

    assert is_refused(browser.post(f"{page.url}&csrf_token={page.form.values['csrf_token']}", data))


def test_another_browsers_token_is_worth_nothing(start, browser, another_browser, page, ada):
    theirs = start(another_browser).form.values["csrf_token"]

    assert theirs != page.form.values["csrf_token"]
    assert is_refused(
        browser.send(page, username=ada.email, password=ada.password, csrf_token=theirs)
    )


def test_another_tenants_token_is_worth_nothing_with_the_same_cookies(product, browser, page, ada):
    app = product.app("globex")
    theirs = browser.open(product.authorize_url("globex", app))
    # the same browser secret at both, as if a cookie had been tossed
    secret = browser.cookie(page.url, "insula_browser")
    browser.plant(theirs.url, "insula_browser", secret)
    theirs = browser.open(product.authorize_url("globex", app))

    assert browser.cookie(theirs.url, "insula_browser") == secret
    assert theirs.form.values["csrf_token"] != page.form.values["csrf_token"]
    assert is_refused(
        browser.send(
            page,
            username=ada.email,
            password=ada.password,
            csrf_token=theirs.form.values["csrf_token"],
        )
    )


def test_a_token_from_before_the_sign_in_ends_with_it(product, browser, page, ada):
    before = page.form.values["csrf_token"]
    browser.sign_in(page, ada)
    signing_out = browser.open(product.url("acme", "/sign-in/out"))

    assert signing_out.form.values["csrf_token"] != before
    assert is_refused(browser.send(signing_out, "sign_out", csrf_token=before))


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://globex.localhost"},
        {"origin": "http://acme.localhost.evil.example"},
        {"origin": "http://localhost"},
        {"origin": "http://["},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "null", "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused_even_with_its_token(browser, page, ada, headers):
    typed = {"username": ada.email, "password": ada.password}

    assert is_refused(browser.send(page, "sign_in", headers=headers, **typed))


@pytest.mark.spec("RM-3")
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "ours", "sec-fetch-site": "same-origin"},
        {"origin": "null", "sec-fetch-site": "same-origin"},
        {"origin": "null"},
    ],
    ids=str,
)
def test_a_form_from_our_own_page_is_taken(product, browser, page, ada, headers):
    if headers.get("origin") == "ours":
        headers = {**headers, "origin": product.issuer("acme")}
    typed = {"username": ada.email, "password": ada.password}

    assert browser.send(page, "sign_in", headers=headers, **typed).status_code == 303


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("text/plain", 415), ("application/json", 415), ("multipart/form-data; boundary=x", 415)],
)
def test_only_forms_are_read(browser, page, content_type, status):
    answer = browser.http.post(page.url, content=b"a=b", headers={"content-type": content_type})

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"a=" + b"x" * 70_000, 413), (b"a=1&" * 101, 422), (b"username=%ff", 422)],
    ids=["too long", "too many fields", "not UTF-8"],
)
def test_a_body_beyond_the_limits_is_refused(browser, page, body, status):
    headers = {"content-type": "application/x-www-form-urlencoded"}

    assert browser.http.post(page.url, content=body, headers=headers).status_code == status


def test_a_refused_form_is_explained_on_a_page_without_what_was_sent(browser, page):
    answer = browser.send(page, csrf_token="<script>x</script>", username="<b>")  # noqa: S106

    assert is_refused(answer)
    assert re.search(r"<title>Error: ", answer.text)
    assert "<script>x" not in answer.text
    assert "<b>" not in answer.text


def test_looking_signs_nobody_in_or_out_and_allows_nothing(product, start, browser, ada):
    asked = product.app("acme", consent="ask")
    consent = browser.sign_in(start(application=asked), ada)
    assert consent.path == "/sign-in/consent"
    before = browser.cookie(consent.url, "insula_session")

    for path in POSTS:
        url = product.url("acme", f"{path}?txn={txn_of(consent)}&allow=1&sign_out=1&account=1")
        for method in ("GET", "HEAD"):
            browser.http.request(method, url)

    assert browser.cookie(consent.url, "insula_session") == before
    assert not product.rows("select * from insula.grants where user_id = %s", ada.id)
    (session,) = product.rows("select ended_at from insula.sessions where user_id = %s", ada.id)
    assert session.ended_at is None


@pytest.mark.parametrize("field", ["username", "password", "something\0else"])
def test_a_field_with_a_character_that_no_text_holds_is_refused_clearly(browser, page, ada, field):
    data = {**page.form.values, "username": ada.email, "password": ada.password, field: "a\0b"}

    answer = browser.post(page.url, data)

    assert answer.status_code == 422
    assert "The form holds the character U+0000." in answer.text
