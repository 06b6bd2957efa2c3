"""Acme, where people let televisions in."""

import pytest
from browsing import Browser
from spine import Api
from televisions import Television, make_tv


@pytest.fixture(scope="session")
def tv(product):
    return make_tv(product, "acme")


@pytest.fixture(scope="session")
def api(product, tv):
    return Api(product, "acme", tv)


@pytest.fixture
def device(api):
    return Television(api)


@pytest.fixture
def ada(product):
    return product.person("acme")


@pytest.fixture
def page_url(product):
    return product.url("acme", "/device")


@pytest.fixture
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def form(browser, page_url, ada):
    """Ada's browser, signed in, at the form for the code."""
    page = browser.sign_in(browser.open(page_url), ada)
    assert page.path == "/device", page.text
    return page


@pytest.fixture
def later(product):
    """Let time pass for the devices of Acme and for what was counted there."""

    def later(seconds):
        for table, columns in (
            ("device_grants", ("created_at", "last_polled_at", "expires_at")),
            ("attempt_counters", ("window_ends_at",)),
        ):
            moved = ", ".join(f"{c} = {c} - make_interval(secs => {seconds})" for c in columns)
            product.change(
                f"update insula.{table} set {moved} where tenant_id = %s",  # noqa: S608  (ours)
                product.tenant_id("acme"),
            )

    return later
