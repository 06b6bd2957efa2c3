"""A password that was set by somebody else is replaced before a session begins."""

import pytest
from argon2 import PasswordHasher
from people import hashed

NEW = "seventeen grey herons"


@pytest.fixture
def newcomer(product):
    """Somebody whose password an administrator has set."""
    return product.person("acme", must_change_password=True)


@pytest.fixture
def asked(start, browser, newcomer):
    """The page that asks for a new password."""
    page = browser.sign_in(start(), newcomer)
    assert page.path == "/sign-in/new-password", page.text
    return page


def send(browser, page, password, repeat=None):
    return browser.submit(
        page, "save", new_password=password, repeat=password if repeat is None else repeat
    )


def test_the_first_password_proves_but_signs_nobody_in(product, browser, asked, newcomer):
    assert browser.cookie(asked.url, "insula_session") is None
    assert not product.rows("select * from insula.sessions where user_id = %s", newcomer.id)
    assert newcomer.email in asked.text
    assert asked.form.values["username"] == newcomer.email


def test_the_new_one_signs_in_and_leads_on_and_the_first_is_over(
    product, start, browser, another_browser, asked, newcomer
):
    assert send(browser, asked, NEW).code

    assert another_browser.sign_in(start(another_browser), newcomer).status == 422
    assert another_browser.sign_in(start(another_browser), newcomer, NEW).code
    assert product.audit("acme", "user.password_changed", target_id=str(newcomer.id))


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "Use at least 15 characters."),
        ("fourteen chars", "Use at least 15 characters."),
        ("x" * 129, "Use at most 128 characters."),
        ("aaaaaaaaaaaaaaaaaa", "too common"),
        ("PasswordPassword", "too common"),
        ("{username}acmeacme1", "mostly your name"),
        ("a password that is long enough", "Choose another password than the one you have."),
    ],
)
def test_a_weak_one_is_refused_with_a_reason_at_its_field(browser, asked, newcomer, password, said):
    again = send(browser, asked, password.format(username=newcomer.username))

    assert again.status == 422
    assert said in again.text
    assert "#new_password" in again.links
    assert "<title>Error: Choose a new password" in again.response.text
    assert again.form.values["new_password"] == ""
    assert send(browser, again, NEW).code


@pytest.mark.parametrize(
    "password",
    [
        "all lower case letters",
        "fifteen chars !",
        "abcdefgh" * 16,
        "ひらがなだけでもよいのですよね",
    ],
)
def test_no_rule_but_length_binds_a_good_one(browser, asked, password):
    assert send(browser, asked, password).code


def test_two_that_differ_are_refused(browser, asked):
    again = send(browser, asked, NEW, repeat=f"{NEW}.")

    assert again.status == 422
    assert "The two passwords differ." in again.text
    assert "#repeat" in again.links


def test_without_the_first_password_there_is_nothing_to_replace(product, start, browser, newcomer):
    page = start()
    url = page.url.replace("/sign-in?", "/sign-in/new-password?")

    assert browser.open(url).path == "/sign-in"
    answer = browser.post(
        url,
        {"csrf_token": page.form.values["csrf_token"], "new_password": NEW, "repeat": NEW},
    )

    assert answer.status_code == 400
    (row,) = product.rows("select password_hash from insula.users where id = %s", newcomer.id)
    assert row.password_hash == hashed(newcomer.password)


def test_whoever_was_disabled_meanwhile_does_not_get_in(product, browser, asked, newcomer):
    product.change("update insula.users set status = 'disabled' where id = %s", newcomer.id)

    assert send(browser, asked, NEW).status == 400
    assert not product.rows("select * from insula.sessions where user_id = %s", newcomer.id)


def test_a_form_from_before_the_change_changes_nothing_again(product, browser, asked, newcomer):
    answered = send(browser, asked, NEW)
    assert answered.code

    late = browser.open(asked.url)
    assert late.status == 400
    assert not product.rows(
        "select * from insula.users where id = %s and must_change_password", newcomer.id
    )


def test_a_hash_of_another_cost_is_renewed_at_the_next_sign_in(product, start, browser, ada):
    stale = PasswordHasher(1, 8192, 1).hash(ada.password)
    product.change("update insula.users set password_hash = %s where id = %s", stale, ada.id)

    assert browser.sign_in(start(), ada).code

    (row,) = product.rows("select password_hash from insula.users where id = %s", ada.id)
    assert row.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert browser.sign_in(start(prompt="login"), ada).code


def test_a_hash_is_not_renewed_by_a_wrong_password(product, start, browser, ada):
    stale = PasswordHasher(1, 8192, 1).hash(ada.password)
    product.change("update insula.users set password_hash = %s where id = %s", stale, ada.id)

    assert browser.sign_in(start(), ada, "a wrong one").status == 422

    (row,) = product.rows("select password_hash from insula.users where id = %s", ada.id)
    assert row.password_hash == stale
