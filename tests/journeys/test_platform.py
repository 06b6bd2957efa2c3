"""Somebody runs the platform in a real browser: makes a tenant, finds it, suspends it."""

import secrets

import pytest
from administrators import admin_of, long_ago
from looking import PHONE, look_at

from insula.tenancy.models import PLATFORMS

WAYS = {
    "with script": {},
    "on a phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "in the dark, without script": {"color_scheme": "dark", "java_script_enabled": False},
}
#: Every page that a menu or a tab leads to, and its heading.
PAGES = {
    "/platform/keys": "Signing keys",
    "/platform/pool": "Provider pool",
    "/platform/audit": "Audit",
    "/platform/deployment": "Deployment",
}


@pytest.fixture
def runner(product):
    return admin_of(product, PLATFORMS, "platform_admin")


def come_in(product, page, runner):
    page.goto(f"http://{product.server.host('platform')}/platform")
    look_at(page, "Sign in to the platform", title="Administrators")
    page.get_by_label("E-mail or username").fill(runner.email)
    page.get_by_label("Password").fill(runner.password)
    page.keyboard.press("Enter")
    look_at(page, "All tenants at a glance", title="Dashboard")


@pytest.mark.spec("features D02", "features D03", "features D04", "features D07", "features UI-7")
@pytest.mark.parametrize("way", ["with script", "on a phone"])
def test_a_tenant_is_made_found_suspended_and_served_again(product, visit, runner, way):
    page = visit(**WAYS[way])
    slug = f"journey-{secrets.token_hex(4)}"
    come_in(product, page, runner)

    page.get_by_role("link", name="Create tenant").click()
    look_at(page, "Create tenant")
    page.get_by_label("Name").fill("Journey Ltd")
    page.get_by_label("Slug").fill("acme")
    page.get_by_role("button", name="Create tenant").click()
    look_at(page, "Create tenant", title="Error: Create tenant")
    assert "is the slug of Acme" in page.get_by_role("alert").inner_text()
    page.get_by_role("alert").get_by_role("link").click()
    page.keyboard.press("Control+A")
    page.keyboard.type(slug)
    page.keyboard.press("Enter")
    look_at(page, "Journey Ltd")
    assert page.get_by_text("What to do next").is_visible()

    page.goto(f"http://{product.server.host('platform')}/platform/tenants")
    look_at(page, "Tenants")
    page.get_by_role("searchbox").fill(slug[:14])
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Journey Ltd").click()
    look_at(page, "Journey Ltd")

    long_ago(product, runner, "proved_at", 6)
    page.get_by_role("link", name="Suspend…").last.click()
    look_at(page, "Confirm it is you")
    page.get_by_label("Password").fill(runner.password)
    page.keyboard.press("Enter")
    look_at(page, "Suspend Journey Ltd?")
    page.get_by_label("Why").fill("The invoice is not paid")
    page.get_by_role("button", name="Suspend Journey Ltd").click()
    look_at(page, "Suspend Journey Ltd?", title="Error: Suspend")
    assert page.get_by_label("Why").input_value() == "The invoice is not paid"
    page.get_by_label(f"Type {slug} to confirm").fill(slug)
    page.get_by_role("button", name="Suspend Journey Ltd").click()
    look_at(page, "Journey Ltd")
    assert page.get_by_text("The tenant is suspended.").is_visible()
    page.goto(product.url(slug, "/sign-in"))
    assert page.get_by_text("tenant_not_active").is_visible()

    page.goto(f"http://{product.server.host('platform')}/platform/tenants/{slug}")
    page.get_by_role("link", name="Activate…").last.click()
    look_at(page, "Activate Journey Ltd?")
    page.get_by_role("button", name="Activate Journey Ltd").click()
    assert page.get_by_text("The tenant is active.").is_visible()


@pytest.mark.spec("features UI-1", "features UI-7")
@pytest.mark.parametrize("way", ["on a phone", "in the dark, without script"])
def test_every_page_of_the_platform_is_whole_at_every_width(product, visit, runner, way):
    page = visit(**WAYS[way])
    come_in(product, page, runner)
    base = f"http://{product.server.host('platform')}"
    for path, heading in PAGES.items():
        page.goto(f"{base}{path}")
        look_at(page, heading, title=path.rpartition("/")[2].title())
    for tab in ("users", "hosts", "keys", "activity", "edit"):
        page.goto(f"{base}/platform/tenants/acme/{tab}")
        look_at(page, "Acme")
    rail = page.locator(".sidebar")
    assert rail.is_visible() == ("phone" not in way)
    if rail.is_visible():
        colour = rail.evaluate("it => getComputedStyle(it).backgroundColor")
        assert colour in ("rgb(26, 22, 48)", "rgb(21, 17, 38)")  # violet ink, in both themes
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    if "phone" in way:
        page.get_by_role("button", name="Menu").click()
    page.get_by_role("button", name="Ada Lovelace").last.click()
    page.get_by_role("button", name="Sign out").last.click()
    look_at(page, "Sign in to the platform", title="Administrators")


def test_control_k_leads_to_the_search(product, visit, runner):
    page = visit()
    come_in(product, page, runner)
    page.keyboard.press("Control+k")
    look_at(page, "Tenants")
    page.keyboard.type("ac")  # the search has the focus
    page.get_by_role("link", name="Create tenant").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("me")
    page.keyboard.press("Enter")
    page.wait_for_url("**/platform/tenants?q=acme")
    assert page.get_by_role("link", name="Acme", exact=True).is_visible()
