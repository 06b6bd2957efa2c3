"""Slugs, names and domains of tenants (features.md A06, A08, A12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.tenancy.hosts import parse_host
from insula.tenants.errors import InvalidTenant, SlugNotHostSafe, SlugReserved
from insula.tenants.models import RESERVED, check_display_name, check_slug, normalise_domain


@pytest.mark.spec("features A06", "security row 107")
@pytest.mark.parametrize("slug", ["a", "7", "acme", "a-b", "a" * 63, "a--b"])
def test_slugs_that_are_good(slug):
    check_slug(slug, host_needed=True)


@pytest.mark.parametrize(
    "slug",
    ["", "-acme", "_acme", "Acme", "a.b", "a b", "acme\n", "\u00fcber", "a" * 64, "a/b", "a\x00",
     "\u0430cme", "acm\u0435"],
)  # fmt: skip
def test_slugs_that_are_not(slug):
    with pytest.raises(InvalidTenant) as refusal:
        check_slug(slug, host_needed=False)
    assert refusal.value.field == "slug"


@pytest.mark.parametrize("slug", ["a_b", "acme-", "a_"])
def test_a_slug_that_is_no_host_name_needs_another_way_to_the_tenant(slug):
    with pytest.raises(SlugNotHostSafe) as refusal:
        check_slug(slug, host_needed=True)
    assert refusal.value.code == "slug_not_host_safe"
    check_slug(slug, host_needed=False)


@pytest.mark.spec("features A12")
@pytest.mark.parametrize("slug", [*sorted(RESERVED), "xn--acme", "xn--"])
def test_reserved_slugs_are_refused_in_every_way(slug):
    for host_needed in (True, False):
        with pytest.raises(SlugReserved) as refusal:
            check_slug(slug, host_needed=host_needed)
        assert refusal.value.code == "slug_reserved"


def test_the_list_of_reserved_slugs_is_whole():
    assert {
        "default", "_ops", "_platforms", "_system", "ops", "platform", "platforms", "admin", "api",
        "auth", "www", "well-known", "oauth2", "oidc", "sso", "login", "sign-in", "account",
        "accounts", "static", "assets", "cdn", "mail", "smtp", "imap", "mx", "ns", "ftp",
        "localhost", "status", "support", "security", "abuse", "postmaster", "hostmaster",
        "webmaster", "root", "system", "autodiscover", "autoconfig", "mta-sts", "wpad", "isatap",
        "_canary-a", "_canary-b", "new",  # /platform/tenants/new is the form that makes one
    } == RESERVED  # fmt: skip


@given(st.text(max_size=70))
def test_a_slug_that_is_accepted_is_a_label_of_a_host(slug):
    try:
        check_slug(slug, host_needed=True)
    except (InvalidTenant, SlugNotHostSafe, SlugReserved):
        return
    assert parse_host(f"{slug}.localhost".encode()) == f"{slug}.localhost"


@pytest.mark.spec("security row 107")
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  Acme Ltd ", "Acme Ltd"),
        ("Acme\u202eLtd", "AcmeLtd"),
        ("A\u200bc\u200dm\u2060e", "Acme"),
        ("\u200b Acme \ufeff", "Acme"),
        ("Acme\r\nBcc: x", "AcmeBcc: x"),
        ("B\u00fccher & S\u00f6hne \U0001f4da", "B\u00fccher & S\u00f6hne \U0001f4da"),
        ("x" * 255, "x" * 255),
    ],
)
def test_a_name_is_kept_without_what_nobody_sees(name, kept):
    assert check_display_name(name) == kept


@pytest.mark.parametrize("name", ["", "   ", "\u200b\u202e", "x" * 256])
def test_a_name_that_shows_nothing_or_too_much_is_refused(name):
    with pytest.raises(InvalidTenant) as refusal:
        check_display_name(name)
    assert refusal.value.field == "display_name"


@pytest.mark.spec("features A08")
@pytest.mark.parametrize(
    ("domain", "kept"),
    [
        ("login.acme.example", "login.acme.example"),
        (" LOGIN.Acme.Example. ", "login.acme.example"),
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
    ],
)
def test_a_domain_is_kept_in_one_form(domain, kept):
    assert normalise_domain(domain) == kept


@pytest.mark.parametrize(
    "domain",
    ["", ".", "localhost", "acme", "https://acme.example", "acme.example/path", "acme.example:443",
     "user@acme.example", "*.acme.example", "127.0.0.1", "[::1]", "::1", "127.1", "0x7f.1",
     "1.2.3.4.5", "a.0x1", "a..example", ".acme.example", "-acme.example", "acme-.example",
     "under_score.example", "a b.example", "acme.example\n.x", "a" * 64 + ".example",
     "a." * 126 + "ab", "acme\u3002\u3002example", "acme.example?x"],
)  # fmt: skip
def test_what_is_no_host_name_is_no_domain(domain):
    with pytest.raises(InvalidTenant) as refusal:
        normalise_domain(domain)
    assert refusal.value.field == "domain"


@given(st.text(max_size=80))
def test_a_domain_that_is_kept_is_a_host_and_stays_as_it_is(text):
    try:
        domain = normalise_domain(text)
    except InvalidTenant:
        return
    assert parse_host(domain.encode()) == domain == normalise_domain(domain)
