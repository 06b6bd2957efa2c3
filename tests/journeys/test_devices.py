"""Somebody lets a television in with their phone, in a real browser."""

import httpx2
import pytest
from looking import PHONE, look_at
from spine import FAST

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
WAYS = {
    "with script": {},
    "without script": {"java_script_enabled": False},
    "on a phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "in the dark, on a phone": {"viewport": PHONE, "color_scheme": "dark"},
}


@pytest.fixture
def television(product):
    """Polls; what it was told, and its codes."""
    tv = product.app(
        "acme",
        redirect_uris=(),
        post_logout_redirect_uris=(),
        response_types=(),
        grant_types=(GRANT, "refresh_token"),
        consent="ask",
        **FAST,
    )
    with product.http(auth=(tv.client_id, tv.secret)) as http:
        asked = {"scope": "openid profile offline_access"}
        given = http.post(product.url("acme", "/oauth2/device"), data=asked).json()

        def poll():
            form = {"grant_type": GRANT, "device_code": given["device_code"]}
            answer = http.post(product.url("acme", "/oauth2/token"), data=form)
            assert isinstance(answer, httpx2.Response)
            return answer

        yield given, poll


def sign_in(page, person):
    page.get_by_label("E-mail or username").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.keyboard.press("Enter")


@pytest.mark.spec("RFC8628-3.3", "DV-3")
@pytest.mark.parametrize("way", WAYS)
def test_a_code_is_typed_compared_and_let_in(product, visit, television, way):
    given, poll = television
    page = visit(**WAYS[way])
    page.goto(given["verification_uri"])
    sign_in(page, product.person("acme"))

    look_at(page, "Connect a device")
    page.get_by_label("Code").fill("bcdf ghjk")
    page.keyboard.press("Enter")
    look_at(page, "Connect a device", title="Error: Connect a device")
    page.get_by_label("Code").fill(given["user_code"].lower())
    page.get_by_role("button", name="Continue").click()
    look_at(page, "A device wants to use your Acme account", title="Connect App")
    assert page.get_by_text(given["user_code"], exact=True).is_visible()
    assert page.get_by_label("Stay connected").is_checked()
    page.get_by_role("button", name="Connect", exact=True).click()
    look_at(page, "Your device is connected", title="Device connected")

    assert poll().json()["refresh_token"]


@pytest.mark.spec("RFC8628-3.3.1", "RFC8628-5.4", "DV-3")
def test_a_code_that_was_scanned_is_compared_all_the_same(product, visit, television):
    given, poll = television
    page = visit(**WAYS["on a phone"])
    page.goto(given["verification_uri_complete"])
    sign_in(page, product.person("acme"))

    look_at(page, "Connect a device")
    assert page.get_by_label("Code").input_value() == given["user_code"]
    page.get_by_role("button", name="Continue").click()
    look_at(page, "A device wants to use your Acme account", title="Connect App")
    page.get_by_role("button", name="Do not allow").click()
    look_at(page, "Nothing was connected", title="Not connected")

    assert poll().json()["error"] == "access_denied"
