"""Which tenant a request is for: from the Host header's bytes, strictly, or not at all."""

import json
import re

import pytest
from raw_http import ask, request, send

JWKS = "/oauth2/jwks"


def host(product, slug="acme"):
    return product.server.host(slug).encode()


def refusal_of(answer):
    return answer.status, json.loads(answer.body)["error"]


def issuer_at(product, raw):
    answer = ask(product.server, "/.well-known/openid-configuration", raw)
    assert answer.status == 200, answer.text
    return json.loads(answer.body)["issuer"]


@pytest.mark.parametrize(
    "raw",
    [
        b"acme.localhost",
        b"ACME.LocalHost",
        b"acme.localhost.",
        b"acme.localhost.:8000",
        b"acme.localhost:1",
        b"acme.localhost:65535",
        b"  acme.localhost",
    ],
)
def test_the_issuer_is_the_registrys_however_the_host_is_written(product, raw):
    assert issuer_at(product, raw) == product.issuer("acme")


@pytest.mark.parametrize(
    "raw",
    [
        b"acme.localhost:0",
        b"acme.localhost:65536",
        b"acme.localhost:http",
        b"acme.localhost:",
        b"acme..localhost",
        b".localhost",
        b"-acme.localhost",
        b"acme-.localhost",
        b"acme.localhost/",
        b"acme.localhost#x",
        b"acme.localhost?x",
        b"user@acme.localhost",
        b"acme.localhost,globex.localhost",
        b"acme.localhost globex.localhost",
        b"http://acme.localhost",
        b"acme%2elocalhost",
        b"\xc3\xa4cme.localhost",
        b"acme\xe3\x80\x82localhost",
        b"acme.localhost\x7f",
        b"[::1",
        b"[::g]",
        b"x" * 64 + b".localhost",
        b"x." * 200 + b"localhost",
    ],
)
def test_what_is_no_host_names_nobody(product, raw):
    answer = ask(product.server, JWKS, raw)

    assert answer.status == 400
    assert b"acme.localhost" not in answer.body  # nothing is echoed


@pytest.mark.parametrize("second", [b"globex.localhost", b"acme.localhost", b""])
def test_two_hosts_are_none(product, second):
    answer = ask(product.server, JWKS, host(product), headers=[("Host", second)])

    assert refusal_of(answer) == (400, "tenant_invalid")


@pytest.mark.parametrize(
    "target", ["http://globex.localhost", "http://acme.localhost", "https://x"]
)
def test_a_target_that_names_a_host_of_its_own_is_refused(product, target):
    answer = ask(product.server, f"{target}{JWKS}", host(product))

    assert answer.status == 400
    assert json.loads(answer.body)["error"] == "tenant_invalid"


def test_a_path_that_looks_like_a_host_is_a_path(product):
    assert ask(product.server, "//globex.localhost/oauth2/jwks", host(product)).status == 404


@pytest.mark.parametrize(
    "name", ["nobody", "acme.acme", "xn--acme-5qa", "acme_", "0", "acme.globex"]
)
def test_a_name_that_is_nobodys_is_not_found(product, name):
    answer = ask(product.server, JWKS, f"{name}.localhost".encode())

    assert refusal_of(answer) == (404, "tenant_not_found")


@pytest.mark.parametrize("raw", [b"acme.example", b"acme.localhost.evil.example", b"10.0.0.1"])
def test_a_host_elsewhere_is_not_found(product, raw):
    assert refusal_of(ask(product.server, JWKS, raw)) == (404, "tenant_not_found")


@pytest.mark.parametrize("raw", [b"_x.localhost", b"_acme.localhost", b"_.localhost"])
def test_a_label_that_no_slug_may_be_is_ill_formed(product, raw):
    assert refusal_of(ask(product.server, JWKS, raw)) == (400, "tenant_invalid")


def test_the_special_hosts(product):
    for alias in ("platform", "_platforms"):
        assert issuer_at(product, host(product, alias)).startswith("http://platform.localhost")
    for gateway in ("ops", "_ops"):
        assert ask(product.server, JWKS, host(product, gateway)).status == 404


@pytest.fixture(scope="module")
def sleeping(product):
    """A tenant that is suspended."""
    product.tenant("sleeping")
    product.suspend("sleeping")
    return host(product, "sleeping")


FORMATS = [
    (JWKS, (), "oauth"),
    ("/oauth2/token", (), "oauth"),
    ("/.well-known/openid-configuration", (), "oauth"),
    ("/api/v1/users", (), "problem"),
    ("/oauth2/authorize", (), "page"),
    ("/sign-in", (), "page"),
    ("/sign-in", (("Accept", "application/json"),), "problem"),
]


@pytest.mark.parametrize(("path", "headers", "form"), FORMATS)
@pytest.mark.parametrize("case", ["unknown", "suspended", "ill-formed"])
def test_a_refusal_is_in_the_callers_format(product, sleeping, path, headers, form, case):
    raw, status, code = {
        "unknown": (b"nobody.localhost", 404, "tenant_not_found"),
        "suspended": (sleeping, 403, "tenant_not_active"),
        "ill-formed": (b"_x.localhost", 400, "tenant_invalid"),
    }[case]

    answer = ask(product.server, path, raw, headers=headers)

    assert answer.status == status
    assert answer.header("cache-control") == "no-store"
    assert answer.header("set-cookie") is None
    kind = answer.header("content-type")
    if form == "oauth":
        assert kind == "application/json"
        said = json.loads(answer.body)
        assert said["error"] == ("access_denied" if status == 403 else code)
    elif form == "problem":
        assert kind == "application/problem+json"
        said = json.loads(answer.body)
        assert (said["code"], said["status"]) == (code, status)
        assert said["type"] == f"urn:insula:error:{code}"
        assert said["instance"] == answer.header("x-request-id")
    else:
        assert kind.startswith("text/html")
        assert code in answer.text
        assert answer.header("x-request-id") in answer.text


def test_nobodys_page_looks_like_nobody(product, sleeping):
    page = ask(product.server, "/sign-in", sleeping).text

    assert "Sleeping" not in page
    assert "/branding/" not in page


def test_static_files_are_there_for_the_page_of_nobody(product):
    page = ask(product.server, "/", b"nobody.localhost").text
    href = re.search(r'href="(/static/[^"]+\.css)"', page)[1]

    assert ask(product.server, href, b"nobody.localhost").status == 200


# --- the header strategy: development trusts loopback


def named(product, raw, slug, path="/.well-known/openid-configuration"):
    return ask(product.server, path, raw, headers=[("X-Tenant-Id", slug)])


def test_a_trusted_header_names_the_tenant_where_the_host_names_none(product):
    for raw in (b"localhost", b"127.0.0.1", b"elsewhere.example"):
        answer = named(product, raw, "globex")
        assert json.loads(answer.body)["issuer"] == product.issuer("globex")


def test_header_and_host_may_agree(product):
    assert named(product, host(product), "acme").status == 200


def test_header_and_host_that_disagree_are_refused_and_the_hosts_tenant_is_told(product):
    before = len(product.audit("acme", "tenant.resolution_conflict"))

    for other in ("globex", "nobody"):
        assert refusal_of(named(product, host(product), other)) == (400, "tenant_mismatch")

    lines = product.audit("acme", "tenant.resolution_conflict")
    assert len(lines) == before + 2
    assert str(lines[0].ip) == "127.0.0.1"
    assert lines[0].status == "warning"
    assert not product.audit("globex", "tenant.resolution_conflict")


@pytest.mark.parametrize("slug", ["-x", "_x", "a b", "../acme", "A" * 64, "ä"])
def test_an_ill_formed_header_is_refused(product, slug):
    answer = named(product, b"localhost", slug.encode("latin-1"))

    assert refusal_of(answer) == (400, "tenant_invalid")


def test_two_headers_are_none(product):
    answer = ask(
        product.server,
        JWKS,
        b"localhost",
        headers=[("X-Tenant-Id", "acme"), ("x-tenant-id", "acme")],
    )

    assert refusal_of(answer) == (400, "tenant_invalid")


@pytest.mark.parametrize("slug", ["_ops", "nobody"])
def test_a_header_that_names_nobody(product, slug):
    assert refusal_of(named(product, b"localhost", slug)) == (404, "tenant_not_found")


# --- development without a name


@pytest.mark.parametrize("raw", [b"localhost", b"127.0.0.1:8000", b"[::1]:8000", b"", None])
def test_in_development_nobody_named_is_the_default_tenant(product, raw):
    answer = send(product.server, request("/oauth2/jwks", raw, version="1.0"))

    assert answer.status == 200


def test_the_fallback_is_logged_and_not_with_every_request(product):
    for _ in range(5):
        ask(product.server, "/oauth2/jwks", b"localhost")

    lines = [
        line for line in product.server.log.read_text().splitlines() if "tenant.fallback" in line
    ]
    assert len(lines) == 1
    assert "warning" in lines[0]
