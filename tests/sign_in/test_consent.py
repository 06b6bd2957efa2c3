"""Consent: one person's word, to one application, about what it asked for and nothing else."""

import secrets
from datetime import timedelta

import pytest
from spine import Api

from insula.config_overrides import service as config_overrides
from insula.sign_in.models import describe
from insula.sign_in.settings import ConsentLife


@pytest.fixture
def asking(product):
    """An application of its own for each test, that asks and may stay connected."""
    return product.app("acme", consent="ask")


@pytest.fixture
def consent(start, browser, ada, asking):
    """Ada's browser at the consent page of that application."""

    def consent(**parameters):
        page = start(application=asking, **parameters)
        return browser.sign_in(page, ada) if page.path == "/sign-in" else page

    return consent


def grants(product, person):
    return product.rows("select * from insula.grants where user_id = %s", person.id)


def granted(product, app, page):
    return set(product.redeem("acme", app, page.code).json()["scope"].split())


def test_the_page_says_who_asks_where_it_leads_what_is_asked_and_who_is_here(consent, ada):
    page = consent(scope="openid profile email")

    assert page.path == "/sign-in/consent"
    for said in ("127.0.0.1:9000", ada.email, "Acme", "Nothing is shared before you choose."):
        assert said in page.text
    for title in ("Know that it is you", "See who you are", "See your e-mail address"):
        assert title in page.text
    assert "phone" not in page.text


def test_allowed_once_is_not_asked_again(product, start, browser, consent, asking, ada):
    answered = browser.submit(consent(), "allow")
    assert granted(product, asking, answered) == {"openid", "profile"}

    assert start(application=asking).code
    assert start(application=asking, scope="openid").code
    (grant,) = grants(product, ada)
    assert set(grant.scopes) == {"openid", "profile"}


def test_more_is_asked_for_and_then_remembered_beside_the_former(
    product, start, browser, consent, asking, ada
):
    browser.submit(consent(), "allow")

    wider = start(application=asking, scope="openid email")

    assert wider.path == "/sign-in/consent"
    assert granted(product, asking, browser.submit(wider, "allow")) == {"openid", "email"}
    (grant,) = grants(product, ada)
    assert set(grant.scopes) == {"openid", "profile", "email"}
    assert start(application=asking, scope="openid profile email").code


@pytest.mark.spec("RT-10", "security row 34")
@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
def test_what_ended_does_not_come_back_with_a_new_consent(
    product, start, browser, consent, asking, ada, ended
):
    api, scope = Api(product, "acme", asking), "openid profile offline_access"
    first = browser.submit(consent(scope=scope, prompt="consent"), "allow")
    tokens = api.redeem(first.code).json()
    in_flight = start(application=asking, scope=scope)
    product.change(f"update insula.grants set {ended} = now() where user_id = %s", ada.id)  # noqa: S608

    again = start(application=asking, scope="openid")
    assert again.path == "/sign-in/consent"
    answered = browser.submit(again, "allow")

    assert api.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert api.redeem(in_flight.code).json()["error"] == "invalid_grant"
    assert api.userinfo(tokens["access_token"]).status_code == 401
    assert granted(product, asking, answered) == {"openid"}


@pytest.mark.spec("RT-10", "AZ-19")
def test_what_is_taken_back_before_the_browser_is_back_is_asked_again(
    product, browser, consent, ada
):
    page = consent()
    sent = browser.post(page.url, {"csrf_token": page.form.values["csrf_token"], "allow": "1"})
    product.change("update insula.grants set revoked_at = now() where user_id = %s", ada.id)

    asked = browser.open(product.url("acme", sent.headers["location"]))
    assert asked.path == "/sign-in/consent"
    assert browser.submit(asked, "allow").code


@pytest.mark.spec("AZ-19", "OC-18")
def test_what_was_left_out_is_not_there_at_the_next_request(
    product, start, browser, consent, asking, ada
):
    scope = "openid profile offline_access"
    browser.submit(consent(scope=scope, prompt="consent"), "allow")
    page = start(application=asking, scope=scope, prompt="consent")
    browser.submit(page, "allow", untick=[("scope", "offline_access")])

    assert granted(product, asking, start(application=asking, scope=scope)) == {"openid", "profile"}
    (grant,) = grants(product, ada)
    assert set(grant.scopes) == {"openid", "profile"}


def test_a_refusal_is_told_and_not_remembered(product, start, browser, consent, asking, ada):
    refused = browser.submit(consent(), "deny")

    assert refused.answer["error"] == "access_denied"
    assert refused.answer["state"] == "xyz"
    assert refused.answer["iss"] == product.issuer("acme")
    assert not grants(product, ada)
    assert start(application=asking).path == "/sign-in/consent"
    (line,) = product.audit("acme", "oauth.authorized", actor_id=str(ada.id))
    assert line.status == "failed"


def test_prompt_consent_asks_although_it_was_allowed(start, browser, consent, asking):
    browser.submit(consent(), "allow")

    assert start(application=asking, prompt="consent").path == "/sign-in/consent"


def test_silence_is_no_consent(start, browser, asking, ada, app):
    browser.sign_in(start(application=app), ada)

    assert start(application=asking, prompt="none").answer["error"] == "consent_required"


@pytest.mark.parametrize("stays", [True, False])
def test_what_is_optional_can_be_switched_off(product, browser, consent, asking, stays):
    page = consent(scope="openid profile offline_access", prompt="consent")
    assert page.form.ticked == [("scope", "offline_access")]

    answered = browser.submit(page, "allow", untick=() if stays else [("scope", "offline_access")])

    tokens = product.redeem("acme", asking, answered.code).json()
    assert ("refresh_token" in tokens) == stays
    assert ("offline_access" in tokens["scope"].split()) == stays


def test_only_what_was_asked_for_can_be_allowed(product, browser, consent, asking, ada):
    page = consent(scope="openid")
    form = {
        "csrf_token": page.form.values["csrf_token"],
        "allow": "1",
        "scope": ["email", "offline_access", "phone", "insula:tenants:write"],
    }

    answered = browser.open(product.url("acme", browser.post(page.url, form).headers["location"]))

    assert granted(product, asking, answered) == {"openid"}
    (grant,) = grants(product, ada)
    assert grant.scopes == ["openid"]


def test_what_is_required_cannot_be_left_out(product, browser, consent, asking):
    page = consent(scope="openid profile email")
    form = {"csrf_token": page.form.values["csrf_token"], "allow": "1", "scope": []}

    answered = browser.open(product.url("acme", browser.post(page.url, form).headers["location"]))

    assert granted(product, asking, answered) == {"openid", "profile", "email"}


@pytest.mark.parametrize("pressed", [{}, {"allow": "1", "deny": "1"}, {"allow": ["1", "1"]}])
def test_no_button_or_two_decide_nothing(product, browser, consent, ada, pressed):
    page = consent()

    answer = browser.post(page.url, {"csrf_token": page.form.values["csrf_token"], **pressed})

    assert answer.headers["location"].startswith("/sign-in/consent?")
    assert not grants(product, ada)


def test_another_persons_consent_does_not_count(product, browser, consent, ada):
    """Ada allows and stops; Bea signs in beside her and goes on with the same request."""
    page = consent()
    allowed = browser.send(page, "allow")
    bea = product.person("acme", display_name="Bea Schmidt")
    browser.sign_in(browser.open(product.url("acme", "/sign-in")), bea)

    went_on = browser.open(product.url("acme", allowed.headers["location"]))

    assert went_on.path == "/sign-in/consent"
    assert bea.email in went_on.text
    assert not grants(product, bea)
    assert len(grants(product, ada)) == 1


def test_a_grant_that_was_revoked_or_is_over_is_asked_for_again(
    product, start, browser, consent, asking, ada
):
    browser.submit(consent(), "allow")
    for change in ("revoked_at = now()", "expires_at = now() - interval '1 second'"):
        product.change(f"update insula.grants set {change} where user_id = %s", ada.id)  # noqa: S608

        page = start(application=asking)

        assert page.path == "/sign-in/consent"
        assert browser.submit(page, "allow").code


def test_somebody_who_has_left_decides_nothing(product, browser, consent, ada):
    page = consent()
    product.change("update insula.sessions set ended_at = now() where user_id = %s", ada.id)

    late = browser.submit(page, "allow")

    assert late.status == 400
    assert "not signed in any more" in late.text
    assert not grants(product, ada)


def test_names_of_applications_are_written_and_never_read(product, start, browser, ada):
    evil = product.app("acme", consent="ask", client_uri="https://ledger.example/")
    product.change(
        "update insula.clients set name = %s where id = %s", "<b>Bank</b> & Söhne", evil.id
    )

    page = browser.sign_in(start(application=evil), ada)

    assert "<b>Bank" not in page.response.text
    assert "<b>Bank</b> & Söhne" in page.text
    assert "https://ledger.example/" in page.links


def test_scopes_are_told_in_plain_words_and_in_a_steady_order():
    lines = describe(("email", "reports:read", "openid", "offline_access"), ("offline_access",))

    assert [line.name for line in lines] == ["openid", "email", "offline_access", "reports:read"]
    assert [line.required for line in lines] == [True, True, False, True]
    assert lines[3].title == "Use “reports:read”"


@pytest.mark.spec("features C01")
def test_how_long_consent_is_remembered_is_the_tenants_to_say(product, browser):
    slug = f"consent{secrets.token_hex(4)}"
    product.tenant(slug)
    app, person = product.app(slug, consent="ask"), product.person(slug)

    async def decide(here):
        values = {"remembered_days": 7}
        await config_overrides.change(await here.tenant(slug), ConsentLife, values)

    product.backstage.run(decide)
    page = browser.sign_in(browser.open(product.authorize_url(slug, app)), person)
    assert browser.submit(page, "allow").code

    (grant,) = product.rows(
        "select expires_at - granted_at as life from insula.grants where user_id = %s", person.id
    )
    assert grant.life == timedelta(days=7)
