"""Every answer of these pages keeps scripts, frames, caches and referrers out."""

import pytest

HTML = ["/sign-in", "/sign-in?txn=x", "/sign-in/out", "/nothing-here"]


@pytest.mark.parametrize("path", HTML)
def test_a_page_and_the_redirect_to_it_are_closed_to_script_frames_and_caches(
    product, browser, path
):
    answer = browser.get(product.url("acme", path))
    page = browser.open(product.url("acme", path)).response

    for found in (answer, page):
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"
        assert found.headers["cross-origin-opener-policy"] == "same-origin"
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in page.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["cache-control"] == "no-store"


def test_a_form_may_not_be_sent_by_another_method(product, browser):
    answer = browser.http.request("PUT", product.url("acme", "/sign-in"))

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_a_page_loads_nothing_from_elsewhere(start):
    page = start()

    for source in ("http://", "https://"):
        assert f'src="{source}' not in page.response.text
        assert f'href="{source}' not in page.response.text
