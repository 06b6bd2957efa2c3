"""What a page does stands at its foot as a call of the API (UI-7)."""

import html
import re
from dataclasses import fields

import pytest
from administrators import admin_of, long_ago, signed_in

from insula.management_api.api import ROUTES
from insula.platform_admin.calls import CALLS, WITHOUT
from insula.platform_admin.guard import Panel
from insula.platform_admin.routes import routes
from insula.tenancy.models import PLATFORMS


@pytest.fixture(scope="module")
def pages():
    """The addresses of all pages and acts, by method."""
    panel = Panel(*(None for field in fields(Panel) if field.init))
    found = [(method, route.path) for route in routes(panel) for method in route.methods]
    return {verb: {path for method, path in found if method == verb} for verb in ("GET", "POST")}


@pytest.mark.spec("features UI-7")
def test_every_page_has_a_call_or_a_reason(pages):
    assert pages["GET"] <= CALLS.keys() | WITHOUT.keys()
    assert CALLS.keys() | WITHOUT.keys() <= pages["GET"] | pages["POST"]
    assert not CALLS.keys() & WITHOUT.keys()
    assert all(len(reason) > 20 for reason in WITHOUT.values())


@pytest.mark.spec("features UI-7")
def test_every_call_is_a_route_with_the_scope_that_it_needs():
    there = {(method, route.path): route.rule for route in ROUTES for method in route.methods}

    for page, call in CALLS.items():
        rule = there[call.method, re.sub(r"{(host|number|job|section|slug)}", r"{\1}", call.path)]
        assert rule.scope == call.scope, page
        assert not (rule.across and call.at_tenant), page


@pytest.mark.spec("features UI-7")
def test_a_page_shows_its_call_to_be_copied(browser, at, tenant, product):
    def shown(path):
        text = browser.get(at(path)).text
        (copied,) = re.findall(r'data-copy="(curl [^"]*)"', text)
        assert "As API call" in text
        return html.unescape(copied), text

    call, text = shown(f"/platform/tenants/{tenant}/edit")
    assert call.startswith(f"curl -X PATCH '{at('/api/v1/tenants/' + tenant)}'")
    assert '-H "Authorization: Bearer $TOKEN"' in call
    assert """-d '{"display_name": "NAME"}'""" in call
    assert "<code>insula:tenants:write</code>" in text
    call, _ = shown(f"/platform/tenants/{tenant}/keys")
    assert call.startswith(f"curl -X GET 'http://{product.server.host(tenant)}/api/v1/keys'")
    call, _ = shown("/platform/defaults")
    assert "/platform/defaults/SECTION'" in call


def test_an_address_that_somebody_made_brings_nothing_into_a_shell(browser, at, tenant):
    page = browser.get(at(f"/platform/tenants/{tenant}/keys?section=%27;id;%27&slug=%27$(id)"))
    odd = browser.get(at(f"/platform/tenants/{tenant}/domains/remove?host=%27;id;%27"))

    assert f"http://{tenant}." in page.text.partition("As API call")[2]
    for text in (page.text, odd.text):
        assert "';id;'" not in html.unescape(text.partition("As API call")[2])


@pytest.mark.spec("features CR-6", "features UI-5")
def test_what_is_dangerous_over_the_api_asks_again_on_its_page_too(product, at, tenant, pages):
    dangerous = {(m, route.path) for route in ROUTES for m in route.methods if route.rule.dangerous}
    acts = {page for page, call in CALLS.items() if (call.method, call.path) in dangerous}
    person = admin_of(product, PLATFORMS, "platform_admin")
    with signed_in(product, "platform", person) as browser:
        token = browser.open(at("/platform")).forms[0].values["csrf_token"]
        long_ago(product, person, "proved_at", 6)
        for page in acts & pages["POST"]:
            path = page.replace("{slug}", tenant).replace("{number:int}", "1")
            answer = browser.post(at(path), {"csrf_token": token})
            assert answer.headers["location"].startswith("/admin/step-up?return_to="), page

    words = {page.rpartition("/")[2] for page in acts}
    assert words == {
        "suspend", "archive", "activate", "delete", "undo-delete", "import", "{number:int}",
        "release", "restore", "primary", "remove",
    }  # fmt: skip
    assert acts <= pages["POST"]
