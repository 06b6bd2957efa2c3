"""Applications as others write them, and a person who signs in to them."""

import socket
from functools import partial

import npm_programs as javascript
import pytest
from browsing import Browser
from kinds import API, API_SCOPE, KINDS, REGISTERING, Application, own_key
from product import CALLBACK, SIGNED_OUT, SLUGS

from insula.config_overrides import service as config_overrides
from insula.providers.settings import ProtocolFeatures
from insula.registration import initial_tokens
from insula.resource_servers import scopes, servers


@pytest.fixture
def register(product):
    """Register an application with a tenant, as its customer would ask for it."""

    def register(slug, kind, **more):
        method, alg = KINDS[kind]
        app = product.app(
            slug,
            **{
                "redirect_uris": (CALLBACK,),
                "post_logout_redirect_uris": (SIGNED_OUT,),
                "token_endpoint_auth_method": method,
                "id_token_signed_response_alg": alg,
                "jwks": {"keys": [own_key(alg).jwk]},
                "consent": "ask",
            }
            | more,
        )
        return Application(app.client_id, app.secret, method, alg)

    return register


@pytest.fixture(scope="session")
def own_tenants(product):
    """The tenants of REGISTERING, where proofs need a nonce and tokens may come in front."""
    for slug, registration in REGISTERING.items():
        product.tenant(slug)
        values = {
            "registration": registration,
            "dpop_nonce": True,
            "front_channel_tokens": True,
        }

        async def switch(here, slug=slug, values=values):
            await config_overrides.change(await here.tenant(slug), ProtocolFeatures, values)

        product.backstage.run(switch)
    return tuple(REGISTERING)


@pytest.fixture
def initial_token(product):
    """What lets an application register itself; None where that is open to all."""

    def initial_token(slug):
        async def make(here):
            token, _ = await initial_tokens.create(await here.tenant(slug))
            return token

        return product.backstage.run(make) if REGISTERING[slug] == "token" else None

    return initial_token


@pytest.fixture(scope="session")
def api(product):
    """The API, known to acme and globex; metadata of an application that may use it."""
    for slug in SLUGS:

        async def make(here, slug=slug):
            tenant = await here.tenant(slug)
            await servers.add(tenant, API, "Orders")
            await scopes.add(tenant, API_SCOPE, resource_server=API, title="See your orders")

        product.backstage.run(make)
    return {"resources": (API,), "scopes": ("openid", "offline_access", API_SCOPE)}


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
            if page.left is None and page.path == "/device":
                page = browser.submit(page, "look")
                page = browser.submit(page, "allow")
                assert "Your device is connected" in page.text, page.text
                return page.url
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
