"""Consent per client and scope, and what it does to offline_access (AZ-7, AZ-19, OC-5, OC-18)."""

import pytest
from test_authorize_errors import is_told


@pytest.fixture
def asking(world):
    return world.client("asking", consent="ask")


async def allow(world, client, browser=None, *, scopes=None, **changes):
    """Ask, allow, come back; returns the answer and what was asked."""
    browser = browser or world.signed_in()
    asked = await browser.authorize(client, **changes)
    ask, txn = world.asked(asked), world.txn(asked)
    assert ask.need == "consent"
    world.host.people.allow(txn, browser.cookies["session"], scopes)
    return await browser.resume(txn), ask


async def granted(world, client, answer):
    return set((await world.redeem(client, answer.code)).json["scope"].split())


@pytest.mark.spec("OIDCC-3.1.2.4")
async def test_a_new_client_asks_and_a_known_one_does_not(world, asking):
    browser = world.signed_in()
    answer, ask = await allow(world, asking, browser, scope="openid profile")

    same = await browser.authorize(asking, scope="openid profile")
    narrower = await browser.authorize(asking, scope="openid", prompt="none")
    wider = await browser.authorize(asking, scope="openid profile email")

    assert ask.scopes == ("openid", "profile")
    assert ask.optional_scopes == ()
    assert ask.client == asking
    assert "code" in answer.fields
    assert "code" in same.fields
    assert "code" in narrower.fields
    assert world.asked(wider).scopes == ("openid", "profile", "email")


async def test_what_was_allowed_to_one_client_is_not_allowed_to_another(world, asking):
    browser = world.signed_in()
    await allow(world, asking, browser)
    other = world.client("other", consent="ask")

    assert world.asked(await browser.authorize(other)).need == "consent"


async def test_who_allows_too_little_is_asked_again(world, asking):
    answer, _ = await allow(world, asking, scope="openid profile", scopes=frozenset({"openid"}))

    assert world.asked(answer).need == "consent"


async def test_a_client_of_the_house_does_not_ask(world, web):
    assert "code" in (await world.signed_in().authorize(web, scope="openid email")).fields


@pytest.mark.spec("OIDCC-3.1.2.1")
@pytest.mark.parametrize("rule", ["ask", "skip"])
async def test_prompt_consent_asks_everyone_once(world, rule):
    client = world.client(consent=rule)
    browser = world.signed_in()

    for _ in range(2):
        answer, _ = await allow(world, client, browser, prompt="consent")

        assert "code" in answer.fields


@pytest.mark.spec("OIDCC-11")
async def test_offline_access_is_dropped_when_nobody_decides_on_it(world, asking):
    answer, ask = await allow(world, asking, scope="openid offline_access")

    assert ask.scopes == ("openid",)
    assert await granted(world, asking, answer) == {"openid"}


@pytest.mark.spec("OIDCC-11")
async def test_offline_access_is_the_persons_to_leave_out(world, asking):
    for kept, expected in [
        (None, {"openid", "offline_access"}),
        (frozenset({"openid"}), {"openid"}),
    ]:
        answer, ask = await allow(
            world, asking, scope="openid offline_access", prompt="consent", scopes=kept
        )

        assert ask.optional_scopes == ("offline_access",)
        assert await granted(world, asking, answer) == expected


@pytest.mark.spec("OIDCC-11")
async def test_offline_access_counts_when_it_was_recorded_earlier(world, asking):
    browser = world.signed_in()
    await allow(world, asking, browser, scope="openid offline_access", prompt="consent")

    answer = await browser.authorize(asking, scope="openid offline_access")

    assert await granted(world, asking, answer) == {"openid", "offline_access"}


@pytest.mark.spec("OIDCC-11")
@pytest.mark.parametrize(
    "change",
    [
        {"scopes": frozenset({"openid"})},
        {"grant_types": frozenset({"authorization_code"})},
    ],
)
async def test_offline_access_is_never_an_error(world, change):
    client = world.client(**change)

    answer = await world.signed_in().authorize(client, scope="openid offline_access")

    assert await granted(world, client, answer) == {"openid"}


@pytest.mark.spec("RFC6749-3.3")
async def test_unknown_scopes_are_ignored_while_a_known_one_remains(world, web):
    answer = await world.signed_in().authorize(web, scope="banana openid  profile")

    assert await granted(world, web, answer) == {"openid", "profile"}


@pytest.mark.spec("RFC6749-3.3")
@pytest.mark.parametrize("scope", ["", "offline_access"])
async def test_without_a_scope_the_clients_own_apply(world, scope):
    client = world.client(
        default_scopes=frozenset({"openid", "email", "gone"}),
        grant_types=frozenset({"authorization_code"}),
    )

    answer = await world.signed_in().authorize(client, scope=scope)

    assert await granted(world, client, answer) == {"openid", "email"}


async def test_offline_access_alone_with_nothing_to_fall_back_on(world):
    client = world.client(grant_types=frozenset({"authorization_code"}))

    answer = await world.signed_in().authorize(client, scope="offline_access")

    assert is_told(answer, "invalid_scope")


@pytest.mark.spec("AZ-19", "OC-3")
async def test_offline_access_by_itself_is_no_way_round_consent(world, asking):
    for changes in ({}, {"prompt": "none"}, {"scope": "banana offline_access"}):
        answer = await world.signed_in().authorize(asking, **{"scope": "offline_access", **changes})
        assert is_told(answer, "invalid_scope")

    world.change(asking, default_scopes=frozenset({"openid"}))
    silent = await world.signed_in().authorize(asking, scope="offline_access", prompt="none")
    assert is_told(silent, "consent_required")


@pytest.mark.spec("OIDCC-3.1.2.1", "OC-1")
async def test_without_openid_it_is_plain_oauth(world, web):
    tokens = await world.tokens(web, scope="profile")

    assert "id_token" not in tokens
    assert tokens["scope"] == "profile"
    assert (await world.userinfo(tokens["access_token"])).status == 403


@pytest.fixture
def stranger(world):
    """An application that registered itself, and nobody has looked at."""
    return world.client("stranger", consent="ask", is_dynamic=True)


@pytest.mark.spec("OIDCC-3.1.2.4", "RFC9700-4.11", "AZ-19")
async def test_an_application_that_nobody_has_verified_asks_each_time(world, stranger):
    browser = world.signed_in()
    answer, _ = await allow(world, stranger, browser, scope="openid profile")
    assert "code" in answer.fields

    again, ask = await allow(world, stranger, browser, scope="openid")

    assert "code" in again.fields
    assert ask.granted == {"openid", "profile"}


@pytest.mark.spec("OIDCC-3.1.2.4", "AZ-19")
async def test_nor_does_it_get_anything_silently(world, stranger):
    browser = world.signed_in()
    await allow(world, stranger, browser)

    assert is_told(await browser.authorize(stranger, prompt="none"), "consent_required")


@pytest.mark.spec("OIDCC-3.1.2.4", "AZ-19", "DR-18")
async def test_it_cannot_skip_whatever_it_is_registered_with(world, stranger):
    skipping = world.change(stranger, consent="skip")

    assert world.asked(await world.signed_in().authorize(skipping)).need == "consent"


@pytest.mark.spec("RFC9700-4.11", "DR-17")
async def test_once_it_is_verified_it_asks_like_any_other(world, stranger):
    browser = world.signed_in()
    await allow(world, stranger, browser)

    verified = world.change(stranger, is_verified=True)

    assert "code" in (await browser.authorize(verified)).fields
