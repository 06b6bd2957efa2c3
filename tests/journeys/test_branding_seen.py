"""A logo goes up in a real browser, and the preview follows what is typed."""

import re
import secrets

import pytest
from administrators import admin_of
from looking import PHONE, look_at
from playwright.sync_api import expect

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

    large = {"name": "dark.svg", "mimeType": "image/svg+xml", "buffer": bytes(1_200_000)}
    page.locator('[name="file.logo_dark"]').set_input_files(large)  # chosen, and not uploaded yet
    row = page.locator(".set", has=page.locator('[name="logo_light"]'))
    row.locator("input[type=file]").set_input_files(
        {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": SVG}
    )
    row.get_by_role("button", name="Upload").click()
    look_at(page, "Review 2 changes")
    page.get_by_role("button", name="Save 2 changes").click()
    look_at(page, slug.title(), title="Branding")
    page.locator(".thumb img").wait_for()
    logo = shown.locator(".auth-brand img")
    logo.wait_for()
    assert logo.evaluate("it => it.complete && it.naturalWidth > 0 && it.clientHeight") == 36
    page.goto(product.url(slug, "/sign-in"))
    logo = page.locator(".auth-brand img")
    assert logo.evaluate("it => it.naturalWidth > 0 && it.clientHeight") == 36
    assert logo.get_attribute("alt") == "Acme & Sons"
    look_at(page, "Sign in to Acme & Sons", title="Sign in")


@pytest.mark.spec("features J01", "features J08", "features J11")
def test_fonts_and_colours_are_seen_before_they_are_saved_and_after(product, visit):
    slug = f"brand-{secrets.token_hex(4)}"
    product.tenant(slug)
    runner = admin_of(product, PLATFORMS, "platform_admin")
    page = visit()
    loaded = []
    page.on("request", lambda request: loaded.append(request.url.rpartition("/")[2]))
    page.goto(f"http://{product.server.host('platform')}/platform/tenants/{slug}/config/branding")
    page.get_by_label("E-mail or username").fill(runner.email)
    page.get_by_label("Password").fill(runner.password)
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name=slug.title()).wait_for()
    card = page.frame_locator("iframe.preview").locator(".auth-card")
    for theme, colour, painted in (
        ("light", "#fffaf0", "rgb(255, 250, 240)"),
        ("dark", "#123d2b", "rgb(18, 61, 43)"),
    ):
        page.locator("details.fold > summary", has_text=f"{theme.title()} palette").click()
        page.locator(f"#palette_{theme}_surface").fill(colour)
        page.get_by_role("radio", name=theme.title(), exact=True).check()
        expect(card).to_have_css("background-color", painted)
    page.locator("#font_heading").select_option("Lora")
    expect(card.locator("h1")).to_have_css("font-family", re.compile("Lora"))
    page.set_viewport_size(PHONE)
    look_at(page, slug.title(), title="Branding")

    page.get_by_role("button", name="Review changes").click()
    look_at(page, "Review 3 changes")
    page.get_by_role("button", name="Save 3 changes").click()
    page.get_by_text("Saved. It is in force").wait_for()
    page.goto("about:blank")  # what the panel was still loading is not the tenant's
    loaded.clear()
    page.goto(product.url(slug, "/sign-in"))
    card = page.locator(".auth-card")
    for theme, painted in (("light", "rgb(255, 250, 240)"), ("dark", "rgb(18, 61, 43)")):
        page.emulate_media(color_scheme=theme)
        expect(card).to_have_css("background-color", painted)
        look_at(page, f"Sign in to {slug.title()}", title="Sign in")
    expect(card.locator("h1")).to_have_css("font-family", re.compile("Lora"))
    expect(card.locator("label").first).to_have_css("font-family", re.compile("Inter"))
    page.evaluate("document.fonts.ready")
    fonts = {name for name in loaded if name.endswith(".woff2")}
    assert "lora-latin-wght-normal.woff2" in fonts
    assert fonts <= {"lora-latin-wght-normal.woff2", "inter-latin-wght-normal.woff2"}
