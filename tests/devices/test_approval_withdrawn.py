"""Between the person's word and the device's next poll everybody must stay who they were (DV-6)."""

import pytest
from browsing import Browser
from people import hashed
from spine import Api, until
from televisions import Television, make_tv

from insula.accounts import service as accounts
from insula.audit.models import SYSTEM
from insula.tenants import service as tenants

pytestmark = pytest.mark.spec("RFC8628-3.4", "DV-6", "TK-15")

OFFLINE = "openid offline_access"


@pytest.fixture
def let_in(browser, form, api):
    """A device that stays connected, approved but not yet told so."""
    device = Television(api, scope=OFFLINE)
    browser.submit(browser.submit(form, "look", user_code=device.user_code), "allow")
    return device


def test_left_alone_it_is_let_in(let_in):
    assert let_in.tokens()["refresh_token"]


async def _disable(db, person):
    await accounts.disable(db, person)


async def _disable_and_enable(db, person):
    await accounts.disable(db, person)
    await accounts.enable(db, person)


async def _lock_and_unlock(db, person):
    await accounts.lock(db, person)
    await accounts.enable(db, person)


async def _new_password(db, person):
    await accounts.change_password(db, person, hashed("seventeen grey herons"), actor=SYSTEM)


@pytest.mark.parametrize(
    "act",
    [_disable, _disable_and_enable, _lock_and_unlock, _new_password],
    ids=lambda a: a.__name__,
)
@pytest.mark.parametrize("before", ["nothing", "proven again", "signed out"])
def test_access_that_ends_takes_the_word_back(product, browser, let_in, ada, act, before):
    if before == "proven again":
        app = product.app("acme")
        page = browser.open(product.authorize_url("acme", app, prompt="login"))
        assert browser.sign_in(page, ada).code
    if before == "signed out":
        browser.submit(browser.open(product.url("acme", "/sign-in/out")), "sign_out")

    product.in_transaction("acme", lambda db: act(db, ada.id))

    assert let_in.is_told("invalid_grant")


def test_proving_oneself_again_takes_nothing_back(product, browser, form, device, ada):
    browser.submit(browser.submit(form, "look", user_code=device.user_code), "allow")
    page = browser.open(product.authorize_url("acme", product.app("acme"), prompt="login"))
    assert browser.sign_in(page, ada).code

    assert device.tokens()["access_token"]


def test_consent_that_is_withdrawn_takes_it_back(product, let_in, ada):
    product.change("update insula.grants set revoked_at = now() where user_id = %s", ada.id)

    assert let_in.is_told("invalid_grant")


def test_signing_out_leaves_a_device_that_stays_connected(product, browser, let_in):
    out = browser.open(product.url("acme", "/sign-in/out"))
    assert "You are signed out" in browser.submit(out, "sign_out").text

    assert let_in.tokens()["refresh_token"]


def test_signing_out_takes_back_what_hangs_on_the_session(product, browser, form, device):
    browser.submit(browser.submit(form, "look", user_code=device.user_code), "allow")
    browser.submit(browser.open(product.url("acme", "/sign-in/out")), "sign_out")

    assert device.is_told("invalid_grant")


def test_a_suspension_takes_it_back_even_when_it_is_over(product):
    product.tenant("paused")
    person, tv = product.person("paused"), make_tv(product, "paused")
    device = Television(Api(product, "paused", tv), scope=OFFLINE)
    with Browser() as browser:
        form = browser.sign_in(browser.open(product.url("paused", "/device")), person)
        browser.submit(browser.submit(form, "look", user_code=device.user_code), "allow")

    product.suspend("paused")
    assert device.poll().status_code != 200
    product.backstage.run(lambda here: tenants.set_status(here.platform, "paused", "active"))

    def is_served():
        return device.poll().status_code == 400

    until(10, is_served, every=0.2)
    product.change("update insula.device_grants set last_polled_at = null")
    assert device.is_told("invalid_grant")
