"""The `Devices` port: a device waits, is polled, and is let in once."""

import asyncio
from dataclasses import replace

import pytest
from store_worlds import CALLER, value


async def said(world, new):
    poll = await world.devices.poll(new.device_code, new.client)
    return None if poll is None else poll.state


@pytest.mark.spec("RFC8628-3.5", "DV-5")
async def test_it_waits_until_somebody_decides(world, app, ada):
    new = await world.device(app)
    assert await said(world, new) == "pending"
    await world.later(6)
    await world.approve(new, ada)

    poll = await world.devices.poll(new.device_code, app)

    assert poll.state == "approved"
    assert poll.approved.session.id == ada.id
    assert poll.approved.person.user_id == ada.user_id
    assert poll.approved.scopes == new.scopes


async def test_what_it_asked_for_is_what_it_is_let_in_with(world, app, ada):
    new = await world.device(
        app, ada, scopes=frozenset({"openid"}), resources=("https://a.example", "https://b.example")
    )

    approved = await world.approval(new)

    assert (approved.scopes, approved.resources) == (new.scopes, new.resources)
    session = approved.session
    assert replace(session, sid=ada.sid, auth_time=ada.auth_time) == ada
    assert abs(session.auth_time - ada.auth_time) <= 1


@pytest.mark.spec("RFC8628-3.5", "DV-5")
async def test_each_poll_that_is_too_fast_makes_the_wait_longer_up_to_a_minute(world, app):
    new = await world.device(app)
    assert await said(world, new) == "pending"
    await world.later(4)
    assert await said(world, new) == "too_fast"
    await world.later(9)
    assert await said(world, new) == "too_fast"
    await world.later(16)
    assert await said(world, new) == "pending"
    for _ in range(15):
        assert await said(world, new) == "too_fast"
    await world.later(61)
    assert await said(world, new) == "pending"


@pytest.mark.spec("RFC8628-3.5", "DV-5")
async def test_a_refusal_stays_one_until_the_code_expires(world, app):
    new = await world.device(app)
    await world.deny(new)
    assert await said(world, new) == "denied"
    assert await said(world, new) == "denied"

    await world.later(601)

    assert await said(world, new) == "expired"


@pytest.mark.spec("RFC8628-3.5", "DV-5")
async def test_an_approval_expires_too(world, app, ada):
    new = await world.device(app, ada)
    redemption = world.device_redemption(new, await world.approval(new))

    await world.later(601)

    assert await said(world, new) == "expired"
    assert not await world.devices.redeem(redemption)


@pytest.mark.spec("RFC8628-3.4", "DV-6")
async def test_it_is_let_in_once(world, app, ada):
    new = await world.device(app, ada)
    redemption = world.device_redemption(new, await world.approval(new), opaque=True)

    assert await world.devices.redeem(redemption)
    assert not await world.devices.redeem(redemption)

    assert await said(world, new) == "redeemed"
    await world.later(601)
    assert await said(world, new) == "redeemed"


@pytest.mark.spec("RFC8628-3.4", "DV-6")
async def test_of_many_redemptions_at_once_one_wins_and_only_its_tokens_live(world, app, ada):
    new = await world.device(app, ada)
    approved = await world.approval(new)
    redemptions = [world.device_redemption(new, approved, opaque=True) for _ in range(12)]

    won = await asyncio.gather(*(world.devices.redeem(r) for r in redemptions))

    assert won.count(True) == 1
    for redemption, is_first in zip(redemptions, won, strict=True):
        found = await world.tokens.find_access_token(redemption.access.opaque)
        assert (found is not None) == is_first
        assert (await world.state(redemption.refresh.token, app) == "current") == is_first


@pytest.mark.spec("RFC8628-3.5", "DV-5")
async def test_of_many_polls_at_once_one_reads_the_approval(world, app, ada):
    new = await world.device(app, ada)

    polls = await asyncio.gather(*(said(world, new) for _ in range(12)))

    assert sorted(polls) == ["approved", *["too_fast"] * 11]


@pytest.mark.spec("RFC8628-3.4", "DV-6")
async def test_another_client_neither_reads_nor_redeems_it(world, app, ada):
    other = await world.client()
    new = await world.device(app, ada)

    assert await world.devices.poll(new.device_code, other) is None

    approved = await world.approval(new)
    foreign = replace(world.device_redemption(new, approved), client=other)
    assert not await world.devices.redeem(foreign)
    assert await world.devices.redeem(world.device_redemption(new, approved))


async def test_a_code_that_was_never_given_is_unknown(world, app):
    assert await world.devices.poll(value("dc"), app) is None


@pytest.mark.spec("RFC8628-6.1", "DV-2")
async def test_two_devices_never_show_the_same_code(world, app):
    new = await world.device(app)

    same = world.new_device(app, user_code=new.user_code)

    assert not await world.devices.begin(same, CALLER)
    assert await world.devices.poll(same.device_code, app) is None


@pytest.mark.spec("RFC8628-3.4", "DV-6", "TK-15")
@pytest.mark.parametrize("ending", ["disable_person", "lock_person"])
async def test_whoever_has_gone_lets_nobody_in(world, app, ada, ending):
    new = await world.device(app, ada)
    approved = await world.approval(new)

    await getattr(world, ending)(ada)

    assert not await world.devices.redeem(world.device_redemption(new, approved))


@pytest.mark.spec("RFC8628-3.4", "LO-8")
async def test_one_that_hangs_on_the_session_is_not_let_in_after_it(world, app, ada):
    new = await world.device(app, ada)
    approved = await world.approval(new)

    await world.end_session(ada)

    assert not await world.devices.redeem(world.device_redemption(new, approved, bound=True))


@pytest.mark.spec("RFC8628-3.4", "DV-6", "TK-15")
@pytest.mark.parametrize(
    ("why", "is_let_in"),
    [
        ("logout", True),
        ("renewed", True),
        ("displaced", True),
        ("password_changed", False),
        ("user_disabled", False),
        ("user_locked", False),
        ("tenant_suspended", False),
    ],
)
async def test_one_that_stays_connected_outlives_a_sign_out_but_no_end_of_access(
    postgresql, why, is_let_in
):
    app, ada = await postgresql.client(), await postgresql.session()
    new = await postgresql.device(app, ada)
    approved = await postgresql.approval(new)

    await postgresql.end_session(ada, why)

    redemption = postgresql.device_redemption(new, approved)
    assert await postgresql.devices.redeem(redemption) == is_let_in


@pytest.mark.spec("RFC8628-3.4", "DV-6", "TK-15")
async def test_consent_that_was_withdrawn_lets_nobody_in(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    postgresql.allow(ada, app)
    new = await postgresql.device(app, ada)
    approved = await postgresql.approval(new)

    await postgresql.revoke_grant(ada)

    assert not await postgresql.devices.redeem(postgresql.device_redemption(new, approved))


@pytest.mark.spec("RFC8628-3.4", "DV-6", "TK-15")
async def test_a_tenant_that_is_suspended_lets_nobody_in(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    new = await postgresql.device(app, ada)
    approved = await postgresql.approval(new)

    await postgresql.suspend()

    assert not await postgresql.devices.redeem(postgresql.device_redemption(new, approved))


@pytest.mark.spec("RFC8628-3.4", "DV-6", "TK-15")
async def test_a_client_that_has_gone_is_not_let_in(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    new = await postgresql.device(app, ada)
    approved = await postgresql.approval(new)

    await postgresql.deactivate(app)

    assert not await postgresql.devices.redeem(postgresql.device_redemption(new, approved))


@pytest.mark.spec("RFC8628-5.2", "DV-2")
async def test_neither_code_stands_in_the_database(postgresql):
    app = await postgresql.client()
    new = await postgresql.device(app)

    (row,) = postgresql.run(
        "select g::text as whole from insula.device_grants g where client_id = %s", app.id
    ).fetchall()

    assert new.device_code not in row.whole
    assert new.user_code not in row.whole
