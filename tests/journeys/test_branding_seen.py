"""A logo goes up in a real browser, and the preview follows what is typed."""

import secrets

import pytest
from administrators import admin_of
from looking import PHONE, look_at

from insula.tenancy.models import PLATFORMS

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 72"><rect width="240" height="72"'
    b' rx="12" fill="#1f6f54"/><circle cx="36" cy="36" r="20" fill="#fff"/></svg>'
)


@pytest.mark.spec("features J11", "features J02")
@pytest.mark.parametrize("way", [{}, {"viewport": PHONE, "color_scheme": "dark"}])
def test_the_preview_follows_and_the_logo_arrives(product, visit, way):
    slug = f"brand-{secrets.token_hex(4)}"
    product.tenant(slug)
    runner = admin_of(product, PLATFORMS, "platform_admin")
    page = visit(**way)
    page.goto(f"http://{product.server.host('platform')}/platform/tenants/{slug}/config/branding")
    page.get_by_label("E-mail or username").fill(runner.email)
    page.get_by_label("Password").fill(runner.password)
    page.keyboard.press("Enter")
    look_at(page, slug.title(), title="Branding")
    shown = page.frame_locator("iframe.preview")
    shown.get_by_role("heading", name=f"Sign in to {slug.title()}").wait_for()
    page.get_by_label("Company name").fill("Acme & Sons")
    shown.get_by_role("heading", name="Sign in to Acme & Sons").wait_for()

    row = page.locator(".set", has=page.locator('[name="logo_light"]'))
    row.locator("input[type=file]").set_input_files(
        {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": SVG}
    )
    row.get_by_role("button", name="Upload").click()
    look_at(page, "Review 1 change")
    page.get_by_role("button", name="Save 1 change").click()
    look_at(page, slug.title(), title="Branding")
    page.locator(".thumb img").wait_for()
    logo = shown.locator(".auth-brand img")
    logo.wait_for()
    assert logo.evaluate("it => it.complete && it.naturalWidth > 0 && it.clientHeight") == 36
    page.goto(product.url(slug, "/sign-in"))
    logo = page.locator(".auth-brand img")
    assert logo.evaluate("it => it.naturalWidth > 0 && it.clientHeight") == 36
    assert logo.get_attribute("alt") == slug.title()
    look_at(page, f"Sign in to {slug.title()}", title="Sign in")
