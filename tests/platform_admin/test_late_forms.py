"""A form that comes too late does nothing, and nothing that was typed into it is lost."""

import pytest
from addresses import ADDRESSES
from administrators import COOKIE, SIGN_IN, admin_of, long_ago, signed_in
from browsing import Browser
from pressing import submit

from insula.platform_admin import kept
from insula.tenancy.models import PLATFORMS

STEP_UP = "/admin/step-up"
TYPED = "insula_typed"
AGAIN = "What you had typed stands below again."
OURS = {"sec-fetch-site": "same-origin"}
WHY = "Not paid since März, as “agreed” with Zoë & Müller <b>"


@pytest.fixture
def person(product):
    return admin_of(product, PLATFORMS, "platform_admin")


@pytest.fixture
def browser(product, person):
    with signed_in(product, "platform", person) as browser:
        browser.http.headers.update(OURS)
        yield browser


@pytest.fixture
def end(browser, at):
    """What ends the session in another tab."""
    return lambda: browser.submit(browser.open(at("/admin")), "sign_out")


def values_of(page, action):
    return next(form for form in page.forms if form.action.endswith(action)).values


def status_of(product, tenant):
    (row,) = product.rows("select status from insula.tenants where slug = %s", tenant)
    return row.status


@pytest.mark.spec("features D02", "features D04")
def test_a_session_that_ended_meanwhile_costs_a_sign_in_and_no_typing(product, browser, at, end,
                                                                      person):  # fmt: skip
    page = browser.open(at("/platform/tenants/new"))
    end()
    late = submit(browser, page, "/new", display_name="Typed <b>", slug="typed-late")

    assert late.path == SIGN_IN
    assert "Your session has ended Nothing was saved." in late.text
    wrong = browser.sign_in(late, person, "not the password of anybody")
    assert "Your session has ended" not in wrong.text
    back = browser.sign_in(wrong, person)
    assert back.path == "/platform/tenants/new"
    assert AGAIN in back.text
    values = values_of(back, "/new")
    assert (values["display_name"], values["slug"]) == ("Typed <b>", "typed-late")
    assert not product.rows("select from insula.tenants where slug = 'typed-late'")
    assert values_of(browser.open(back.url), "/new")["slug"] == ""


@pytest.mark.spec("features D02", "features D08")
def test_a_section_is_filled_in_again_but_for_who_was_faster(
    product, browser, at, end, person, tenant, runner
):
    path = f"/platform/tenants/{tenant}/config/oidc.ttl"
    page = browser.open(at(path))
    end()
    late = submit(browser, page, "/review", client_credentials="900", device_code="")
    with signed_in(product, "platform", runner) as other:
        theirs = submit(other, other.open(at(path)), "/review", device_code="300")
        submit(other, theirs, path, save="1")
    back = browser.sign_in(late, person)

    assert (late.path, back.path) == (SIGN_IN, path)
    assert "Somebody else was faster" in back.text
    values = values_of(back, "/review")
    assert (values["client_credentials"], values["device_code"]) == ("900", "")
    review = submit(browser, back, "/review", device_code="300")
    assert "Nothing is saved yet." in review.text


@pytest.mark.spec("features D02", "features D08")
def test_what_was_reviewed_and_not_saved_stands_in_the_form_again(
    product, browser, at, end, person, tenant
):
    path = f"/platform/tenants/{tenant}/config/oidc.ttl"
    review = submit(browser, browser.open(at(path)), "/review", client_credentials="900")
    end()
    back = browser.sign_in(submit(browser, review, path, save="1", reason=WHY), person)

    assert (back.path, AGAIN in back.text) == (path, True)
    assert "Somebody else" not in back.text
    assert values_of(back, "/review")["client_credentials"] == "900"
    assert not product.rows(
        "select from insula.tenant_settings where tenant_id = %s", product.tenant_id(tenant)
    )


@pytest.mark.spec("features CR-6", "features UI-5")
def test_a_proof_that_lapsed_meanwhile_keeps_the_reason_and_not_the_confirmation(
    product, browser, at, person, tenant
):
    path = f"/platform/tenants/{tenant}/suspend"
    page = browser.open(at(path))
    long_ago(product, person, "proved_at", 6)
    late = submit(browser, page, "/suspend", typed=tenant, reason=WHY)

    assert late.path == STEP_UP
    assert "Nothing was changed yet" in late.text
    assert WHY not in browser.cookie(at("/"), TYPED)
    back = browser.submit(late, password=person.password)
    assert back.path == path
    assert AGAIN in back.text
    assert WHY in back.text
    assert values_of(back, "/suspend")["typed"] == ""
    assert status_of(product, tenant) == "active"
    assert browser.cookie(at("/"), TYPED) is None
    assert WHY not in browser.open(at(path)).text


@pytest.mark.spec("features CR-6", "features D02")
@pytest.mark.parametrize("reason", ["", "x" * 3000], ids=["nothing", "too much"])
def test_a_form_that_cannot_be_kept_leaves_none_of_before(
    product, browser, at, person, tenant, reason
):
    path = f"/platform/tenants/{tenant}/suspend"
    page, other = browser.open(at(path)), browser.open(at("/platform/tenants/new"))
    long_ago(product, person, "proved_at", 6)
    submit(browser, page, "/suspend", typed=tenant, reason=WHY)
    assert browser.cookie(at("/"), TYPED)
    late = submit(browser, page, "/suspend", typed=tenant, reason=reason)
    assert browser.cookie(at("/"), TYPED) is None
    back = browser.submit(late, password=person.password)
    assert (back.path, AGAIN in back.text, WHY in back.text) == (path, False, False)

    # what stands for another page is none of its business
    browser.submit(browser.open(at("/admin")), "sign_out")
    submit(browser, other, "/new", slug="typed-late")
    submit(browser, page, "/suspend", typed=tenant, reason=reason)
    assert browser.cookie(at("/"), TYPED)


@pytest.mark.spec("features CR-6", "features D09")
def test_what_a_form_was_about_is_not_asked_again(product, browser, at, person, tenant):
    base = f"/platform/tenants/{tenant}"
    host = f"login.{tenant}.example"
    submit(browser, browser.open(at(f"{base}/edit")), "/domains", domain=host)
    page = browser.open(at(f"{base}/domains/vouch?domain={host}"))
    long_ago(product, person, "proved_at", 6)
    late = submit(browser, page, "/vouch", typed=host, reason=WHY)
    back = browser.submit(late, password=person.password)

    assert back.url == at(f"{base}/domains/vouch?domain={host}")
    assert values_of(back, "/vouch")["reason"] == WHY


@pytest.mark.spec("features CR-6", "features D02")
def test_a_document_is_not_carried_along_and_nobody_says_so(product, browser, at, person, tenant):
    path = f"/platform/tenants/{tenant}/config/import"
    page = browser.open(at(path))
    long_ago(product, person, "proved_at", 6)
    late = submit(browser, page, "/import", document='{"oidc.ttl": {}}', reason=WHY)
    assert "Nothing was changed yet" in late.text
    assert browser.cookie(at("/"), TYPED) is None
    back = browser.submit(late, password=person.password)

    assert (back.path, AGAIN in back.text) == (path, False)


@pytest.mark.spec("features D02", "security 89")
@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": ""},
                                     {**OURS, "origin": "https://elsewhere.example"}])  # fmt: skip
def test_nobody_else_fills_in_a_form(at, headers):
    with Browser() as browser:
        answer = browser.post(at("/platform/tenants/new"), {"slug": "planted"}, headers=headers)

        assert answer.headers["location"].startswith(SIGN_IN)
        assert browser.cookie(at("/"), TYPED) is None


@pytest.mark.spec("features D02", "security 89")
def test_what_was_typed_is_for_who_typed_it_on_its_page_and_for_a_while(
    product, browser, at, person, tenant, runner
):
    path = f"/platform/tenants/{tenant}/suspend"
    page = browser.open(at(path))
    long_ago(product, person, "proved_at", 6)
    submit(browser, page, "/suspend", typed=tenant, reason=WHY)
    typed = browser.cookie(at("/"), TYPED)

    with signed_in(product, "platform", runner) as other:
        for cookie in (typed, "x" * 40, typed[:-9] + "AAAAAAAAA"):
            other.plant(at("/"), TYPED, cookie)
            assert AGAIN not in other.open(at("/platform/tenants/new")).text
            assert AGAIN not in other.open(at(path)).text


def test_what_was_typed_lapses_and_is_kept_while_a_cookie_holds_it(monkeypatch):
    def sealed(reason):
        return kept.seal("secret", "/page", "me", {"reason": [reason]}, ("reason",))

    assert sealed("") == ""
    assert sealed("x" * 5000) == ""
    assert kept.unseal("secret", "/page", "me", sealed(WHY)) == {"reason": [WHY]}
    assert kept.unseal("secret", "/page", "you", sealed(WHY)) == {}
    assert kept.unseal("secret", "/other", "me", sealed(WHY)) is None
    assert kept.unseal("secret", "/page", "me", "é") is None
    old = sealed(WHY)
    later = kept.now() + kept.SECONDS + 1
    monkeypatch.setattr(kept, "now", lambda: later)
    assert kept.unseal("secret", "/page", "me", old) == {}


@pytest.mark.spec("features D02")
def test_every_form_leads_back_to_a_page(browser, at, tenant):
    """An address that only takes forms would be a dead end after the sign-in."""
    for method, address in ADDRESSES["platform"]:
        if method == "POST":
            path = address.replace("{slug}", tenant).replace("{section}", "security.session")
            path = path.replace("{job:int}", "0").replace("{number:int}", "0")
            with Browser() as nobody:
                answer = nobody.post(at(path.replace("{name}", "none")), {})
            back = answer.next_request.url if answer.next_request else answer.headers["location"]
            assert "unsent=1" in str(back), path
            page = browser.get(at(back.params["return_to"]))
            assert page.status_code != 405, path
    assert browser.cookie(at("/"), COOKIE)
