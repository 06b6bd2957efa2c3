"""A stranger learns nothing from a refusal: unknown, wrong, locked and disabled look the same."""

import re
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

import pytest
from product import CALLBACK

from insula.accounts import service as accounts

WRONG = "not the password of anybody"

_CHANGING = re.compile(
    r'(?<=name="csrf_token" value=")[^"]*'
    r"|(?<=txn=)[0-9a-f-]{36}"
    r'|(?<=name="username" type="text" value=")[^"]*'
)


def as_seen(response):
    """An answer without what differs between any two answers, and what was typed."""
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in {"date", "x-request-id", "content-length"}
    }
    return response.status_code, headers, _CHANGING.sub("", response.text)


@pytest.fixture
def refused(start, browser):
    """The answer to a name and a password at a page that was just opened."""

    def refused(name, password):
        page = start(browser)
        return browser.send(page, "sign_in", username=name, password=password)

    return refused


def test_the_right_password_leads_back_to_the_application(product, app, start, browser, ada):
    page = start()
    assert page.path == "/sign-in", page.text

    answered = browser.sign_in(page, ada)

    assert answered.answer["state"] == "xyz"
    assert answered.answer["iss"] == product.issuer("acme")
    assert product.redeem("acme", app, answered.code).json()["id_token"]


@pytest.mark.spec("RFC9700-4.11.2", "AZ-11")
def test_whoever_cancels_is_asked_before_the_application_hears_of_it(product, start, browser):
    page = browser.submit(start(), "cancel")

    assert (page.status, page.left) == (400, None)
    assert "This takes you to 127.0.0.1:9000 ." in page.text
    (back,) = [link for link in page.links if link.startswith(CALLBACK)]
    told = dict(parse_qsl(urlsplit(back).query))
    assert (told["error"], told["state"]) == ("access_denied", "xyz")
    assert told["iss"] == product.issuer("acme")


@pytest.mark.spec("RFC6749-4.1.2.1", "AZ-11")
def test_whoever_is_signed_in_and_cancels_goes_back_at_once(start, browser, ada):
    browser.sign_in(start(), ada)

    page = browser.submit(start(prompt="login"), "cancel")

    assert page.answer["error"] == "access_denied"


def test_nothing_is_left_of_what_was_cancelled(start, browser, ada):
    page = start()
    browser.submit(page, "cancel")

    late = browser.sign_in(page, ada)

    assert (late.status, late.left) == (400, None)
    assert (
        "cancel" not in browser.open(page.url.partition("/sign-in")[0] + "/sign-in").response.text
    )


@pytest.mark.parametrize("name", ["username", "email"])
def test_a_person_is_known_by_name_and_by_address_however_it_is_written(start, browser, ada, name):
    typed = f"  {getattr(ada, name).upper()} "
    page = start()

    assert browser.submit(page, "sign_in", username=typed, password=ada.password).code


def test_unknown_wrong_locked_and_disabled_get_the_same_answer(product, refused):
    locked, held, disabled, wrong = (product.person("acme") for _ in range(4))
    product.in_transaction("acme", lambda db: accounts.lock(db, locked.id))
    product.in_transaction("acme", lambda db: accounts.lock(db, held.id, timedelta(hours=1)))
    product.in_transaction("acme", lambda db: accounts.disable(db, disabled.id))
    stranger = product.person("globex")

    answers = [
        refused("nobody-of-that-name@acme.example", WRONG),
        refused(wrong.email, WRONG),
        refused(locked.email, locked.password),
        refused(locked.email, WRONG),
        refused(held.email, held.password),
        refused(disabled.email, disabled.password),
        refused(stranger.email, stranger.password),
    ]

    first = as_seen(answers[0])
    assert first[0] == 422
    assert "The name and password do not match." in first[2]
    # the second try of one name says so; nobody else's answer differs in a byte
    assert "3 tries left" in answers[3].text
    for other in (a for a in answers if a is not answers[3]):
        assert as_seen(other) == first
    assert all("set-cookie" not in a.headers for a in answers)


def test_every_refusal_is_recorded_with_its_reason_and_no_secret(product, refused, browser):
    disabled = product.person("acme")
    product.in_transaction("acme", lambda db: accounts.disable(db, disabled.id))
    refused("nobody@acme.example", WRONG)
    refused(disabled.email, disabled.password)

    lines = product.audit("acme", "user.login_failed", ip=ip_address(browser.address))

    assert [row.metadata["reason"] for row in lines] == ["account_disabled", "invalid_credentials"]
    assert [row.target_id for row in lines] == [str(disabled.id), None]
    assert WRONG not in str(lines)
    assert "nobody" not in str(lines)


def test_a_refusal_keeps_the_name_and_forgets_the_password(start, browser, ada):
    page = browser.sign_in(start(), ada, WRONG)

    assert page.form.values["username"] == ada.email
    assert page.form.values["password"] == ""
    assert WRONG not in page.response.text
    assert "<title>Error: Sign in" in page.response.text
    assert browser.sign_in(page, ada).code


@pytest.mark.parametrize(
    ("username", "password", "fields"),
    [("", "x", ["username"]), ("x", "", ["password"]), ("", "", ["username", "password"])],
)
def test_an_empty_field_is_named_and_counts_as_no_attempt(
    product, start, browser, username, password, fields
):
    page = browser.submit(start(), "sign_in", username=username, password=password)

    assert page.status == 422
    assert [link for link in page.links if link.startswith("#") and link != "#main"] == [
        f"#{field}" for field in fields
    ]
    assert page.response.text.count('aria-invalid="true"') == len(fields)
    assert not product.audit("acme", "user.login_failed", ip=ip_address(browser.address))


def test_a_password_that_is_sent_twice_is_no_password(start, browser, ada):
    page = start()
    data = {**page.form.values, "username": ada.email, "password": [ada.password, ada.password]}

    assert browser.post(page.url, data).status_code == 422


def test_a_password_of_another_case_or_with_a_blank_around_it_is_another(start, browser, ada):
    page = start()
    for typed in (ada.password.upper(), f" {ada.password}", ada.password[:-1]):
        assert browser.send(page, "sign_in", username=ada.email, password=typed).status_code == 422


def test_a_composed_and_a_decomposed_password_are_the_same(product, start, browser):
    person = product.person("acme")
    composed, decomposed = "un m\u00eame mot de passe", "un me\u0302me mot de passe"
    hashed = product.backstage.run(
        lambda here: here.passwords.hash(product.tenant_id("acme"), composed)
    )
    product.change("update insula.users set password_hash = %s where id = %s", hashed, person.id)

    assert browser.sign_in(start(), person, decomposed).code
