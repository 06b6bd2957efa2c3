"""Applications clean up in the browser after a sign-out (LO-10), as the pages say it."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from product import CALLBACK, SIGNED_OUT
from spine import FAST, signed_in, tokens_of

#: Of the same scheme, host and port as a redirect URI.
CLEAN_UP = "http://127.0.0.1:9000/clean-up"
ELSEWHERE = "https://app.example/clean-up?from=here"
ELSEWHERE_CALLBACK = "https://app.example/callback"


@pytest.fixture
def here(product):
    """Somebody signed in at an application that cleans up in the browser; its id_token too."""
    opened = []

    def here(*more, slug="acme", **metadata):
        values = {
            "frontchannel_logout_uri": CLEAN_UP,
            "frontchannel_logout_session_required": True,
            **FAST,
            **metadata,
        }
        app = product.app(slug, **values)
        browser = signed_in(product, slug, app)
        opened.append(browser)
        tokens = tokens_of(product, slug, app, browser)
        for other in more:
            tokens_of(product, slug, other, browser)
        return browser, tokens["id_token"]

    yield here
    for browser in opened:
        browser.close()


def leave(product, browser, hint=None, slug="acme", **parameters):
    asked = {"post_logout_redirect_uri": SIGNED_OUT, "state": "xyz", **parameters}
    if hint is None:
        asked = {}
    else:
        asked["id_token_hint"] = hint
    return browser.open(product.url(slug, "/oauth2/logout"), params=asked)


def frames(page):
    """The addresses of the page's frames, which nobody sees."""
    found = re.findall(r"<iframe ([^>]*)>", page.response.text)
    for attributes in found:
        assert 'class="vh"' in attributes
        assert 'aria-hidden="true"' in attributes
        assert 'sandbox="allow-scripts allow-same-origin allow-forms"' in attributes
        assert 'tabindex="-1"' in attributes
    return [unescape(re.search(r'src="([^"]*)"', attributes)[1]) for attributes in found]


def policy(page):
    """The directives of the page's policy, by name."""
    (header,) = page.response.headers.get_list("content-security-policy")
    parts = (part.split() for part in header.split(";"))
    return {name: values for name, *values in parts}


def is_unframeable(page):
    assert policy(page)["frame-ancestors"] == ["'none'"]
    assert page.response.headers.get_list("x-frame-options") == ["DENY"]
    return True


def sid_of(token):
    return jwt.decode(token, options={"verify_signature": False})["sid"]


@pytest.mark.spec("OIDCFCL-2", "OIDCFCL-3", "LO-10")
def test_the_page_loads_the_applications_address_with_issuer_and_session(product, here):
    browser, hint = here()

    page = leave(product, browser, hint)

    assert page.left is None
    assert "You are signed out" in page.text
    (frame,) = frames(page)
    parts = urlsplit(frame)
    assert parts._replace(query="").geturl() == CLEAN_UP
    assert parse_qs(parts.query, strict_parsing=True) == {
        "iss": [product.issuer("acme")],
        "sid": [sid_of(hint)],
    }


@pytest.mark.spec("OIDCFCL-2", "LO-10")
def test_without_the_wish_neither_is_sent(product, here):
    browser, hint = here(frontchannel_logout_session_required=False)

    assert frames(leave(product, browser, hint)) == [CLEAN_UP]


@pytest.mark.spec("OIDCFCL-3", "LO-10")
def test_the_way_goes_on_without_script_too(product, here):
    browser, hint = here()

    page = leave(product, browser, hint)

    assert f"{SIGNED_OUT}?state=xyz" in page.links
    assert f'<meta http-equiv="refresh" content="3;url={SIGNED_OUT}?state=xyz">' in (
        page.response.text
    )


@pytest.mark.spec("OIDCFCL-2", "LO-10", "AZ-15")
def test_just_the_origins_of_the_frames_are_allowed_and_the_page_cannot_be_framed(product, here):
    other = product.app(
        "acme",
        redirect_uris=(CALLBACK, ELSEWHERE_CALLBACK),
        frontchannel_logout_uri=ELSEWHERE,
        frontchannel_logout_session_required=True,
        **FAST,
    )
    browser, hint = here(other)

    page = leave(product, browser, hint)

    assert len(frames(page)) == 2
    assert policy(page)["frame-src"] == ["http://127.0.0.1:9000", "https://app.example"]
    assert policy(page)["default-src"] == ["'none'"]
    assert is_unframeable(page)
    (kept,) = [frame for frame in frames(page) if frame.startswith(ELSEWHERE)]
    assert set(parse_qs(urlsplit(kept).query)) == {"from", "iss", "sid"}


@pytest.mark.spec("OIDCFCL-2", "OIDCRIL-2", "LO-2", "LO-10")
@pytest.mark.parametrize("asked_by", ["application", "person"])
def test_a_sign_out_that_was_confirmed_cleans_up_too(product, here, asked_by):
    browser, _ = here()
    if asked_by == "application":
        confirm = leave(product, browser)
    else:
        confirm = browser.open(product.url("acme", "/sign-in/out"))
    assert confirm.path == "/sign-in/out"
    assert not frames(confirm)

    page = browser.submit(confirm, "sign_out")

    assert "You are signed out" in page.text
    assert len(frames(page)) == 1
    assert policy(page)["frame-src"] == ["http://127.0.0.1:9000"]
    assert is_unframeable(page)
    assert "http-equiv" not in page.response.text  # there is nowhere to go


@pytest.mark.spec("OIDCFCL-2", "LO-10")
def test_once_is_enough(product, here):
    browser, hint = here()
    leave(product, browser, hint)

    assert leave(product, browser, hint).left == f"{SIGNED_OUT}?state=xyz"


@pytest.mark.spec("OIDCFCL-2", "LO-10")
def test_an_application_without_such_an_address_costs_no_page(product, here):
    browser, hint = here(frontchannel_logout_uri="", frontchannel_logout_session_required=False)

    assert leave(product, browser, hint).left == f"{SIGNED_OUT}?state=xyz"


@pytest.mark.spec("OIDCFCL-2", "LO-10")
def test_an_application_that_the_person_never_was_at_is_not_loaded(product, here):
    product.app("acme", frontchannel_logout_uri=CLEAN_UP)
    browser, hint = here(frontchannel_logout_uri="", frontchannel_logout_session_required=False)

    assert leave(product, browser, hint).left


@pytest.mark.spec("OIDCFCL-2", "LO-10")
def test_switched_off_nothing_is_loaded(product, here):
    product.tenant("frameless")
    product.change(
        "insert into insula.tenant_settings (tenant_id, section, value)"
        " values (%s, 'oidc.features', '{\"frontchannel_logout\": false}')",
        product.tenant_id("frameless"),
    )
    browser, hint = here(slug="frameless")

    page = leave(product, browser, hint, slug="frameless")

    assert page.left == f"{SIGNED_OUT}?state=xyz"


@pytest.mark.spec("OIDCFCL-2", "LO-10")
@pytest.mark.parametrize("part", ["value", "bounds"])
def test_nor_where_the_platform_has_switched_it_off(product, here, part):
    browser, hint = here()
    product.change(
        f"insert into insula.platform_settings (section, {part})"  # noqa: S608  (ours)
        " values ('oidc.features', '{\"frontchannel_logout\": false}')"
    )
    try:
        page = leave(product, browser, hint)
    finally:
        product.change("delete from insula.platform_settings where section = 'oidc.features'")

    assert page.left == f"{SIGNED_OUT}?state=xyz"


@pytest.mark.spec("LO-10", "AZ-15")
def test_what_an_address_holds_is_text_on_the_page(product, here):
    browser, hint = here(frontchannel_logout_uri=f"{CLEAN_UP}?a='b'&c=1")

    page = leave(product, browser, hint, state='"><script>alert(1)</script>;url=x')

    (frame,) = frames(page)
    assert frame.startswith(f"{CLEAN_UP}?a='b'&c=1&iss=")
    assert "<script>alert" not in page.response.text
