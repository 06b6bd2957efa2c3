"""Guessing is slow: waits that grow and end, counted by name, by address and by both."""

import asyncio
from ipaddress import ip_address

import httpx2
import pytest
from browsing import Browser, some_address

from insula.sign_in.attempts import service as attempts
from insula.sign_in.attempts.service import Attempt
from insula.sign_in.errors import TooManyAttempts
from insula.sign_in.guard import in_words
from insula.sign_in.settings import BruteForce

WRONG = "not the password of anybody"
POLICY = BruteForce()


@pytest.fixture
def guess(start):
    """One guess at somebody's password; the page that answers."""

    def guess(visitor, person, password=WRONG):
        return visitor.sign_in(start(visitor), person, password)

    return guess


def counters(product, person, address):
    """What was counted so far, by kind."""
    attempt = Attempt(product.tenant_id("acme"), person.email, address)
    kinds = (attempt.by_name_and_ip, attempt.by_ip, attempt.by_name)
    return {
        kind: row.n
        for kind, subject in kinds
        for row in product.rows(
            "select n from insula.attempt_counters where kind = %s and subject = %s", kind, subject
        )
    }


def let_time_pass(product, person, address, seconds):
    """As if the last attempt had been earlier by so many seconds."""
    attempt = Attempt(product.tenant_id("acme"), person.email, address)
    for kind, subject in (attempt.by_name_and_ip, attempt.by_name, attempt.by_ip):
        product.change(
            "update insula.attempt_counters"
            " set window_ends_at = window_ends_at - %s * interval '1 s'"
            " where kind = %s and subject = %s",
            seconds,
            kind,
            subject,
        )


def test_after_five_failures_the_right_password_waits_too_and_then_works(
    product, guess, browser, ada
):
    answers = [guess(browser, ada) for _ in range(5)]
    assert [page.status for page in answers] == [422] * 5
    assert "2 tries left before a pause" in answers[2].text
    assert "1 try left before a pause" in answers[3].text
    assert "left before a pause" not in answers[4].text

    paused = guess(browser, ada, ada.password)

    assert paused.status == 429
    assert 1 <= int(paused.response.headers["retry-after"]) <= 30
    assert "Too many tries" in paused.text
    assert "<title>Error: Sign in" in paused.response.text

    let_time_pass(product, ada, browser.address, 31)
    assert guess(browser, ada, ada.password).code


def test_each_further_failure_doubles_the_wait(product, guess, browser, ada):
    for _ in range(5):
        guess(browser, ada)
    let_time_pass(product, ada, browser.address, 31)
    assert guess(browser, ada).status == 422

    let_time_pass(product, ada, browser.address, 31)
    paused = guess(browser, ada)

    assert paused.status == 429
    assert 1 <= int(paused.response.headers["retry-after"]) <= 30
    assert [attempts.wait(n, POLICY) for n in (4, 5, 6, 7, 12, 99)] == [0, 30, 60, 120, 3600, 3600]


def test_a_try_during_a_wait_is_not_counted_so_nobody_is_kept_out_by_it(
    product, guess, browser, ada
):
    for _ in range(8):
        guess(browser, ada)

    assert counters(product, ada, browser.address)["name_ip"] == 5


def test_the_person_signs_in_elsewhere_while_somebody_guesses_here(
    guess, browser, another_browser, ada
):
    for _ in range(6):
        guess(browser, ada)

    assert guess(another_browser, ada, ada.password).code


def test_a_success_forgets_the_failures_and_does_not_count_against_its_address(
    product, guess, browser, ada
):
    for _ in range(4):
        guess(browser, ada)
    assert counters(product, ada, browser.address) == {"name_ip": 4, "ip": 4, "name": 4}

    assert guess(browser, ada, ada.password).code

    assert counters(product, ada, browser.address) == {"ip": 4}


def test_a_name_that_nobody_has_waits_like_any_other(start, browser):
    def answer():
        return browser.submit(start(), "sign_in", username="nobody@acme.example", password=WRONG)

    assert [answer().status for _ in range(6)] == [422] * 5 + [429]


def test_addresses_of_one_ipv6_network_count_as_one(start, ada):
    network = f"2001:db8:{some_address().split('.')[1]}:{some_address().split('.')[2]}"
    visitors = [Browser(f"{network}::{n}") for n in range(1, 7)]
    neighbour = Browser(f"{network.rpartition(':')[0]}:fffe::1")

    statuses = [v.sign_in(start(v), ada, WRONG).status for v in visitors]

    assert statuses == [422] * 5 + [429]
    assert neighbour.sign_in(start(neighbour), ada).code


@pytest.mark.parametrize(
    ("ip", "counted"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_what_of_an_address_is_counted(ip, counted):
    assert attempts.prefix(ip) == counted


def test_one_address_that_tries_a_hundred_names_waits_for_all_of_them(
    product, guess, browser, another_browser, ada
):
    guess(browser, ada)
    kind, subject = Attempt(product.tenant_id("acme"), "", browser.address).by_ip
    product.change(
        "update insula.attempt_counters set n = 100 where kind = %s and subject = %s", kind, subject
    )
    somebody_else = product.person("acme")

    paused = guess(browser, somebody_else, somebody_else.password)

    assert paused.status == 429
    assert 86000 < int(paused.response.headers["retry-after"]) <= 86401
    assert "Wait 24 hours, then try again." in paused.text
    assert guess(another_browser, somebody_else, somebody_else.password).code


def test_an_address_is_forgiven_a_day_after_its_first_failure_however_it_is_used(
    product, guess, browser, ada
):
    guess(browser, ada)
    kind, subject = Attempt(product.tenant_id("acme"), "", browser.address).by_ip
    product.change(
        "update insula.attempt_counters set window_ends_at = now() + interval '2 h'"
        " where kind = %s and subject = %s",
        kind,
        subject,
    )
    guess(browser, ada)
    (row,) = product.rows(
        "select n, window_ends_at < now() + interval '2 h' as fixed"
        " from insula.attempt_counters where kind = %s and subject = %s",
        kind,
        subject,
    )
    assert row == (2, True)

    let_time_pass(product, ada, browser.address, 7200)
    guess(browser, ada)

    assert counters(product, ada, browser.address)["ip"] == 1


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 second"),
        (30, "30 seconds"),
        (91, "2 minutes"),
        (5400, "90 minutes"),
        (5401, "2 hours"),
        (86400, "24 hours"),
    ],
)
def test_a_wait_is_toldin_words_that_are_never_too_short(seconds, said):
    assert in_words(seconds) == said


def test_refusals_for_their_number_are_recorded_but_a_flood_leaves_one_line(
    product, guess, browser, ada
):
    def lines():
        found = product.audit("acme", "user.login_failed", ip=ip_address(browser.address))
        return [row for row in found if row.metadata["reason"] == "rate_limited"]

    for _ in range(5):
        guess(browser, ada)
    assert not lines()

    assert [guess(browser, ada).status for _ in range(4)] == [429] * 4

    (line,) = lines()
    assert (line.status, line.target_id) == ("failed", str(ada.id))

    attempt = Attempt(product.tenant_id("acme"), ada.email, browser.address)
    product.change(
        "update insula.attempt_counters set window_ends_at = now() - interval '1 s'"
        " where kind = 'refused_name_ip' and subject = %s",
        attempt.by_name_and_ip[1],
    )
    guess(browser, ada)
    assert len(lines()) == 2


def test_one_address_with_many_names_leaves_one_line_too(product, guess, start, browser, ada):
    guess(browser, ada)
    kind, subject = Attempt(product.tenant_id("acme"), "", browser.address).by_ip
    product.change(
        "update insula.attempt_counters set n = 100 where kind = %s and subject = %s", kind, subject
    )

    for n in range(3):
        refused = browser.submit(start(), "sign_in", username=f"nobody-{n}", password=WRONG)
        assert refused.status == 429

    found = product.audit("acme", "user.login_failed", ip=ip_address(browser.address))
    assert [row.metadata["reason"] for row in found] == ["rate_limited", "invalid_credentials"]


def test_counters_of_one_tenant_say_nothing_at_another(product, guess, browser, ada):
    for _ in range(5):
        guess(browser, ada)
    namesake = product.person("globex", username=ada.username)
    app = product.app("globex")

    page = browser.open(product.authorize_url("globex", app))

    assert browser.submit(
        page, "sign_in", username=namesake.username, password=namesake.password
    ).code


def test_forwarded_addresses_left_of_the_nearest_proxy_are_not_believed(product, start, ada):
    address = some_address()
    visitor = Browser(f"{some_address()}, {address}")
    visitor.sign_in(start(visitor), ada, WRONG)

    assert product.audit("acme", "user.login_failed", ip=ip_address(address))
    assert counters(product, ada, address)["name_ip"] == 1


async def test_a_hundred_parallel_guesses_are_all_counted(product, start, browser, ada):
    page = start()
    form = {**page.form.values, "username": ada.email, "password": WRONG}
    cookies = "; ".join(f"{c.name}={c.value}" for c in browser.http.cookies.jar)
    host = product.server.host("acme")

    few = asyncio.Semaphore(25)  # what waits for its turn longer than it may is a 503, and no guess

    async with httpx2.AsyncClient(base_url=product.server.url, timeout=60) as http:

        async def guess(address):
            headers = {"host": host, "cookie": cookies, "x-forwarded-for": address}
            async with few:
                answer = await http.post(page.form.action, data=form, headers=headers)
            return answer.status_code

        statuses = await asyncio.gather(*(guess(some_address()) for _ in range(100)))
        late = await guess(some_address())

    assert statuses == [422] * 100
    assert counters(product, ada, browser.address)["name"] == 100
    assert late == 429


async def test_a_burst_from_many_addresses_cannot_pass_the_limit_of_a_name(
    product, start, browser, ada
):
    page = start()
    browser.sign_in(page, ada, WRONG)
    kind, subject = Attempt(product.tenant_id("acme"), ada.email, "").by_name
    product.change(
        "update insula.attempt_counters set n = 90 where kind = %s and subject = %s", kind, subject
    )
    form = {**page.form.values, "username": ada.email, "password": WRONG}
    cookies = "; ".join(f"{c.name}={c.value}" for c in browser.http.cookies.jar)
    host = product.server.host("acme")

    async with httpx2.AsyncClient(base_url=product.server.url, timeout=60) as http:

        async def guess(address):
            headers = {"host": host, "cookie": cookies, "x-forwarded-for": address}
            return await http.post(page.form.action, data=form, headers=headers)

        answers = await asyncio.gather(*(guess(some_address()) for _ in range(40)))

    refused = [a for a in answers if a.status_code == 429]
    assert len(answers) - len(refused) == 10
    assert {a.status_code for a in answers} == {422, 429}
    assert all(3590 <= int(a.headers["retry-after"]) <= 3601 for a in refused)


def test_a_name_that_has_waited_has_one_more_try(product, guess, browser, ada):
    guess(browser, ada)
    kind, subject = Attempt(product.tenant_id("acme"), ada.email, "").by_name
    product.change(
        "update insula.attempt_counters set n = 100, window_ends_at = now() + interval '1 h'"
        " where kind = %s and subject = %s",
        kind,
        subject,
    )
    patient = BruteForce(window_seconds=7200)
    attempt = Attempt(product.tenant_id("acme"), ada.email, some_address())

    async def three(here):
        tenant = await here.tenant("acme")
        tries = (attempts.count(tenant, attempt, patient) for _ in range(3))
        return await asyncio.gather(*tries, return_exceptions=True)

    found = product.backstage.run(three)

    assert len([left for left in found if isinstance(left, int)]) == 1
    assert len([e for e in found if isinstance(e, TooManyAttempts)]) == 2


async def test_parallel_guesses_from_one_address_are_judged_only_if_they_are_counted(
    product, start, browser, ada
):
    page = start()
    form = {**page.form.values, "username": ada.email, "password": WRONG}
    cookies = "; ".join(f"{c.name}={c.value}" for c in browser.http.cookies.jar)
    headers = {
        "host": product.server.host("acme"),
        "cookie": cookies,
        "x-forwarded-for": browser.address,
    }

    async with httpx2.AsyncClient(base_url=product.server.url, timeout=60) as http:

        async def guess():
            return (await http.post(page.form.action, data=form, headers=headers)).status_code

        statuses = await asyncio.gather(*(guess() for _ in range(40)))

    counted = counters(product, ada, browser.address)
    assert set(statuses) <= {422, 429}
    assert statuses.count(422) == counted["name_ip"] == counted["ip"]
