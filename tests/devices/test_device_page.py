"""The page where people let a device in (DV-3), as a browser without script sees it."""

from urllib.parse import urljoin

import pytest
from browsing import Browser
from people import App
from spine import Api
from televisions import Television, make_tv

from insula.clients import service as clients

WRONG = "No device waits under this code."


def confirm(browser, form, device, typed=None):
    """Type the code; the page that shows what asks."""
    page = browser.submit(form, "look", user_code=typed or device.user_code)
    assert "Compare it with the code on the device." in page.text, page.text
    return page


@pytest.mark.spec("RFC8628-3.3", "RFC8628-3.4", "DV-3", "DV-6")
def test_a_device_is_let_in_by_its_code(product, browser, form, device, api, ada, later):
    assert device.is_told("authorization_pending")
    later(6)

    done = browser.submit(confirm(browser, form, device), "allow")

    assert "Your device is connected" in done.text
    tokens = device.tokens()
    assert api.userinfo(tokens["access_token"]).json()["sub"] == str(ada.id)
    assert tokens["scope"] == "openid profile"
    (line,) = product.audit("acme", "oauth.authorized", actor_id=str(ada.id))
    assert (line.status, line.metadata["device"]) == ("success", True)


@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_the_page_says_who_asks_for_what_from_where_and_when(product, browser, form, ada, tv):
    with Browser() as elsewhere:
        agent = {"x-forwarded-for": elsewhere.address, "user-agent": "Television/4.2 <b>"}
        device = Television(Api(product, "acme", tv, **agent), scope="openid email offline_access")

    page = confirm(browser, form, device)

    (row,) = product.rows("select name from insula.clients where id = %s", tv.id)
    for said in (row.name, device.user_code, elsewhere.address, "Television/4.2 <b>", " UTC"):
        assert said in page.text
    assert f"{elsewhere.address}/" not in page.text
    assert "<b>" not in page.response.text.partition("Television/4.2")[2][:10]
    for title in ("Know that it is you", "See your e-mail address", "Stay connected"):
        assert title in page.text
    assert ada.email in page.text


@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_a_refusal_is_told_to_the_device_and_leaves_no_consent(product, browser, form, device, ada):
    done = browser.submit(confirm(browser, form, device), "deny")

    assert "Nothing was connected" in done.text
    assert device.is_told("access_denied")
    assert not product.rows("select * from insula.grants where user_id = %s", ada.id)
    (line,) = product.audit("acme", "oauth.authorized", actor_id=str(ada.id))
    assert line.status == "failed"


@pytest.mark.spec("RFC8628-6.1", "DV-3")
@pytest.mark.parametrize(
    "as_typed",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: f" {code.replace('-', ' ')} ",
        lambda code: "-".join(code.replace("-", "")),
        lambda code: code.replace("-", "_").swapcase(),
    ],
    ids=["lower", "joined", "spaces", "hyphens", "underline"],
)
def test_case_and_separators_mean_nothing(browser, form, device, as_typed):
    confirm(browser, form, device, as_typed(device.user_code))


@pytest.mark.usefixtures("form")
@pytest.mark.spec("RFC8628-5.4", "RFC8628-3.3.1", "DV-3")
def test_a_code_in_the_address_is_shown_and_decides_nothing(browser, device, later):
    address = device.given["verification_uri_complete"]
    page = browser.open(address)

    assert page.path == "/device"
    assert page.form.values["user_code"] == device.user_code
    assert {name for name, _ in page.form.buttons} == {"look"}
    assert device.is_told("authorization_pending")
    shown = browser.submit(page, "look")
    assert device.user_code in shown.text
    later(6)
    assert device.is_told("authorization_pending")
    browser.submit(shown, "allow")
    later(6)
    assert device.tokens()


@pytest.mark.usefixtures("form")
@pytest.mark.spec("RFC8628-5.4", "DV-3")
@pytest.mark.parametrize("more", ["&allow=1", "&look=1&allow=1&scope=openid"])
def test_nothing_in_an_address_lets_a_device_in(browser, device, more):
    browser.open(device.given["verification_uri_complete"] + more)

    assert device.is_told("authorization_pending")


@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_who_is_not_signed_in_does_that_first_and_comes_back_with_the_code(browser, device, ada):
    page = browser.open(device.given["verification_uri_complete"])
    assert page.path == "/sign-in"

    page = browser.sign_in(page, ada)

    assert page.path == "/device"
    assert page.form.values["user_code"] == device.user_code


@pytest.mark.spec("RFC8628-3.3", "DV-3")
@pytest.mark.parametrize(
    "typed", ["//evil.example/", "https://evil.example", '"><script>', "É" * 8, "BBBBBBBBB"]
)
def test_only_a_code_survives_the_sign_in(browser, page_url, ada, typed):
    page = browser.open(page_url, params={"user_code": typed})
    page = browser.sign_in(page, ada)

    assert page.url == page_url
    assert page.form.values["user_code"] == ""


@pytest.mark.usefixtures("form")
@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_what_was_typed_is_shown_as_text(browser, page_url):
    page = browser.open(page_url, params={"user_code": '"><b id=x>'})

    assert page.form.values["user_code"] == '"><b id=x>'
    assert "<b id=x>" not in page.response.text


@pytest.mark.usefixtures("form")
@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_another_account_may_be_the_one_that_lets_it_in(product, browser, device, api):
    bea = product.person("acme")
    page = browser.open(device.given["verification_uri_complete"])
    switch = next(link for link in page.links if "another=1" in link)

    chooser = browser.open(urljoin(page.url, switch))
    assert chooser.path == "/sign-in/select-account"
    other = next(link for link in chooser.links if "another=1" in link)
    page = browser.sign_in(browser.open(urljoin(chooser.url, other)), bea)

    assert page.form.values["user_code"] == device.user_code
    browser.submit(browser.submit(page, "look"), "allow")
    assert api.userinfo(device.tokens()["access_token"]).json()["sub"] == str(bea.id)


@pytest.mark.spec("RFC8628-5.4", "DV-3")
@pytest.mark.parametrize("press", ["look", "allow"])
def test_a_form_of_another_site_does_nothing(browser, form, device, press):
    for headers, values in (
        ({"origin": "https://evil.example"}, {}),
        ({"sec-fetch-site": "cross-site"}, {}),
        ({}, {"csrf_token": "x"}),
        ({}, {"csrf_token": None}),
    ):
        data = {**form.form.values, "user_code": device.user_code, press: "1", **values}
        data = {name: value for name, value in data.items() if value is not None}
        assert browser.post(form.url, data, headers=headers).status_code == 403

    assert device.is_told("authorization_pending")


@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_a_session_that_ended_meanwhile_decides_nothing(product, browser, form, device, ada):
    page = confirm(browser, form, device)
    product.change(
        "update insula.sessions set ended_at = now(), ended_for = 'logout' where user_id = %s",
        ada.id,
    )

    assert browser.submit(page, "allow").path == "/sign-in"
    assert device.is_told("authorization_pending")


@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_what_is_optional_may_be_left_out(browser, form, api):
    device = Television(api, scope="openid offline_access")
    page = confirm(browser, form, device)
    assert page.form.ticked == [("scope", "offline_access")]

    browser.submit(page, "allow", untick=[("scope", "offline_access")])

    tokens = device.tokens()
    assert tokens["scope"] == "openid"
    assert "refresh_token" not in tokens


@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_nothing_is_added_to_what_the_device_asked_for(browser, form, device):
    page = confirm(browser, form, device)
    page.form.ticked.append(("scope", "email"))
    page.form.ticked.append(("scope", "offline_access"))

    browser.submit(page, "allow")

    assert device.tokens()["scope"] == "openid profile"


@pytest.mark.spec("RFC8628-3.3", "DV-3")
@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_a_decision_stands(browser, form, device, decision):
    page = confirm(browser, form, device)
    browser.submit(page, decision)

    for again in ("allow", "deny"):
        late = browser.submit(page, again)
        assert (late.status, WRONG in late.text) == (422, True)

    assert device.poll().status_code == (200 if decision == "allow" else 400)


@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_an_expired_code_is_unknown(browser, form, device, later):
    page = confirm(browser, form, device)
    later(601)

    assert WRONG in browser.submit(page, "allow").text
    assert WRONG in browser.submit(form, "look", user_code=device.user_code).text
    assert device.is_told("expired_token")


@pytest.mark.spec("RFC8628-3.3", "DV-3")
def test_a_code_of_another_tenant_is_unknown(product, browser, form):
    theirs = Television(Api(product, "globex", make_tv(product, "globex")))

    page = browser.submit(form, "look", user_code=theirs.user_code)

    assert (page.status, WRONG in page.text) == (422, True)
    assert theirs.is_told("authorization_pending")


@pytest.mark.spec("RFC8628-4", "DV-1")
def test_where_devices_are_switched_off_there_is_no_such_page(product, browser):
    product.tenant("nodevices")
    assert browser.open(product.url("nodevices", "/device")).path == "/sign-in"
    product.change(
        "insert into insula.tenant_settings (tenant_id, section, value)"
        " values (%s, 'oidc.features', '{\"device\": false}')",
        product.tenant_id("nodevices"),
    )

    assert browser.open(product.url("nodevices", "/device")).status == 404


@pytest.mark.spec("RFC9700-4.11", "DR-17", "DV-3")
def test_an_application_that_nobody_has_checked_is_told_apart(product, browser, form):
    stranger = make_tv(product, "acme")
    product.change("update insula.clients set origin = 'dynamic' where id = %s", stranger.id)
    device = Television(Api(product, "acme", App(None, stranger.client_id, stranger.secret)))

    page = confirm(browser, form, device)
    assert "Nobody has checked this application" in page.text

    async def verify(here):
        await clients.verify(await here.tenant("acme"), stranger.client_id)

    product.backstage.run(verify)
    again = confirm(browser, form, device)
    assert "Nobody has checked this application" not in again.text


@pytest.mark.spec("RFC8628-3.3", "RFC8707-2", "DV-3")
def test_the_api_that_it_talks_to_is_named_in_the_tenants_words(product, browser, form, device):
    name = "Orders & <i>Stock</i>"
    product.change(
        "insert into insula.resource_servers (tenant_id, identifier, name)"
        " values (%s, 'https://orders.example', %s)",
        product.tenant_id("acme"),
        name,
    )
    product.change(
        "update insula.device_grants set resources = '{https://orders.example}'"
        " where tenant_id = %s and status = 'pending'",
        product.tenant_id("acme"),
    )

    page = confirm(browser, form, device)

    assert name in page.text
    assert "<i>Stock" not in page.response.text
    product.change("delete from insula.resource_servers where name = %s", name)


@pytest.mark.spec("RFC8628-3.3", "DV-3")
@pytest.mark.parametrize("part", ["value", "bounds"])
def test_where_the_platform_has_switched_devices_off_there_is_no_page(product, form, part):
    product.change(
        f"insert into insula.platform_settings (section, {part})"  # noqa: S608  (ours)
        " values ('oidc.features', '{\"device\": false}')"
    )
    try:
        assert form.status == 200
        with Browser() as browser:
            assert browser.open(form.url).status == 404
    finally:
        product.change("delete from insula.platform_settings where section = 'oidc.features'")
