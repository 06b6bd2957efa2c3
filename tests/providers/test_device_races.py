"""A device that is polled at four processes at once gets in once, and one decision stands."""

import asyncio

import httpx2
import pytest
from browsing import Browser
from spine import FAST, Api, Crowd

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def tv(product):
    return product.app(
        "acme",
        redirect_uris=(),
        post_logout_redirect_uris=(),
        response_types=(),
        grant_types=(GRANT, "refresh_token"),
        **FAST,
    )


@pytest.fixture
def given(product, tv):
    """The codes of a device that waits."""
    return Api(product, "acme", tv).post("/oauth2/device", scope="openid offline_access").json()


@pytest.fixture
def asked(product, given):
    """A browser at the page where the device is let in or refused."""
    with Browser() as browser:
        page = browser.open(given["verification_uri_complete"])
        page = browser.sign_in(page, product.person("acme"))
        yield browser, browser.submit(page, "look")


@pytest.mark.spec("RFC8628-3.5", "DV-5", "DV-6")
async def test_of_twenty_polls_of_an_approved_code_one_gets_tokens(
    product, tv, given, asked, four_workers
):
    browser, page = asked
    browser.submit(page, "allow")
    form = {"grant_type": GRANT, "device_code": given["device_code"]}

    async with Crowd(product, "acme", tv, four_workers.port) as crowd:
        answers = await crowd.all([form] * 20)

    assert [answer.status_code for answer in answers].count(200) == 1
    refused = {answer.json()["error"] for answer in answers if answer.status_code != 200}
    assert refused <= {"slow_down", "invalid_grant"}
    (row,) = product.rows(
        "select count(*) as n from insula.token_issues where client_id = %s and kind = 'device'",
        tv.id,
    )
    assert row.n == 1


@pytest.mark.spec("RFC8628-3.3", "DV-3")
async def test_of_decisions_that_differ_the_first_stands(product, tv, given, asked, four_workers):
    browser, page = asked
    headers = {
        "host": product.server.host("acme"),
        "cookie": "; ".join(f"{c.name}={c.value}" for c in browser.http.cookies.jar),
        "x-forwarded-for": browser.address,
    }
    base = f"http://127.0.0.1:{four_workers.port}"
    async with httpx2.AsyncClient(base_url=base, headers=headers, timeout=60) as http:
        answers = await asyncio.gather(
            *(
                http.post("/device", data={**page.form.values, press: "1"})
                for press in ("allow", "deny") * 5
            )
        )

    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.status_code for answer in answers} <= {200, 422, 429}
    (won,) = [answer.text for answer in answers if answer.status_code == 200]
    polled = Api(product, "acme", tv).token(grant_type=GRANT, device_code=given["device_code"])
    assert polled.status_code == (200 if "Your device is connected" in won else 400)
