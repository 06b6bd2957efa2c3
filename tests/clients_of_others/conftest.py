"""Applications as others write them, and a person who signs in to them."""

import socket
from functools import partial

import npm_programs as javascript
import pytest
from browsing import Browser
from kinds import KINDS
from product import CALLBACK, SIGNED_OUT


@pytest.fixture
def register(product):
    """Register an application with a tenant, as its customer would ask for it."""

    def register(slug, kind):
        method, alg = KINDS[kind]
        return product.app(
            slug,
            redirect_uris=(CALLBACK,),
            post_logout_redirect_uris=(SIGNED_OUT,),
            token_endpoint_auth_method=method,
            id_token_signed_response_alg=alg,
            consent="ask",
        )

    return register


@pytest.fixture
def person_at_a_browser(product):
    """Somebody who signs in and allows whatever is asked; gives back where the browser ends."""
    opened = []

    def make(slug):
        person, browser = product.person(slug), Browser()
        opened.append(browser)

        def walk(url):
            page = browser.open(url)
            if page.left is None and page.path == "/sign-in":
                page = browser.sign_in(page, person)
            if page.left is None and page.path == "/sign-in/consent":
                page = browser.submit(page, "allow")
            assert page.left is not None, page.text
            return page.left

        return person, walk

    yield make
    for browser in opened:
        browser.close()


@pytest.fixture(scope="session")
def node():
    """`node(program)(act, walk, **asked)` runs one of the programs in `npm/`."""
    return partial(partial, javascript.run, javascript.prepare())


@pytest.fixture
def names_under_localhost(monkeypatch):
    """Names under localhost are this machine (RFC 6761), which Python leaves to the resolver."""
    resolve = socket.getaddrinfo

    def ours(host, *rest, **more):
        known = isinstance(host, str) and host.endswith(".localhost")
        return resolve("127.0.0.1" if known else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", ours)
