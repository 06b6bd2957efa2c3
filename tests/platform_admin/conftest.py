"""Somebody who runs the platform, a viewer of it, and tenants to run."""

import secrets

import pytest
from administrators import admin_of, signed_in

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
