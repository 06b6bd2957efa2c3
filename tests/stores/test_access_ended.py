"""A suspension ends what was issued before it for good; coming back begins anew (features CR-7)."""

from test_liveness import ALL, Held


async def test_what_was_issued_before_a_suspension_stays_dead_after_it(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    held = await Held(postgresql, app, ada).take(bound=False)

    postgresql.run(
        "update insula.tenants set access_ended_at = clock_timestamp() where id = %s",
        postgresql.tenant.id,
    )

    assert await held.alive() == {"client credentials"}


async def test_what_is_issued_after_it_lives(postgresql):
    postgresql.run(
        "update insula.tenants set access_ended_at = clock_timestamp() where id = %s",
        postgresql.tenant.id,
    )
    app, ada = await postgresql.client(), await postgresql.session()

    held = await Held(postgresql, app, ada).take(bound=False)

    assert await held.alive() == ALL
