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
        form = next(f for f in page.forms if f.values.get("kind") == kind)
        files = {"file": ("logo.png", body)}
        url = str(page.response.url.join(form.action))
        answer = browser.http.post(url, data={**form.values, **typed}, files=files)
        return browser._follow(answer)  # noqa: SLF001  (a form with a file in it)

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

    assert upload(section(), "logo_light", SVG.format("")).path == address  # the same again
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
    assert section("/preview.css?accent=red%7D").status == 404
    assert product.rows(
        "select 1 from insula.tenant_settings where tenant_id = %s", product.tenant_id(tenant)
    ) == []  # fmt: skip
