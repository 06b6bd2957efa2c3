"""Acme as most tests want it: somebody who can sign in, an application, and a browser."""

import pytest
from browsing import Browser


@pytest.fixture
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def another_browser():
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def app(product):
    """An application of Acme that need not ask for consent."""
    return product.app("acme")


@pytest.fixture(scope="session")
def asking_app(product):
    """An application of Acme that asks."""
    return product.app("acme", consent="ask")


@pytest.fixture
def ada(product):
    """Somebody of Acme."""
    return product.person("acme")


@pytest.fixture
def start(product, app, browser):
    """Begin a sign-in for an application; the page that the browser arrives at."""

    def start(visitor=browser, application=app, slug="acme", **parameters):
        return visitor.open(product.authorize_url(slug, application, **parameters))

    return start
