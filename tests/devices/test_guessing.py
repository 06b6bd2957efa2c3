"""Codes are short, so whoever guesses is stopped soon (DV-4)."""

import pytest
from browsing import Browser
from televisions import Television, wrong_code

WRONG = "No device waits under this code."
STOPPED = "Too many wrong codes"

pytestmark = pytest.mark.spec("RFC8628-5.1", "DV-4")


def guess(browser, form, n):
    return browser.submit(form, "look", user_code=wrong_code(n))


def signed_in(browser, page_url, person):
    return browser.sign_in(browser.open(page_url), person)


def use_up(browser, form):
    for n in range(10):
        page = guess(browser, form, n)
        assert (page.status, WRONG in page.text) == (422, True), n


def test_the_eleventh_wrong_code_is_not_looked_at(browser, form):
    use_up(browser, form)

    page = guess(browser, form, 10)

    assert (page.status, STOPPED in page.text) == (429, True)
    assert 0 < int(page.response.headers["retry-after"]) <= 601
    assert "Wait 10 minutes" in page.text


def test_nor_is_a_right_one_as_long(browser, form, device, later):
    use_up(browser, form)

    assert browser.submit(form, "look", user_code=device.user_code).status == 429
    later(590)
    assert browser.submit(form, "look", user_code=device.user_code).status == 429


def test_the_form_is_stopped_for_ten_minutes_and_no_longer(browser, form, api, later):
    use_up(browser, form)
    for n in range(3):
        assert guess(browser, form, n).status == 429  # does not make it longer

    later(602)
    device = Television(api)

    assert browser.submit(form, "look", user_code=device.user_code).status == 200


def test_wrong_codes_that_are_spread_out_stop_it_for_as_long(browser, form, later):
    guess(browser, form, 0)
    later(500)
    for n in range(1, 10):
        guess(browser, form, n)
    assert guess(browser, form, 10).status == 429

    later(300)  # more than ten minutes after the first, less than that after the last

    assert guess(browser, form, 11).status == 429


def test_right_codes_do_not_count(browser, form, device):
    for _ in range(30):
        assert browser.submit(form, "look", user_code=device.user_code).status == 200

    use_up(browser, form)


def test_what_is_no_code_at_all_counts_too(browser, form):
    for typed in ("hello", "x" * 200, "AEIOUAEI", "12345678", "") * 2:
        assert browser.submit(form, "look", user_code=typed).status == 422

    assert guess(browser, form, 0).status == 429


def test_it_is_the_person_who_is_stopped_wherever_they_are(browser, form, page_url, ada):
    use_up(browser, form)

    with Browser() as elsewhere:
        there = signed_in(elsewhere, page_url, ada)
        assert guess(elsewhere, there, 0).status == 429


def test_it_is_the_address_that_is_stopped_whoever_is_there(product, browser, form, page_url):
    use_up(browser, form)

    with Browser(browser.address) as same:
        there = signed_in(same, page_url, product.person("acme"))
        assert guess(same, there, 0).status == 429


def test_nobody_else_is_stopped(product, browser, form, page_url, device):
    use_up(browser, form)

    with Browser() as elsewhere:
        there = signed_in(elsewhere, page_url, product.person("acme"))
        page = elsewhere.submit(there, "look", user_code=device.user_code)
        assert page.status == 200


def test_nor_is_another_tenant(product, browser, form):
    use_up(browser, form)

    with Browser(browser.address) as same:
        there = signed_in(same, product.url("globex", "/device"), product.person("globex"))
        assert guess(same, there, 0).status == 422


def test_a_tenant_is_not_guessed_at_by_a_crowd(product, browser, form):
    guess(browser, form, 0)
    product.change(
        "update insula.attempt_counters set n = 1000 where tenant_id = %s and kind = 'device'",
        product.tenant_id("acme"),
    )
    try:
        assert guess(browser, form, 1).status == 429
    finally:
        product.change("delete from insula.attempt_counters where kind = 'device'")
