"""Somebody who runs the platform, a viewer of it, and tenants to run."""

import secrets

import pytest
from administrators import admin_of, signed_in
from pressing import submit

from insula.tenancy.models import PLATFORMS


@pytest.fixture(scope="session")
def at(product):
    """An address on the platform's host."""
    return lambda path: f"http://{product.server.host('platform')}{path}"


@pytest.fixture(scope="session")
def runner(product):
    """Who may change everything."""
    return admin_of(product, PLATFORMS, "platform_admin")


@pytest.fixture(scope="session")
def viewer(product):
    """Who may look."""
    return admin_of(product, PLATFORMS, "platform_viewer")


@pytest.fixture(scope="module")
def browser(product, runner):
    """The runner's browser."""
    with signed_in(product, "platform", runner) as browser:
        yield browser


@pytest.fixture(scope="module")
def viewing(product, viewer):
    """The viewer's browser."""
    with signed_in(product, "platform", viewer) as browser:
        yield browser


@pytest.fixture
def tenant(product):
    """The slug of a new tenant."""
    slug = f"pa-{secrets.token_hex(5)}"
    product.tenant(slug)
    return slug


@pytest.fixture
def section(browser, at, tenant):
    """A page of the tenant's configuration."""
    return lambda path: browser.open(at(f"/platform/tenants/{tenant}/config/{path}"))


@pytest.fixture
def platforms(product, browser, at):
    """A page of what all tenants inherit or are bound by; afterwards nothing of it is left."""
    yield lambda path: browser.open(at(f"/platform/{path}"))
    product.change("delete from insula.platform_settings")
    product.change("delete from insula.config_plans where scope <> 'tenant'")
    product.change("update insula.tenants set version = version + 1 where slug = %s", PLATFORMS)


@pytest.fixture
def save(browser):
    """Review what is typed into a page's form, and save it."""

    def save(page, *, reason="", **typed):
        review = submit(browser, page, "/review", **typed)
        assert "Nothing is saved yet." in review.text, review.text
        return submit(browser, review, page.path, save="1", reason=reason)

    return save
