"""The `Tokens` port: an authorization code is spent by one statement, and never twice."""

import asyncio
from dataclasses import replace

import pytest
from store_worlds import CALLER, value


@pytest.mark.spec("RFC6749-4.1.2")
async def test_a_code_is_spent_once(world, app, ada):
    code = await world.code(app, ada)
    stored = await world.tokens.read_code(code, app)
    assert (stored.state, stored.alive) == ("live", True)
    redemption = world.redemption(code, app, stored)

    assert await world.tokens.redeem_code(redemption)
    assert not await world.tokens.redeem_code(redemption)

    assert (await world.tokens.read_code(code, app)).state == "consumed"


@pytest.mark.spec("RFC9700-4.5")
async def test_of_many_redemptions_at_once_one_wins(world, app, ada):
    code = await world.code(app, ada)
    stored = await world.tokens.read_code(code, app)

    redemptions = [world.redemption(code, app, stored, opaque=True) for _ in range(12)]
    won = await asyncio.gather(*(world.tokens.redeem_code(r) for r in redemptions))

    assert won.count(True) == 1
    for redemption, is_first in zip(redemptions, won, strict=True):
        found = await world.tokens.find_access_token(redemption.access.opaque)
        assert (found is not None) == is_first


async def test_what_is_read_is_what_was_stored(world, app, ada):
    new = world.new_code(
        app,
        ada,
        nonce="nonce",
        claims='{"userinfo":{}}',
        auth_time_wanted=True,
        scopes=frozenset({"openid", "email"}),
        resources=("https://api.example",),
        dpop_jkt="k" * 43,
    )
    assert await world.tokens.issue_code(new, CALLER)

    stored = await world.tokens.read_code(new.code, app)

    assert replace(stored.session, sid=ada.sid) == ada
    assert stored.person.user_id == ada.user_id
    for name in ("redirect_uri", "code_challenge", "dpop_jkt"):
        assert getattr(stored, name) == getattr(new, name)
    for name in ("scopes", "resources", "nonce", "claims", "auth_time_wanted"):
        assert getattr(stored, name) == getattr(new.authorized, name)


@pytest.mark.spec("RFC6749-4.1.2")
async def test_another_client_neither_reads_nor_burns_it(world, app, ada):
    other = await world.client()
    code = await world.code(app, ada)

    assert await world.tokens.read_code(code, other) is None
    await world.tokens.refuse_code(code, other, CALLER)

    stored = await world.tokens.read_code(code, app)
    assert stored.state == "live"
    foreign = world.redemption(code, other, stored)
    assert not await world.tokens.redeem_code(foreign)
    assert await world.tokens.redeem_code(world.redemption(code, app, stored))


async def test_a_refusal_burns_it(world, app, ada):
    code = await world.code(app, ada)
    stored = await world.tokens.read_code(code, app)

    await world.tokens.refuse_code(code, app, CALLER)

    assert not await world.tokens.redeem_code(world.redemption(code, app, stored))
    assert (await world.tokens.read_code(code, app)).state == "consumed"


@pytest.mark.spec("RFC6749-4.1.2")
async def test_a_replay_ends_all_that_came_of_it(world, app, ada):
    first = await world.redeemed(app, ada, opaque=True)
    second = await world.rotate(first.refresh.token, app)

    await world.tokens.refuse_code(first.code, app, CALLER)

    assert await world.tokens.find_access_token(first.access.opaque) is None
    assert await world.tokens.find_issue(first.access.issue_id, "any") is None
    for token in (first.refresh.token, second.successor):
        assert await world.state(token, app) == "dead"
        assert await world.tokens.find_refresh_token(token) is None
    stored = await world.tokens.read_refresh(second.successor, app)
    assert not await world.tokens.advance_refresh(world.advance(second.successor, app, stored))


async def test_it_lives_as_long_as_it_was_given(world, app, ada):
    code = await world.code(app, ada)
    stored = await world.tokens.read_code(code, app)
    await world.later(59)
    assert (await world.tokens.read_code(code, app)).state == "live"

    await world.later(2)

    assert (await world.tokens.read_code(code, app)).state == "expired"
    assert not await world.tokens.redeem_code(world.redemption(code, app, stored))


async def test_a_code_that_was_never_issued_is_unknown(world, app):
    assert await world.tokens.read_code(value("ac"), app) is None


@pytest.mark.parametrize("ending", ["disable_person", "lock_person", "end_session"])
async def test_none_is_issued_to_whoever_has_gone(world, app, ada, ending):
    await getattr(world, ending)(ada)

    assert not await world.tokens.issue_code(world.new_code(app, ada), CALLER)


@pytest.mark.spec("AZ-19", "RT-10")
async def test_none_is_issued_for_more_than_the_person_allows_by_then(world, app, ada):
    def new(*scopes):
        return world.new_code(app, ada, must_be_allowed=frozenset(scopes))

    assert not await world.tokens.issue_code(new("openid"), CALLER)
    world.allow(ada, app, ["openid", "email"])
    assert await world.tokens.issue_code(new("openid"), CALLER)
    assert not await world.tokens.issue_code(new("openid", "profile"), CALLER)

    await world.revoke_grant(ada)
    assert not await world.tokens.issue_code(new("openid"), CALLER)
    assert await world.tokens.issue_code(world.new_code(app, ada), CALLER)  # nobody had to be asked


async def test_none_is_issued_to_a_client_that_has_gone(world, app, ada):
    await world.deactivate(app)

    assert not await world.tokens.issue_code(world.new_code(app, ada), CALLER)


async def test_none_is_issued_by_a_tenant_that_is_suspended(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    await postgresql.suspend()

    assert not await postgresql.tokens.issue_code(postgresql.new_code(app, ada), CALLER)
