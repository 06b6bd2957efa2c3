"""What changes about a person while their password is being checked is seen before they are in."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from people import hashed

from insula.accounts import service as accounts
from insula.audit.models import Actor

CHANGES = {
    "password": "password_hash = 'another'",
    "no password": "password_hash = null",
    "disabled": "status = 'disabled'",
    "locked": "status = 'locked'",
    "locked for an hour": "locked_until = now() + interval '1 hour'",
}
NEW = "seventeen grey herons"
_WAITS = """
    select from pg_locks where not granted and locktype = 'transactionid'
       and transactionid = pg_current_xact_id()::xid
"""


@pytest.fixture
def meanwhile(product):
    """Change a person's row while *work* goes on: it has to wait for the change to be known."""

    def meanwhile(person, change, work):
        with ThreadPoolExecutor(1) as pool:
            with product.db.transaction():
                product.change(f"update insula.users set {change} where id = %s", person.id)  # noqa: S608
                future = pool.submit(work)
                deadline = time.monotonic() + 10
                while not product.rows(_WAITS):
                    assert time.monotonic() < deadline, "nobody waited for the change"
                    time.sleep(0.01)
            return future.result(30)

    return meanwhile


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_session_is_born_of_what_was_true_when_the_check_began(
    product, start, browser, ada, meanwhile, change
):
    page = start()

    refused = meanwhile(ada, change, lambda: browser.sign_in(page, ada))

    assert refused.status == 422
    assert "The name and password do not match." in refused.text
    assert not product.rows("select * from insula.sessions where user_id = %s", ada.id)
    assert product.audit("acme", "user.login_failed", target_id=str(ada.id))


def test_a_hash_that_was_only_renewed_meanwhile_keeps_nobody_out(
    product, start, browser, ada, meanwhile
):
    stale = PasswordHasher(1, 8192, 1).hash(ada.password)
    product.change("update insula.users set password_hash = %s where id = %s", stale, ada.id)
    page = start()

    arrived = meanwhile(
        ada, f"password_hash = '{hashed(ada.password)}'", lambda: browser.sign_in(page, ada)
    )

    assert arrived.code


def test_two_sign_ins_of_one_person_at_once_both_succeed(start, browser, another_browser, ada):
    pages = [(browser, start(browser)), (another_browser, start(another_browser))]

    with ThreadPoolExecutor(2) as pool:
        arrived = list(pool.map(lambda at: at[0].sign_in(at[1], ada), pages))

    assert all(page.code for page in arrived)


@pytest.fixture
def newcomer(product):
    """Somebody whose password an administrator has set."""
    return product.person("acme", must_change_password=True)


@pytest.fixture
def asked(start, browser, newcomer):
    """The page that asks for a new password."""
    return browser.sign_in(start(), newcomer)


def choose(browser, page, password=NEW):
    return browser.submit(page, "save", new_password=password, repeat=password)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_no_password_is_replaced_that_changed_while_the_new_one_was_checked(
    product, browser, asked, newcomer, meanwhile, change
):
    refused = meanwhile(newcomer, change, lambda: choose(browser, asked))

    assert refused.status == 400
    assert not product.rows("select * from insula.sessions where user_id = %s", newcomer.id)
    assert not product.audit("acme", "user.password_changed", target_id=str(newcomer.id))


@pytest.mark.parametrize("typed", [NEW, "another forced password"])
def test_a_newer_forced_password_ends_the_step_of_the_older_one(
    product, browser, asked, newcomer, typed
):
    forced = "another forced password"
    product.in_transaction(
        "acme",
        lambda db: accounts.change_password(
            db, newcomer.id, hashed(forced), actor=Actor("admin"), must_change=True
        ),
    )

    assert choose(browser, asked, typed).status == 400
    assert browser.open(asked.url).status == 400
    assert not product.rows("select * from insula.sessions where user_id = %s", newcomer.id)
    (row,) = product.rows("select password_hash from insula.users where id = %s", newcomer.id)
    assert row.password_hash == hashed(forced)
