"""The `Tokens` port: one lineage of refresh tokens, whoever comes twice."""

import asyncio

import pytest
from store_worlds import CALLER, value


@pytest.mark.spec("RFC9700-4.14.2")
async def test_a_token_is_advanced_once(world, app, ada):
    first = (await world.redeemed(app, ada)).refresh.token
    stored = await world.tokens.read_refresh(first, app)
    assert (stored.state, stored.alive) == ("current", True)
    advance = world.advance(first, app, stored)

    assert await world.tokens.advance_refresh(advance)
    assert not await world.tokens.advance_refresh(world.advance(first, app, stored))

    assert await world.state(advance.successor, app) == "current"


async def test_of_many_advances_at_once_one_wins(world, app, ada):
    first = (await world.redeemed(app, ada)).refresh.token
    stored = await world.tokens.read_refresh(first, app)

    advances = [world.advance(first, app, stored) for _ in range(12)]
    won = await asyncio.gather(*(world.tokens.advance_refresh(a) for a in advances))

    assert won.count(True) == 1
    for advance, is_first in zip(advances, won, strict=True):
        assert await world.state(advance.successor, app) == ("current" if is_first else None)


async def test_a_lost_answer_is_there_for_a_while(world, app, ada):
    first = (await world.redeemed(app, ada)).refresh.token
    advance = await world.rotate(first, app)

    for _ in range(2):
        stored = await world.tokens.read_refresh(first, app)
        assert (stored.state, stored.replay) == ("former", advance.answer)
    await world.later(app.refresh_grace + 1)

    stored = await world.tokens.read_refresh(first, app)
    assert (stored.state, stored.replay) == ("reused", None)


async def test_it_is_not_there_once_the_successor_was_used(world, app, ada):
    first = (await world.redeemed(app, ada)).refresh.token
    second = await world.rotate(first, app)
    await world.rotate(second.successor, app)

    assert await world.state(first, app) == "reused"
    assert await world.state(second.successor, app) == "former"


async def test_a_client_may_have_no_grace(world, ada):
    app = await world.client(refresh_grace=0)
    first = (await world.redeemed(app, ada)).refresh.token
    await world.rotate(first, app)

    assert await world.state(first, app) == "reused"


async def test_an_ended_family_is_dead_in_all_its_generations(world, app, ada):
    redemption = await world.redeemed(app, ada, opaque=True)
    first = redemption.refresh.token
    second = (await world.rotate(first, app)).successor

    await world.tokens.revoke_family(redemption.stored.issue_id, app, CALLER)

    for token in (first, second):
        stored = await world.tokens.read_refresh(token, app)
        assert (stored.state, stored.replay) == ("dead", None)
    assert not await world.tokens.advance_refresh(world.advance(second, app, stored))
    assert await world.tokens.find_access_token(redemption.access.opaque) is None


async def test_a_token_that_does_not_rotate_moves_its_idle_limit(world, ada):
    app = await world.client(rotate_refresh_tokens=False)
    token = (await world.redeemed(app, ada)).refresh.token
    for _ in range(3):
        await world.later(900)
        stored = await world.tokens.read_refresh(token, app)
        assert stored.state == "current"
        access = world.advance(token, app, stored, opaque=True).access
        assert await world.tokens.touch_refresh(token, app, stored, access, 1000, CALLER)
        assert await world.tokens.find_access_token(access.opaque) is not None

    await world.later(1001)

    assert await world.state(token, app) == "dead"
    assert not await world.tokens.touch_refresh(token, app, stored, access, 1000, CALLER)


async def test_an_unused_token_dies(world, app, ada):
    token = (await world.redeemed(app, ada)).refresh.token
    stored = await world.tokens.read_refresh(token, app)

    await world.later(1001)

    assert await world.state(token, app) == "dead"
    assert await world.tokens.find_refresh_token(token) is None
    assert not await world.tokens.advance_refresh(world.advance(token, app, stored))


async def test_a_used_one_dies_too_at_last(world, app, ada):
    token = (await world.redeemed(app, ada)).refresh.token
    for _ in range(5):
        await world.later(900)
        token = (await world.rotate(token, app)).successor

    await world.later(501)

    assert await world.state(token, app) == "dead"


@pytest.mark.spec("RFC6749-6")
async def test_another_client_neither_reads_nor_harms_it(world, app, ada):
    other = await world.client()
    redemption = await world.redeemed(app, ada)
    token = redemption.refresh.token

    assert await world.tokens.read_refresh(token, other) is None
    assert not await world.tokens.revoke_refresh_token(token, other, CALLER)

    assert await world.state(token, app) == "current"


@pytest.mark.spec("RFC7009-2.1")
async def test_its_client_revokes_the_whole_family_by_any_generation(world, app, ada):
    redemption = await world.redeemed(app, ada, opaque=True)
    second = (await world.rotate(redemption.refresh.token, app)).successor

    assert await world.tokens.revoke_refresh_token(redemption.refresh.token, app, CALLER)

    assert await world.state(second, app) == "dead"
    assert await world.tokens.find_access_token(redemption.access.opaque) is None


async def test_only_the_current_one_is_alive_for_others(world, app, ada):
    first = (await world.redeemed(app, ada)).refresh.token
    second = (await world.rotate(first, app)).successor

    assert await world.tokens.find_refresh_token(first) is None
    found = await world.tokens.find_refresh_token(second)
    assert (found.kind, found.client_id) == ("refresh_token", app.client_id)
    assert found.person.user_id == ada.user_id


@pytest.mark.parametrize(
    "altered",
    [lambda t: t[:-1], lambda t: t + "A", str.upper, lambda _: value("rt")],
    ids=["shorter", "longer", "shouted", "made up"],
)
async def test_an_altered_token_is_unknown(world, app, ada, altered):
    token = altered((await world.redeemed(app, ada)).refresh.token)

    assert await world.tokens.read_refresh(token, app) is None
    assert await world.tokens.find_refresh_token(token) is None


async def test_the_copy_of_an_answer_opens_with_the_former_token_alone(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    first = (await postgresql.redeemed(app, ada)).refresh.token
    advance = await postgresql.rotate(first, app)

    row = postgresql.run(
        "select replay_copy from insula.refresh_families where tenant_id = %s",
        postgresql.tenant.id,
    ).fetchone()

    assert row.replay_copy is not None
    assert advance.successor.encode() not in row.replay_copy
    postgresql.run(
        "update insula.refresh_families set replay_copy = overlay(replay_copy placing %s from 20)"
        " where tenant_id = %s",
        b"\0\0",
        postgresql.tenant.id,
    )
    assert await postgresql.state(first, app) == "reused"  # altered, so nobody gets it
