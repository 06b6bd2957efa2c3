"""Consent where more is to be said: strangers, what is new, APIs and the tenant's own words."""

import pytest
from browsing import Browser
from spine import FAST, until

from insula.clients import service as clients
from insula.resource_servers import scopes, servers

API = "https://orders.example"
UNCHECKED = "Nobody has checked this application"
#: Words that would be markup, if they were not text.
EVIL = "<b id=x>Read</b> & “write”"


@pytest.fixture
def consent(product, browser, ada):
    """Ada's browser, sent with a request of an application."""

    def consent(app, **parameters):
        page = browser.open(product.authorize_url("acme", app, **parameters))
        return browser.sign_in(page, ada) if page.path == "/sign-in" else page

    return consent


@pytest.fixture
def stranger(product):
    """An application that registered itself."""
    app = product.app("acme", consent="ask", **FAST)
    product.change("update insula.clients set origin = 'dynamic' where id = %s", app.id)
    return app


@pytest.fixture(scope="session")
def orders(product):
    """A tenant with an API and words of its own for what it allows."""
    product.tenant("shop")

    async def make(here):
        tenant = await here.tenant("shop")
        await servers.add(tenant, API, "Orders & <i>Stock</i>")
        await scopes.add(
            tenant, "orders:read", resource_server=API, title=EVIL, description="All of <u>them</u>"
        )
        await scopes.add(tenant, "orders:write", resource_server=API, title="Change orders")

    product.backstage.run(make)
    return "shop"


@pytest.fixture
def at_shop(product, orders):
    """Somebody of that tenant, sent with a request of an application that may use the API."""
    app = product.app(
        orders,
        consent="ask",
        scopes=("openid", "offline_access", "orders:read", "orders:write"),
        resources=(API,),
        **FAST,
    )
    person = product.person(orders)
    with Browser() as browser:

        def at_shop(**parameters):
            page = browser.open(product.authorize_url(orders, app, **parameters))
            return browser.sign_in(page, person) if page.path == "/sign-in" else page

        yield browser, at_shop


@pytest.mark.spec("RFC9700-4.11", "DR-17", "AZ-19")
def test_an_application_that_registered_itself_is_told_apart_and_asked_for_each_time(
    browser, consent, stranger
):
    first = consent(stranger)
    assert UNCHECKED in first.text
    assert browser.submit(first, "allow").code

    again = consent(stranger, scope="openid")

    assert again.path == "/sign-in/consent"
    assert UNCHECKED in again.text
    assert "before, and it asks for nothing new." in again.text
    assert browser.submit(again, "allow").code


@pytest.mark.spec("AZ-19")
def test_it_gets_nothing_silently_whatever_was_allowed(browser, consent, stranger):
    browser.submit(consent(stranger), "allow")

    assert consent(stranger, prompt="none").answer["error"] == "consent_required"


@pytest.mark.spec("RFC9700-4.11", "DR-17", "AZ-19")
def test_once_verified_it_is_like_any_other(product, browser, consent, stranger):
    browser.submit(consent(stranger), "allow")

    async def verify(here):
        await clients.verify(await here.tenant("acme"), stranger.client_id)

    product.backstage.run(verify)

    until(5, lambda: consent(stranger).left, every=0.2)
    page = consent(stranger, prompt="consent")
    assert UNCHECKED not in page.text


@pytest.mark.spec("DR-17")
def test_one_that_an_administrator_made_needs_no_warning(product, consent):
    page = consent(product.app("acme", consent="ask"))

    assert page.path == "/sign-in/consent"
    assert UNCHECKED not in page.text


@pytest.mark.spec("OIDCC-3.1.2.4", "AZ-19")
def test_the_api_and_the_tenants_own_words_are_shown_as_text(at_shop):
    _, go = at_shop

    page = go(scope="openid orders:read")

    html = page.response.text
    for said in (EVIL, "All of <u>them</u>", "Orders & <i>Stock</i>", "Know that it is you"):
        assert said in page.text
    for markup in ("<b id=x>", "<u>them", "<i>Stock"):
        assert markup not in html


@pytest.mark.spec("OIDCC-3.1.2.4", "AZ-19")
def test_what_is_new_is_marked_and_what_was_allowed_is_not(at_shop):
    browser, go = at_shop
    first = go(scope="openid orders:read")
    assert "New" not in first.text.split()
    browser.submit(first, "allow")

    wider = go(scope="openid orders:read orders:write")

    assert "What is new since then is marked." in wider.text
    assert wider.text.split().count("New") == 1
    assert "Change orders New" in wider.text


@pytest.mark.spec("OIDCC-11", "OC-18", "AZ-19")
def test_staying_connected_is_explained_and_may_be_left_out(product, at_shop):
    browser, go = at_shop

    page = go(scope="openid offline_access", prompt="consent")

    assert "Stay connected while you are away Optional." in page.text
    assert page.form.ticked == [("scope", "offline_access")]
    assert browser.submit(page, "allow", untick=[("scope", "offline_access")]).code
    (row,) = product.rows(
        "select scopes from insula.grants where tenant_id = %s order by granted_at desc limit 1",
        product.tenant_id("shop"),
    )
    assert "offline_access" not in row.scopes


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-5")
def test_prompt_consent_asks_although_everything_was_allowed(at_shop):
    browser, go = at_shop
    browser.submit(go(scope="openid"), "allow")
    assert go(scope="openid").code

    assert go(scope="openid", prompt="consent").path == "/sign-in/consent"
