"""The branding page: a logo is uploaded, seen before it is saved, saved, and taken away."""

import re
from urllib.parse import urlencode

import pytest
from pressing import submit

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 72"><rect width="9"/>{}</svg>'


@pytest.fixture
def section(browser, at, tenant):
    """A page of the tenant's branding."""
    return lambda path="": browser.open(at(f"/platform/tenants/{tenant}/config/branding{path}"))


@pytest.fixture
def upload(browser):
    """Choose a file on the page, for one of its fields."""

    def upload(page, kind, body, **typed):
        form = next(f for f in page.forms if ("kind", kind) in f.buttons)
        url = str(page.response.url).removesuffix("/assets") + "/assets"
        data = {**form.values, "kind": kind, **typed}
        files = {f"file.{kind}": ("logo.png", body), "file.icon_url": ("", b"")}
        return browser._follow(browser.http.post(url, data=data, files=files))  # noqa: SLF001  (a form with files in it)

    return upload


@pytest.mark.spec("features J11", "features C09", "features C07", "features J02")
def test_an_image_is_uploaded_reviewed_saved_shown_and_removed(
    product, browser, section, upload, tenant
):
    review = upload(section(), "logo_light", SVG.format(""))
    assert "Review 1 change" in review.text
    assert "Nothing is saved yet." in review.text
    done = submit(browser, review, "/config/branding", save="1")
    assert "Saved." in done.text
    (row,) = product.rows(
        "select value ->> 'logo_light' as path from insula.tenant_settings"
        " where tenant_id = %s and section = 'branding'",
        product.tenant_id(tenant),
    )
    digest = row.path.rpartition("/")[2]
    address = f"/platform/tenants/{tenant}/config/branding"
    assert f'src="{address}/assets/{digest}"' in done.response.text
    assert "frame-src 'self'" in done.response.headers["content-security-policy"]
    shown = section(f"/assets/{digest}").response
    assert shown.headers["content-type"] == "image/svg+xml"
    assert shown.headers["cache-control"] == "private, no-store"
    assert "sandbox" in shown.headers["content-security-policy"]
    (line,) = product.audit(tenant, "config.updated", target_type="asset")
    assert (line.actor_type, line.metadata["asset"]) == ("platform", "added")

    assert "Nothing is changed" in upload(section(), "logo_light", SVG.format("")).text
    reset = section("/reset?field=logo_light")
    assert "Review 1 change" in reset.text
    removed = submit(browser, reset, "/config/branding", save="1")
    assert digest not in removed.response.text


@pytest.mark.spec("features J11", "features UI-4", "features CR-5")
def test_a_file_that_is_no_image_is_refused_beside_its_field(product, section, upload, tenant):
    for body, status, said in (
        (b"", 422, "No file was sent."),
        (b"<html></html>", 415, "no PNG, WebP, ICO or SVG"),
        (SVG.format("<!-- -->").replace("<rect width", "<script width"), 422, "Nothing is left"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 1024 * 1024, 413, "larger than 1 MB"),
    ):
        refused = upload(section(), "favicon", body)
        assert refused.status == status
        assert f"Favicon: {said}" in refused.text or said in refused.text
        assert 'id="favicon-note"' in refused.response.text
    assert upload(section(), "favicon", b"0" * 2 * 1024 * 1024).status == 413
    assert upload(section(), "favicon", SVG.format(""), csrf_token="x" * 43).status == 403
    assert product.rows(
        "select 1 from insula.assets where tenant_id = %s", product.tenant_id(tenant)
    ) == []  # fmt: skip


@pytest.mark.spec("features J11", "features UI-4")
def test_an_upload_keeps_what_else_was_typed(product, browser, section, upload, tenant):
    typed = {"company_name": "Acme & Sons", "accent_color": "#1f6f54"}
    refused = upload(section(), "logo_dark", b"<html></html>", **typed)
    wrong = upload(refused, "logo_dark", SVG.format(""), accent_color="red")
    review = upload(wrong, "logo_light", SVG.format("<path/>"), accent_color="#1f6f54")

    for page, colour in ((refused, "#1f6f54"), (wrong, "red")):
        (form,) = (form for form in page.forms if form.action.endswith("/review"))
        assert form.values["company_name"] == "Acme & Sons"
        assert form.values["accent_color"] == colour
    assert refused.status == 415
    assert 'id="logo_dark"' in refused.response.text
    assert wrong.status == 422
    assert f"/config/branding/assets/{form.values['logo_dark'].rpartition('/')[2]}" in (
        wrong.response.text
    )
    assert "Review 4 changes" in review.text
    submit(browser, review, "/config/branding", save="1")
    (row,) = product.rows(
        "select value from insula.tenant_settings where tenant_id = %s and section = 'branding'",
        product.tenant_id(tenant),
    )
    assert row.value.keys() == {"logo_light", "logo_dark", *typed}


@pytest.mark.spec("features J11")
def test_enter_reviews_and_uploads_nothing(section):
    form = next(form for form in section().forms if form.action.endswith("/review"))
    html = section().response.text

    assert html.index("<button", html.index('id="fields"')) < html.index("formaction=")
    assert form.buttons[0] == ("kind", "logo_light")  # the first that has a name


@pytest.mark.spec("features J11")
def test_the_sign_in_page_is_seen_before_anything_is_saved(
    product, browser, section, upload, tenant, at
):
    page = section()
    assert 'src="/platform/tenants/' in page.response.text
    review = upload(page, "logo_light", SVG.format(""))
    (path,) = re.findall(r"/img/[0-9a-f]{64}", review.response.text)
    typed = {"company_name": "Acme & Sons", "accent_color": "#1f6f54", "logo_light": path}
    seen = submit(browser, page, "/review", **typed)
    assert seen.status == 200
    form = next(form for form in page.forms if form.action.endswith("/review"))
    posted = browser._follow(  # noqa: SLF001  (the button has an address of its own)
        browser.post(str(page.response.url) + "/preview", {**form.values, **typed})
    )
    asked = urlencode({"fields": ",".join(typed), **typed})
    linked = section(f"/preview?{asked}")
    for shown in (posted, linked):
        assert "Sign in to Acme & Sons" in shown.text
        html = shown.response.text
        assert 'alt="Acme &amp; Sons" width="240" height="72"' in html
        (sheet,) = re.findall(r'href="(/platform/[^"]+preview\.css[^"]+)"', html)
        assert "#1f6f54" in browser.get(at(sheet)).text
        policy = shown.response.headers["content-security-policy"]
        assert "form-action 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert shown.response.headers["x-frame-options"] == "SAMEORIGIN"
    wrong = section("/preview?fields=accent_color&accent_color=%23ffff00")
    assert wrong.status == 200
    assert "ffff00" not in wrong.response.text
    assert section("/preview.css?accent_color=red%7D").status == 404
    assert product.rows(
        "select 1 from insula.tenant_settings where tenant_id = %s", product.tenant_id(tenant)
    ) == []  # fmt: skip


@pytest.mark.spec("features J01", "features C09", "features J11")
def test_colours_and_fonts_are_chosen_derived_refused_and_reset_by_their_part(
    product, browser, section, tenant, at
):
    stored = lambda: product.rows(  # noqa: E731  (asked again and again)
        "select value from insula.tenant_settings where tenant_id = %s and section = 'branding'",
        product.tenant_id(tenant),
    )  # fmt: skip
    page = section()
    assert "Light palette" in page.text
    assert "Reset colours" not in page.text
    assert 'name="palette_light_surface.picked" value="#ffffff"' in page.response.text
    assert 'placeholder="#ffffff" id="palette_light_surface"' in page.response.text
    too_many = submit(browser, page, "/review", **{f"field{n}": "" for n in range(401)})
    assert (too_many.status, "The form cannot be read." in too_many.text) == (422, True)
    refused = submit(browser, page, "/review", palette_dark_on_surface="#333333")
    assert refused.status == 422
    assert "On_surface on surface (derived) in the dark theme would have a" in refused.text
    assert 'id="palette_dark_on_surface-note"' in refused.response.text
    assert '<details class="card disclosure fold" open>' in refused.response.text

    picked = {"palette_light_surface.picked": "#fffaf0", "font_body": "Lora"}
    review = submit(browser, page, "/review", **picked, company_name="Acme & Sons")
    for said in ("Review 3 changes", "Surface, light", "branding.palette_light_surface", "Lora"):
        assert said in review.text
    submit(browser, review, "/config/branding", save="1")
    mine = {"company_name": "Acme & Sons", "font_body": "Lora", "palette_light_surface": "#fffaf0"}
    assert stored()[0].value == mine

    typed = {"palette_dark_background": "#12001f", "font_heading": "Source Serif 4"}
    asked = urlencode({"fields": ",".join(typed), "theme": "dark", **typed})
    shown = section(f"/preview?{asked}").response.text
    assert 'data-theme="dark"' in shown
    (sheet,) = re.findall(r'href="(/platform/[^"]+preview\.css[^"]+)"', shown)
    css = browser.get(at(sheet.replace("&amp;", "&"))).text
    for painted in ("#fffaf0", "#12001f", '--sans: "Lora', '--heading: "Source Serif 4'):
        assert painted in css

    page = section()
    assert ("Reset colours" in page.text, "Reset fonts" in page.text) == (True, True)
    for part, gone in (("fonts", "font_body"), ("colours", "palette_light_surface")):
        submit(browser, section(f"/reset?part={part}"), "/config/branding", save="1")
        mine.pop(gone)
        assert stored()[0].value == mine


@pytest.mark.spec("features C01")
def test_all_tenants_inherit_the_colours_and_fonts_that_the_platform_chose(
    platforms, save, section
):
    page = platforms("defaults/branding")
    assert 'placeholder="derived" id="palette_dark_link"' in page.response.text
    done = save(page, palette_dark_link="#f5d0fe", font_heading="system")
    assert "Saved." in done.text
    assert ("Reset colours" in done.text, "Reset fonts" in done.text) == (True, True)

    inherited = section()
    assert 'id="palette_dark_link" name="palette_dark_link" value="#f5d0fe"' in (
        inherited.response.text
    )
    assert "Reset colours" not in inherited.text
