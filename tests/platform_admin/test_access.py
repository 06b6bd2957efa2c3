"""Every route of the platform, tried by everybody who may not, as the route table names them."""

import pytest
from addresses import ADDRESSES
from administrators import COOKIE, SIGN_IN, admin_of, signed_in
from browsing import Browser

from insula.tenancy.models import PLATFORMS

#: What the addresses are made of is not asked for: nobody gets as far as using it.
FILLED = {"{slug}": "acme", "{section}": "oidc.ttl", "{job:int}": "0", "{number:int}": "0",
          "{digest}": "0" * 64, "{name}": "nothing"}  # fmt: skip


def filled(path):
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return path


ROUTES = sorted((method, filled(path)) for method, path in ADDRESSES["platform"])
#: Pages that lead to an act and nowhere else.
ACTS = (
    "/suspend", "/archive", "/activate", "/domains/remove", "/domains/vouch", "/domains/primary",
    "/users/link", "/restore", "/release", "tenants/acme/delete", "templates/nothing/delete",
    "/undo-delete", "/config/import", "tenants/new", "templates/new", "tenants/acme/edit",
    "/forget", "/reset",
)  # fmt: skip
#: What may be looked at and is not there.
ABSENT = (f"/assets/{'0' * 64}", "/deletion.jwt", "/jobs/0", "/history/0",
          "/templates/nothing")  # fmt: skip
HTML = {"accept": "text/html"}


def test_the_table_holds_pages_and_acts():
    assert len(ROUTES) > 20
    assert {method for method, _ in ROUTES} == {"GET", "POST"}


@pytest.fixture
def try_all(product, at):
    """The answers to every route, sent from one browser; nothing may have happened afterwards."""

    def try_all(browser, *, methods=("GET", "POST"), url=at, form=None, headers=HTML):
        answers = {}
        for method, path in ROUTES:
            if method in methods:
                data = form if method == "POST" else None
                answers[method, path] = browser.http.request(
                    method, url(path), data=data, headers=headers
                )
        (acme,) = product.rows("select status from insula.tenants where slug = 'acme'")
        assert acme.status == "active"
        return answers

    return try_all


def strangers(product, kind):
    """Somebody who is known somewhere, and not here."""
    if kind == "nobody":
        return Browser()
    if kind == "an administrator of another tenant":
        browser = signed_in(product, "acme", admin_of(product, "acme", "superadmin"))
        token = browser.cookie(product.url("acme", "/"), COOKIE)
        browser.plant(f"http://{product.server.host('platform')}/", COOKIE, token)
        return browser
    person = admin_of(product, PLATFORMS, "platform_admin")
    browser = Browser()
    browser.sign_in(browser.open(f"http://{product.server.host('platform')}/sign-in"), person)
    assert browser.cookie(f"http://{product.server.host('platform')}/", "insula_session")
    return browser


@pytest.mark.spec("features D02", "features F04", "features F13", "security 84", "security 96")
@pytest.mark.parametrize(
    "kind", ["nobody", "an administrator of another tenant", "an ordinary session"]
)
def test_who_is_not_signed_in_as_an_administrator_here_is_sent_to_do_so(product, try_all, kind):
    with strangers(product, kind) as browser:
        for (method, path), answer in try_all(browser).items():
            assert answer.status_code == 303, (method, path)
            target = answer.headers["location"].partition("?")[0]
            assert target == SIGN_IN, (method, path)
        for where, answer in try_all(browser, headers={"accept": "application/json"}).items():
            assert answer.status_code == 401, where
            assert answer.json()["code"] == "session_expired"


@pytest.mark.spec("features D02")
def test_an_admin_of_the_platforms_own_tenant_is_not_one_of_the_platform(product, try_all):
    with signed_in(product, "platform", admin_of(product, PLATFORMS, "admin")) as browser:
        for where, answer in try_all(browser).items():
            assert answer.status_code == 403, where


@pytest.mark.spec("features D02")
def test_a_superadmin_of_the_platforms_own_tenant_runs_it(product, at):
    with signed_in(product, "platform", admin_of(product, PLATFORMS, "superadmin")) as browser:
        assert browser.get(at("/platform")).status_code == 200


@pytest.mark.spec("features D02")
def test_a_viewer_looks_at_everything_and_changes_nothing(product, viewing, try_all):
    page = viewing.open(f"http://{product.server.host('platform')}/admin")
    token = page.form.values["csrf_token"]
    for (method, path), answer in try_all(viewing, form={"csrf_token": token}).items():
        is_act = method == "POST" or path.endswith(ACTS)
        expected = 403 if is_act else 404 if path.endswith(ABSENT) else 200
        shown = viewing._follow(answer).status if answer.status_code == 303 else answer.status_code  # noqa: SLF001  (where it leads)
        assert shown == expected, (method, path)


@pytest.mark.spec("features CR-5", "security 89")
def test_no_form_is_taken_without_its_token_or_from_elsewhere(product, browser, try_all):
    token = browser.open(f"http://{product.server.host('platform')}/admin").form.values[
        "csrf_token"
    ]
    elsewhere = {**HTML, "origin": product.issuer("acme")}
    for form, headers in (
        ({"confirm": "1"}, HTML),
        ({"csrf_token": "x" * 43}, HTML),
        ({"csrf_token": token}, elsewhere),
    ):
        for where, answer in try_all(
            browser, methods=("POST",), form=form, headers=headers
        ).items():
            assert answer.status_code == 403, where
            assert "csrf_failed" in answer.text


@pytest.mark.spec("features D01")
def test_a_tenants_host_has_no_platform_whoever_asks(product, try_all):
    with signed_in(product, "acme", admin_of(product, "acme", "superadmin")) as browser:
        for where, answer in try_all(browser, url=lambda p: product.url("acme", p)).items():
            assert answer.status_code == 404, where


@pytest.mark.spec("features D01", "features D02")
def test_the_platform_comes_back_to_the_page_that_was_asked_for(at, runner):
    with Browser() as browser:
        page = browser.open(at("/platform/tenants?status=suspended"))
        assert page.path == SIGN_IN
        arrived = browser.sign_in(page, runner)

        assert arrived.url == at("/platform/tenants?status=suspended")
        assert browser.open(at(SIGN_IN)).path == "/platform"
