"""Signing in, choosing an account, doing either again: `prompt`, `max_age` (OC-3 to OC-6)."""

from uuid import uuid4

import pytest
from oidc_world import ISSUER, Person, call
from test_authorize_errors import is_page, is_told
from test_par import bring, reference_to

BEA = Person(uuid4(), {"name": "Bea"})


@pytest.mark.spec("OC-16")
async def test_a_stranger_signs_in_and_comes_back_with_a_code(world, web):
    browser = world.browser()
    asked = await browser.authorize(web, login_hint="ada@acme.example", ui_locales="fr", x="y")
    txn = world.txn(asked)
    ask = world.asked(asked)

    browser.cookies["session"] = world.host.people.prove(txn, world.ada)
    answer = await browser.resume(txn)

    assert (ask.need, ask.fresh, ask.login_hint) == ("login", False, "ada@acme.example")
    assert ask.parameters["ui_locales"] == "fr"
    assert "x" not in ask.parameters
    assert set(answer.fields) == {"code", "state", "iss"}
    assert (await world.redeem(web, answer.code)).status == 200


@pytest.mark.spec("AZ-14")
async def test_an_interaction_belongs_to_one_browser_and_ends_with_its_code(world, web):
    browser, other = world.browser(), world.browser()
    txn = world.txn(await browser.authorize(web))
    world.txn(await other.authorize(web))
    browser.cookies["session"] = other.cookies["session"] = world.host.people.prove(txn, world.ada)

    stolen = await other.resume(txn)
    first = await browser.resume(txn)
    reload = await browser.resume(txn)

    assert is_page(stolen)
    assert "code" in first.fields
    assert is_page(reload)


@pytest.mark.spec("AZ-14")
async def test_whose_session_ends_while_the_code_is_made_signs_in_again(world, web, monkeypatch):
    issue, late = world.host.tokens.issue_code, world.browser()
    txn = world.txn(await late.authorize(web))
    late.cookies["session"] = world.host.people.prove(txn, world.ada)

    async def too_late(*given):
        world.host.people.sessions.clear()
        return await issue(*given)

    monkeypatch.setattr(world.host.tokens, "issue_code", too_late)
    resumed = await late.resume(txn)
    asked = [resumed] + [await world.signed_in().authorize(web, method=m) for m in ("GET", "POST")]
    browser, reference = world.signed_in(), await reference_to(world, web)
    asked.append(await bring(world, web, reference, browser))
    silent = await world.signed_in().authorize(web, prompt="none")
    assert [world.asked(each).need for each in asked] == ["login"] * 4
    assert is_told(silent, "login_required")
    monkeypatch.undo()

    for who, answer in ((late, resumed), (browser, asked[-1])):
        who.cookies["session"] = world.host.people.prove(world.txn(answer), world.ada)
        assert "code" in (await who.resume(world.txn(answer))).fields


@pytest.mark.parametrize("txn", ["", "x", "not-a-uuid", "68ae15c7-e851-46c7-b34a-9df92e8af331"])
async def test_an_unknown_interaction_is_refused_on_a_page(world, txn):
    assert is_page(await world.browser().resume(txn))


async def test_coming_back_is_by_get_only(world):
    answer = await call(world.provider, "POST", "/oauth2/authorize/resume")

    assert (answer.status, answer.headers["allow"]) == (405, "GET")


async def test_who_comes_back_without_having_signed_in_is_asked_again(world, web):
    browser = world.browser()
    txn = world.txn(await browser.authorize(web))

    again = await browser.resume(txn)

    assert world.txn(again) == txn


@pytest.mark.spec("OC-15")
@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uris": ("https://app.example/other",)},
        {"scopes": frozenset({"profile"})},
        {"grant_types": frozenset()},
    ],
)
async def test_a_stored_request_is_judged_by_what_the_client_is_now(world, web, change):
    browser = world.browser()
    txn = world.txn(await browser.authorize(web))
    browser.cookies["session"] = world.host.people.prove(txn, world.ada)
    world.change(web, **change)

    answer = await browser.resume(txn)

    assert "code=" not in answer.headers.get("location", "")
    assert txn not in world.host.people.interactions


async def test_a_client_that_went_away_meanwhile_gets_nothing(world, web):
    browser = world.browser()
    txn = world.txn(await browser.authorize(web))
    del world.host.clients.active[web.client_id]

    assert is_page(await browser.resume(txn))


@pytest.mark.spec("OIDCC-3.1.2.6")
async def test_who_refuses_is_told_to_the_client_only_when_signed_in(world, web):
    for signed_in in (True, False):
        browser = world.browser()
        txn = world.txn(await browser.authorize(web))
        world.host.people.interactions[txn].denied = True
        if signed_in:
            browser.cookies["session"] = world.host.people.prove(txn, world.ada)

        answer = await browser.resume(txn)

        assert is_told(answer, "access_denied") if signed_in else is_page(answer)
        assert txn not in world.host.people.interactions


@pytest.mark.spec("OIDCC-3.1.2.1")
async def test_a_silent_request_of_somebody_signed_in_succeeds(world, web):
    assert "code" in (await world.signed_in().authorize(web, prompt="none")).fields


@pytest.mark.spec("OIDCC-3.1.2.1", "OIDCC-3.1.2.6")
async def test_a_silent_request_shows_nothing_and_grants_nothing(world):
    asking = world.client(consent="ask")

    stranger = await world.browser().authorize(asking, prompt="none")
    unasked = await world.signed_in().authorize(asking, prompt="none")

    assert is_told(stranger, "login_required")
    assert is_told(unasked, "consent_required")
    assert not world.host.people.interactions


@pytest.mark.spec("OIDCC-3.1.2.6")
async def test_several_people_and_none_chosen(world, web):
    world.host.people.accounts = 2

    assert is_told(
        await world.browser().authorize(web, prompt="none"), "account_selection_required"
    )
    assert world.asked(await world.browser().authorize(web)).need == "select_account"


@pytest.mark.spec("OIDCC-3.1.2.1")
@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}])
async def test_a_proof_is_demanded_although_signed_in(world, web, changes):
    browser = world.signed_in()
    asked = await browser.authorize(web, **changes)
    txn, ask = world.txn(asked), world.asked(asked)

    unproved = await browser.resume(txn)
    browser.cookies["session"] = world.host.people.prove(txn, world.ada)
    proved = await browser.resume(txn)

    assert (ask.need, ask.fresh) == ("login", True)
    assert world.txn(unproved) == txn
    assert "code" in proved.fields


async def test_a_proof_of_another_interaction_does_not_count(world, web):
    browser = world.signed_in()
    mine = world.txn(await browser.authorize(web, prompt="login"))
    other = world.txn(await browser.authorize(web, prompt="login"))
    browser.cookies["session"] = world.host.people.prove(other, world.ada)

    assert world.txn(await browser.resume(mine)) == mine
    assert "code" in (await browser.resume(other)).fields


async def test_a_proof_does_not_keep(world, web, later):
    browser = world.signed_in()
    txn = world.txn(await browser.authorize(web, prompt="login"))
    browser.cookies["session"] = world.host.people.prove(txn, world.ada)
    later(601)

    assert world.txn(await browser.resume(txn)) == txn


@pytest.mark.spec("OIDCC-3.1.2.1")
@pytest.mark.parametrize(
    ("ago", "max_age", "is_asked"), [(0, "1", False), (30, "10000", False), (30, "20", True)]
)
async def test_max_age_asks_those_who_signed_in_too_long_ago(world, web, ago, max_age, is_asked):
    answer = await world.signed_in(ago=ago).authorize(web, max_age=max_age)

    assert answer.location.startswith("/sign-in") == is_asked


@pytest.mark.spec("OIDCC-3.1.2.1")
@pytest.mark.parametrize("changes", [{"max_age": "20"}, {"max_age": "0"}])
async def test_a_silent_request_that_needs_a_proof_fails(world, web, changes):
    answer = await world.signed_in(ago=30).authorize(web, prompt="none", **changes)

    assert is_told(answer, "login_required")


async def test_a_slow_page_after_a_fresh_proof_does_not_ask_twice(world, later):
    client = world.client(consent="ask")
    browser = world.signed_in(ago=30)
    txn = world.txn(await browser.authorize(client, max_age="1"))
    browser.cookies["session"] = world.host.people.prove(txn, world.ada)
    consent = await browser.resume(txn)
    later(60)
    world.host.people.allow(txn, browser.cookies["session"])

    assert world.asked(consent).need == "consent"
    assert "code" in (await browser.resume(txn)).fields


@pytest.mark.spec("OIDCC-2")
async def test_the_clients_own_max_age_applies_when_none_is_asked(world):
    client = world.client(default_max_age=20)

    stale = await world.signed_in(ago=30).authorize(client)
    wider = await world.signed_in(ago=30).authorize(client, max_age="40")

    assert world.asked(stale).fresh
    assert "code" in wider.fields


@pytest.mark.parametrize("max_age", ["-1", "1.5", "1e3", "٣", " 1", "99999999999"])
async def test_max_age_is_a_number_of_seconds(world, web, max_age):
    assert is_told(await world.signed_in().authorize(web, max_age=max_age), "invalid_request")


@pytest.mark.spec("OIDCC-3.1.2.1")
async def test_an_account_is_chosen_once_when_asked_for(world, web):
    browser = world.signed_in()
    asked = await browser.authorize(web, prompt="select_account")
    txn = world.txn(asked)

    assert world.asked(asked).need == "select_account"
    assert world.txn(await browser.resume(txn)) == txn
    world.host.people.interactions[txn].selected = True
    assert "code" in (await browser.resume(txn)).fields


async def test_whoever_signs_in_has_chosen_their_account(world, web):
    browser = world.browser()
    txn = world.txn(await browser.authorize(web, prompt="select_account"))
    browser.cookies["session"] = world.host.people.prove(txn, BEA)

    assert "code" in (await browser.resume(txn)).fields


async def test_login_choice_and_consent_may_be_asked_together(world, web):
    browser = world.signed_in()
    txn = world.txn(await browser.authorize(web, prompt="login select_account consent"))
    needs = []
    for _ in range(3):
        asked = world.host.people.interactions[txn]
        needs.append(asked.ask.need)
        if asked.ask.need == "login":
            browser.cookies["session"] = world.host.people.prove(txn, world.ada)
        else:
            world.host.people.allow(txn, browser.cookies["session"])
        answer = await browser.resume(txn)
        if answer.location.startswith("https"):
            break

    assert needs == ["login", "consent"]
    assert answer.fields["iss"] == ISSUER


@pytest.mark.spec("OIDCC-3.1.2.1")
@pytest.mark.parametrize(
    "hint",
    [
        {"display": "page"},
        {"display": "popup"},
        {"display": "wap"},
        {"display": "banana"},
        {"ui_locales": "xx-YY zz"},
        {"claims_locales": "se"},
        {"acr_values": "urn:nobody:knows"},
        {"login_hint": "<script>"},
        {"prompt": "none", "acr_values": "1 2"},
    ],
)
async def test_hints_to_the_pages_never_fail(world, web, hint):
    assert "code" in (await world.signed_in().authorize(web, **hint)).fields
