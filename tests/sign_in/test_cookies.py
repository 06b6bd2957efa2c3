"""Cookies of one host, of one tenant, of nobody else; what does not belong is cleared unread."""

import re
from ipaddress import ip_address
from uuid import uuid4

import pytest
from product import SIGNED_OUT

from insula.sign_in.cookies import Jar, SessionCookie

SESSION, BROWSER = "insula_session", "insula_browser"


def attributes(header):
    """The name of a cookie and its attributes, as a browser reads them."""
    first, *rest = [part.strip() for part in header.split(";")]
    return first.partition("=")[0], {part.lower() for part in rest}


def cleared(response):
    return any(
        header.startswith(f"{SESSION}=;") and "Max-Age=0" in header
        for header in response.headers.get_list("set-cookie")
    )


@pytest.fixture
def signed_in(start, browser, ada):
    """Ada's browser at Acme, after she has signed in."""
    browser.sign_in(start(), ada).code  # noqa: B018  (asserts that there is one)
    return browser


def test_every_cookie_of_every_step_is_host_only_and_out_of_reach_of_script(
    product, app, start, browser, ada
):
    product.change("update insula.users set must_change_password = true where id = %s", ada.id)
    page = browser.sign_in(start(), ada)
    typed = "a quite new and long password"
    page = browser.submit(page, "save", new_password=typed, repeat=typed)
    tokens = product.redeem("acme", app, page.code).json()
    page = browser.open(product.url("acme", "/sign-in/select-account"))
    browser.submit(page, "account")
    hint = f"id_token_hint={tokens['id_token']}&post_logout_redirect_uri={SIGNED_OUT}"
    assert browser.open(product.url("acme", f"/oauth2/logout?{hint}")).left == SIGNED_OUT
    browser.plant(page.url, SESSION, "not of here")
    browser.open(product.url("acme", "/"))
    browser.sign_in(browser.open(product.url("acme", "/sign-in")), ada, typed)
    browser.submit(browser.open(product.url("acme", "/sign-in/out")), "sign_out")

    paths = {path for path, _ in browser.received}
    names = {attributes(header)[0] for _, header in browser.received}
    assert {
        "/oauth2/authorize",
        "/sign-in",
        "/sign-in/new-password",
        "/sign-in/select-account",
        "/sign-in/out",
        "/oauth2/logout",
    } <= paths
    assert names == {SESSION, BROWSER}
    for path, header in browser.received:
        _, found = attributes(header)
        assert {"httponly", "samesite=lax", "path=/"} <= found, (path, header)
        assert not any(a.startswith("domain") for a in found), (path, header)


def test_over_https_they_are_bound_to_the_host_by_name_and_travel_over_tls_alone():
    jar = Jar(secure=True)
    tenant = uuid4()
    headers = [
        jar.write_session(tenant, ("a" * 43,)),
        jar.write_session(tenant, ()),
        jar.new_browser()[1],
    ]

    for header in headers:
        name, found = attributes(header)
        assert name.startswith("__Host-insula_")
        assert {"httponly", "samesite=lax", "path=/", "secure"} <= found
        assert not any(a.startswith("domain") for a in found)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "{tenant}",
        "{tenant}.",
        "{tenant}.short",
        "{tenant}." + "a" * 44,
        "{tenant}." + "a" * 42 + "\u00e9",
        "{tenant}." + "a" * 43 + ".",
        "{other}." + "a" * 43,
        ".".join(["{tenant}"] + ["a" * 43] * 40),
    ],
)
def test_an_ill_formed_session_cookie_says_nothing_and_is_to_be_cleared(value):
    tenant, jar = uuid4(), Jar(secure=False)
    written = value.format(tenant=tenant.hex, other=uuid4().hex)

    assert jar.read_session({SESSION: written}, tenant) == SessionCookie(foreign=True)


def test_what_was_written_is_read_in_its_order():
    tenant, jar = uuid4(), Jar(secure=False)
    tokens = ("a" * 43, "b" * 43)
    value = jar.write_session(tenant, tokens).partition("=")[2].partition(";")[0]

    assert jar.read_session({SESSION: value}, tenant) == SessionCookie(tokens)
    assert jar.read_session({}, tenant) == SessionCookie()


PAGES = ["/", "/sign-in", "/sign-in/select-account", "/sign-in/out", "/oauth2/authorize"]


@pytest.mark.parametrize("path", PAGES)
def test_a_session_of_acme_is_nobody_at_globex_and_its_cookie_goes(product, signed_in, ada, path):
    value = signed_in.cookie(product.issuer("acme"), SESSION)
    url = product.url("globex", path)
    if path == "/oauth2/authorize":
        url = product.authorize_url("globex", product.demo_app("globex", "web"))
    signed_in.plant(url, SESSION, value)

    answer = signed_in.get(url)

    assert cleared(answer)
    assert ada.email not in answer.text
    assert "Ada" not in answer.text
    (line,) = product.audit("globex", "session.tenant_conflict", ip=ip_address(signed_in.address))
    assert line.status == "warning"
    assert value not in str(line)
    assert not product.audit("acme", "session.tenant_conflict", ip=ip_address(signed_in.address))
    # and at home nothing has happened to her
    assert "You are signed in" in signed_in.open(product.url("acme", "/")).text


def test_a_foreign_cookie_does_not_keep_its_bearer_from_signing_in(product, signed_in):
    value = signed_in.cookie(product.issuer("acme"), SESSION)
    signed_in.plant(product.issuer("globex"), SESSION, value)
    bea = product.person("globex")

    page = signed_in.open(product.url("globex", "/"))
    assert page.path == "/sign-in"
    assert "You are signed in" in signed_in.sign_in(page, bea).text


def test_two_tenants_stand_side_by_side_in_one_browser(product, signed_in, ada):
    bea = product.person("globex", display_name="Bea Schmidt")
    page = signed_in.open(product.url("globex", "/"))

    at_globex = signed_in.sign_in(page, bea)
    at_acme = signed_in.open(product.url("acme", "/"))

    assert bea.email in at_globex.text
    assert ada.email in at_acme.text
    assert bea.email not in at_acme.text


def test_with_the_tenant_forged_into_it_a_foreign_session_is_nobody_still(product, signed_in):
    _, _, token = signed_in.cookie(product.issuer("acme"), SESSION).partition(".")
    forged = f"{product.tenant_id('globex').hex}.{token}"
    signed_in.plant(product.issuer("globex"), SESSION, forged)

    assert signed_in.open(product.url("globex", "/")).path == "/sign-in"


@pytest.mark.parametrize("path", ["/", "/sign-in"])
def test_a_session_cookie_that_comes_twice_is_nobodys_and_goes(product, signed_in, path):
    value = signed_in.cookie(product.issuer("acme"), SESSION)
    url = product.url("acme", path)
    with product.http() as http:
        for twice in (f"{SESSION}={value}; {SESSION}={value}", f"{SESSION}={value}; {SESSION}=x"):
            answer = http.get(url, headers={"cookie": twice})

            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")
            assert cleared(answer)


def test_an_oversized_session_cookie_is_nobodys_and_goes(product, signed_in):
    value = signed_in.cookie(product.issuer("acme"), SESSION)
    token = value.partition(".")[2]
    long = ".".join([value, *[token] * 30])
    with product.http() as http:
        answer = http.get(product.url("acme", "/"), headers={"cookie": f"{SESSION}={long}"})

    assert cleared(answer)
    assert answer.status_code == 303


def test_the_browsers_secret_comes_once_and_is_never_the_sessions(product, browser, ada):
    browser.open(product.url("acme", "/sign-in"))
    before = browser.cookie(product.issuer("acme"), BROWSER)
    browser.sign_in(browser.open(product.url("acme", "/sign-in")), ada)

    assert browser.cookie(product.issuer("acme"), BROWSER) == before
    assert before not in browser.cookie(product.issuer("acme"), SESSION)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", before)


def test_a_browser_cookie_of_somebodys_making_is_replaced(product, browser):
    browser.plant(product.issuer("acme"), BROWSER, "chosen")
    browser.open(product.url("acme", "/sign-in"))

    assert browser.cookie(product.issuer("acme"), BROWSER) != "chosen"


def test_the_database_holds_neither_cookie(product, signed_in):
    session = signed_in.cookie(product.issuer("acme"), SESSION).partition(".")[2]
    browser = signed_in.cookie(product.issuer("acme"), BROWSER)

    dump = str(product.rows("select s::text as it from insula.sessions s")) + str(
        product.rows("select i::text as it from insula.interactions i")
    )

    for secret in (session, browser):
        assert secret not in dump
        assert secret.encode().hex() not in dump
