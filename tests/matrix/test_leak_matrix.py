"""
Every address of the assembled application, met with every kind of wrong (BEY-1).

The table is read off the application, so an address that is added anywhere is tried here from then
on. What is particular to an address (an id in its path, a value in its form) is tried where its
kind is at home: `tests/edge/test_cross_tenant.py`, `tests/management_api/test_matrix.py`,
`tests/platform_admin/test_access.py`; each of them fails when it lacks a case for an address of
the same table, and what no such place knows fails here.
"""

import re
import secrets
from uuid import uuid4

import httpx2
import pytest
from addresses import ADDRESSES, OF_OPS, OF_PLATFORM, OF_TENANTS, filled, seen
from administrators import COOKIE, admin_of
from administrators import signed_in as signed_in_as_admin
from spine import FAST, signed_in, tokens_of

#: Where the cases that are particular to an address stand, by who answers it.
SUITES = {
    "proofs": "edge/test_cross_tenant.py",
    "protocol": "edge/test_cross_tenant.py",
    "pages": "edge/test_cross_tenant.py",
    "branding": "edge/test_cross_tenant.py",
    "api": "management_api/test_matrix.py",
    "platform": "platform_admin/test_access.py",
    "ops": "ops_gateway/test_gateway.py",
    "static": "ui/test_assets.py",
}


class Town:
    """Acme's things, the same made up, and who is asked."""

    def __init__(self, product):
        self.product = product
        app = product.app("acme", **FAST)
        with signed_in(product, "acme", app) as browser:
            home = product.url("acme", "/")
            session = browser.cookie(home, "insula_session")
            of_browser = browser.cookie(home, "insula_browser")
            token = tokens_of(product, "acme", app, browser)["access_token"]
        with signed_in_as_admin(
            product, "acme", admin_of(product, "acme", "superadmin")
        ) as browser:
            admin = browser.cookie(home, COOKIE)
        self.acmes = self._headers(token, session, admin, of_browser)
        head, _, _ = token.rpartition(".")
        self.nobodys = self._headers(
            f"{head}.{secrets.token_urlsafe(64)}",
            f"{uuid4().hex}.{secrets.token_urlsafe(32)}",
            secrets.token_urlsafe(32),
            of_browser,
        )
        self.http = httpx2.Client(base_url=product.server.url, timeout=30)

    @staticmethod
    def _headers(token, session, admin, browser):
        cookies = {"insula_session": session, COOKIE: admin, "insula_browser": browser}
        said = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return {"authorization": f"Bearer {token}", "cookie": said}

    def ask(self, method, path, label, **headers):
        """One request of a host under the base domain."""
        return self.ask_host(method, path, self.product.server.host(label), **headers)

    def ask_host(self, method, path, host, **headers):
        self.http.cookies.clear()
        return self.http.request(
            method, path, headers={"host": host, "accept": "text/html", **headers}
        )


@pytest.fixture(scope="module")
def town(product):
    return Town(product)


pytestmark = pytest.mark.spec("features BEY-1", "security 96")


def test_every_address_of_the_application_has_a_place_with_its_cases():
    assert ADDRESSES.keys() == SUITES.keys()
    assert all(ADDRESSES.values())
    assert len(OF_TENANTS) > 100
    assert ADDRESSES["static"] == {("GET", "/static/{path}")}
    assert {path for _, path in ADDRESSES["ops"]} == {"/health", "/ready", "/metrics", "/arrival"}


def test_another_tenants_token_and_cookies_are_worth_what_made_up_ones_are(town):
    for host, table in (("globex", OF_TENANTS), ("platform", OF_PLATFORM)):
        for method, template in table:
            path = filled(template)
            theirs = town.ask(method, path, host, **town.acmes)
            nobodys = town.ask(method, path, host, **town.nobodys)

            assert seen(theirs) == seen(nobodys), (method, template)
            assert theirs.status_code < 500, (method, template)


def test_a_header_that_names_another_tenant_than_the_host_is_refused_everywhere(town):
    """From a peer that is trusted; a stranger's is in `edge/test_headers_of_strangers.py`."""
    for host, table in (("acme", OF_TENANTS), ("platform", OF_PLATFORM)):
        for method, template in table:
            answer = town.ask(method, filled(template), host, **{"x-tenant-id": "globex"})

            assert answer.status_code == 400, (method, template)
            assert "tenant_mismatch" in answer.text
    for method, template in OF_OPS:
        answer = town.ask(method, filled(template), "ops", **{"x-tenant-id": "globex"})
        assert answer.status_code in (200, 404), (method, template)
        assert "globex" not in answer.text


def test_at_a_host_that_is_not_theirs_addresses_do_not_exist(town):
    for method, template in (*OF_TENANTS, *OF_PLATFORM):
        answer = town.ask(method, filled(template), "ops", **town.acmes)
        assert (answer.status_code, answer.text) == (404, '{"error": "not_found"}'), template
        assert "set-cookie" not in answer.headers
    for method, template in (*OF_PLATFORM, *OF_OPS):
        answer = town.ask(method, filled(template), "acme", **town.acmes)
        assert answer.status_code == 404, (method, template)


@pytest.mark.parametrize(
    ("host", "status"),
    [("nobody-here.localhost", 404), ("login.nobody.example", 404), ("-x.localhost", 400)],
)
def test_without_a_tenant_there_is_nothing(town, host, status):
    for method, template in (*OF_TENANTS, *OF_PLATFORM, *OF_OPS):
        answer = town.ask_host(method, filled(template), host, **town.acmes)

        assert answer.status_code == status, (method, template)
        assert re.search("tenant_(not_found|invalid)", answer.text), (method, template)
        assert "set-cookie" not in answer.headers
