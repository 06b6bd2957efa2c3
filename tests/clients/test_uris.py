"""Which addresses a client may register, in every field and environment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.clients.errors import InvalidClientMetadata
from insula.clients.service import parse_metadata
from insula.clients.uris import check_origin, check_page, check_redirect_uri

GOOD = "https://app.example/callback"
LISTS = ("redirect_uris", "post_logout_redirect_uris", "request_uris", "allowed_origins")
PAGES = (
    "client_uri", "logo_uri", "policy_uri", "tos_uri", "jwks_uri", "sector_identifier_uri",
    "backchannel_logout_uri", "frontchannel_logout_uri", "initiate_login_uri",
)  # fmt: skip
DANGEROUS = ("javascript", "data", "file", "vbscript", "blob", "about")
LOOPBACK = ("http://127.0.0.1/cb", "http://127.0.0.1:8001/cb", "http://[::1]:8001/cb")


def redirect(uri, application_type="web", *, development=False):
    check_redirect_uri(uri, "redirect_uris", application_type, development=development)


def refused(*args, **kwargs):
    with pytest.raises(InvalidClientMetadata) as refusal:
        redirect(*args, **kwargs)
    assert refusal.value.field == "redirect_uris"
    return True


def metadata(**values):
    return parse_metadata({"redirect_uris": [GOOD], **values}, development=False)


def _cases(scheme):
    return {scheme, scheme.upper(), scheme.title(), scheme[0] + scheme[1:].upper()}


@pytest.mark.spec("security row 4", "CVE-2026-9086")
@pytest.mark.parametrize("field", LISTS + PAGES)
@pytest.mark.parametrize(
    "uri",
    sorted(
        f"{written}:{rest}"
        for scheme in DANGEROUS
        for written in _cases(scheme)
        for rest in ("alert(1)", "//app.example/%0aalert(1)", "//x")
    ),
)
def test_a_dangerous_scheme_is_refused_in_every_field_and_letter_case(field, uri):
    for application_type in ("web", "native"):
        with pytest.raises(InvalidClientMetadata) as refusal:
            metadata(
                **{"application_type": application_type, field: [uri] if field in LISTS else uri}
            )
        assert refusal.value.field == field


@pytest.mark.parametrize("before", ["\x00", "\x01", "\t", "\n", " ", "\x1f", "\u00a0", "\u200b"])
@pytest.mark.parametrize("field", LISTS + PAGES)
def test_characters_that_parsers_skip_are_refused(field, before):
    for uri in (f"{before}{GOOD}", f"java{before}script:alert(1)", f"{GOOD}{before}"):
        with pytest.raises(InvalidClientMetadata):
            metadata(**{field: [uri] if field in LISTS else uri})


@pytest.mark.spec("security row 3", "RFC9700-4.1.1")
@pytest.mark.parametrize(
    "uri",
    ["https://*.app.example/cb", "https://app.example/*", "https://app.example/{id}",
     "https://app.example/cb|x", "https://app.example/\\cb", "https://app.example/^",
     'https://app.example/"', "https://app.example/<x>", "https://app.example/a b"],
)  # fmt: skip
def test_a_pattern_is_no_address(uri):
    assert refused(uri)


@pytest.mark.spec("OIDCR-2", "RFC6749-3.1.2")
@pytest.mark.parametrize("uri", [f"{GOOD}#x", f"{GOOD}#", "com.example.app:/cb#x"])
def test_a_fragment_is_refused(uri):
    assert refused(uri)
    assert refused(uri, "native")


@pytest.mark.spec("CVE-2026-7504")
@pytest.mark.parametrize(
    "uri",
    ["https://user@app.example/cb", "https://user:pw@app.example/cb", "https://@app.example/cb",
     "https://good.example@evil.example/", "https://a@b@c/", "http://127.0.0.1@evil.example/"],
)  # fmt: skip
def test_a_user_name_is_refused(uri):
    assert refused(uri)
    assert refused(uri, "native", development=True)


@pytest.mark.parametrize(
    "uri",
    ["", "/callback", "app.example/callback", "//app.example/cb", "https://", "https:", "https:///cb",
     "https:/app.example", "https://:443/cb", "https://app.example:99999/", "https://app.example:x/",
     "https://[::1/cb", "https://b\u00fccher.example/", "https://app.example/" + "x" * 2000],
)  # fmt: skip
def test_what_is_no_whole_address_is_refused(uri):
    assert refused(uri)


@pytest.mark.spec("security row 17")
@pytest.mark.parametrize(
    "end", [";sandbox", ";report-uri", ",frame-src", "'", "$", "%3b", "(x)", "!"]
)
@pytest.mark.parametrize("field", LISTS + PAGES)
def test_a_host_holds_nothing_that_would_end_a_directive_of_a_policy(field, end):
    uri = f"https://app.example{end}/cb"
    with pytest.raises(InvalidClientMetadata):
        metadata(**{field: [uri] if field in LISTS else uri})
    assert refused(f"com.example.app://callback{end}/cb", "native")
    redirect("com.example.app://callback/cb", "native")


@pytest.mark.parametrize(
    "uri",
    [GOOD, "https://app.example", "https://app.example:8443/cb?x=1&y=%20", "HTTPS://app.example/",
     "https://xn--bcher-kva.example/cb", "https://[2001:db8::1]/cb"],
)  # fmt: skip
def test_https_is_good_for_everybody(uri):
    redirect(uri)
    redirect(uri, "native")


@pytest.mark.spec("security row 114", "RFC8252-7.3")
@pytest.mark.parametrize("uri", LOOPBACK)
def test_http_is_for_loopback_of_native_applications_and_for_everybody_in_development(uri):
    redirect(uri, "native")
    redirect(uri, "web", development=True)
    assert refused(uri, "web")


@pytest.mark.parametrize(
    "uri",
    ["http://app.example/cb", "http://localhost/cb", "http://localhost:8001/cb", "http://127.1/cb",
     "http://2130706433/cb", "http://0x7f.0.0.1/cb", "http://127.0.0.1.example/cb",
     "http://192.168.0.1/cb", "http://0.0.0.0/cb", "http://[::]/cb", "ftp://app.example/cb"],
)  # fmt: skip
def test_http_is_for_nothing_else(uri):
    for application_type in ("web", "native"):
        assert refused(uri, application_type)
        assert refused(uri, application_type, development=True)


@pytest.mark.spec("RFC8252-7.1")
def test_a_scheme_of_ones_own_is_for_native_applications_and_has_a_dot():
    redirect("com.example.app:/callback", "native")
    assert refused("com.example.app:/callback", "web")
    assert refused("myapp:/callback", "native")
    assert refused("com.example.app:/callback", "web", development=True)


@given(st.text(max_size=60))
def test_whatever_is_accepted_is_plain_ascii_of_a_known_scheme(text):
    try:
        redirect(text, "native", development=True)
    except InvalidClientMetadata:
        return
    assert text.isascii()
    assert text.isprintable()
    assert not text.lower().startswith(DANGEROUS)


@pytest.mark.parametrize("uri", ["http://app.example", "https://", "com.example.app:/x", "about:x"])
def test_a_page_is_https(uri):
    with pytest.raises(InvalidClientMetadata):
        check_page(uri, "client_uri")
    check_page(GOOD, "client_uri")


@pytest.mark.spec("security row 92")
@pytest.mark.parametrize(
    "origin",
    ["*", "null", "https://app.example/", "https://app.example/x", "https://app.example?x",
     "https://*.app.example", "https://user@app.example", "https://App.example",
     "HTTPS://app.example", "http://app.example", "https://app.example\r\n", "https://[::1",
     "app.example", "https://", "com.example.app:", "ftp://127.0.0.1"],
)  # fmt: skip
def test_what_no_browser_would_send_is_no_origin(origin):
    for development in (True, False):
        with pytest.raises(InvalidClientMetadata):
            check_origin(origin, "allowed_origins", development=development)


def test_an_origin_is_https_and_in_development_loopback_too():
    check_origin("https://app.example", "allowed_origins", development=False)
    check_origin("https://app.example:8443", "allowed_origins", development=False)
    check_origin("http://127.0.0.1:8001", "allowed_origins", development=True)
    with pytest.raises(InvalidClientMetadata):
        check_origin("http://127.0.0.1:8001", "allowed_origins", development=False)
