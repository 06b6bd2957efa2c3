"""Who has gone is gone everywhere: every ending against every use (security rows 34, 35)."""

from uuid import uuid4

import pytest
from store_worlds import CALLER, value

from insula.oidc.artefacts import NewAccess


class Held:
    """All that can be held of one sign-in, each before its next use."""

    def __init__(self, world, app, session):
        self.world, self.app, self.session = world, app, session

    async def take(self, *, bound):
        world, app = self.world, self.app
        self.code = await world.code(app, self.session)
        self.stored_code = await world.tokens.read_code(self.code, app)
        self.family = await world.redeemed(app, self.session, opaque=True, bound=bound)
        self.refresh = self.family.refresh.token
        self.stored_refresh = await world.tokens.read_refresh(self.refresh, app)
        self.own = NewAccess(uuid4(), frozenset(), 600, opaque=value("at"))
        assert await world.tokens.issue_to_client(app, self.own, CALLER)
        return self

    async def alive(self):
        """The uses that still succeed; each read afresh, and with what was read before."""
        tokens, app = self.world.tokens, self.app
        code = await tokens.read_code(self.code, app)
        refresh = await tokens.read_refresh(self.refresh, app)
        redemption = self.world.redemption(self.code, app, self.stored_code)
        advance = self.world.advance(self.refresh, app, self.stored_refresh)
        issue = self.family.access.issue_id
        found = {
            "code read": code is not None and code.alive,
            "refresh read": refresh is not None and refresh.alive and refresh.state == "current",
            "userinfo (opaque)": await tokens.find_access_token(self.family.access.opaque),
            "userinfo (JWT)": await tokens.find_issue(issue, "jti"),
            "introspection of a refresh token": await tokens.find_refresh_token(self.refresh),
            "code spent": await tokens.redeem_code(redemption),
            "refresh advanced": await tokens.advance_refresh(advance),
            "client's own token": await tokens.find_access_token(self.own.opaque),
            "client credentials": await tokens.issue_to_client(
                app, NewAccess(uuid4(), frozenset(), 600), CALLER
            ),
        }
        return {use for use, ok in found.items() if ok}


OF_THE_CODE = {"code read", "code spent"}
OF_THE_CLIENT = {"client's own token", "client credentials"}
OF_THE_FAMILY = {
    "refresh read", "userinfo (opaque)", "userinfo (JWT)", "introspection of a refresh token",
    "refresh advanced",
}  # fmt: skip
ALL = OF_THE_CODE | OF_THE_FAMILY | OF_THE_CLIENT


@pytest.mark.parametrize("bound", [True, False], ids=["bound", "offline"])
async def test_while_nothing_ends_everything_works(world, app, ada, bound):
    held = await Held(world, app, ada).take(bound=bound)

    assert await held.alive() == ALL


@pytest.mark.parametrize("ending", ["disable_person", "lock_person"])
async def test_a_person_who_has_gone_leaves_the_client_its_own(world, app, ada, ending):
    held = await Held(world, app, ada).take(bound=False)

    await getattr(world, ending)(ada)

    assert await held.alive() == OF_THE_CLIENT


async def test_a_client_that_has_gone_has_nothing(world, app, ada):
    held = await Held(world, app, ada).take(bound=False)

    await world.deactivate(app)

    assert await held.alive() == set()


async def test_a_session_that_ended_takes_what_is_bound_to_it(world, app, ada):
    held = await Held(world, app, ada).take(bound=True)

    await world.end_session(ada)

    assert await held.alive() == OF_THE_CLIENT


async def test_and_leaves_what_is_offline(world, app, ada):
    held = await Held(world, app, ada).take(bound=False)

    await world.end_session(ada)

    assert await held.alive() == OF_THE_FAMILY | OF_THE_CLIENT


async def test_another_session_of_the_same_browser_is_not_touched(world, app, ada):
    bea = await world.session()
    held = await Held(world, app, bea).take(bound=True)

    await world.end_session(ada)

    assert await held.alive() == ALL


async def test_a_tenant_that_is_suspended_has_nothing(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    held = await Held(postgresql, app, ada).take(bound=False)

    await postgresql.suspend()

    assert await held.alive() == set()


async def test_a_consent_that_was_withdrawn_takes_what_came_of_it(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    postgresql.allow(ada, app)
    held = await Held(postgresql, app, ada).take(bound=False)

    await postgresql.revoke_grant(ada)

    assert await held.alive() == OF_THE_CLIENT


async def test_a_timed_lock_ends_by_itself(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    held = await Held(postgresql, app, ada).take(bound=False)
    postgresql.run(
        "update insula.users set locked_until = now() - interval '1 second' where id = %s",
        ada.user_id,
    )

    assert await held.alive() == ALL


async def test_another_tenant_finds_nothing_of_it(postgresql, make_tenant, db):
    app, ada = await postgresql.client(), await postgresql.session()
    held = await Held(postgresql, app, ada).take(bound=False)
    elsewhere = type(postgresql)((await make_tenant()).tenant, db)
    there = Held(elsewhere, app, ada)
    there.__dict__ |= {**held.__dict__, "world": elsewhere}

    assert await there.alive() == set()

    assert await held.alive() == ALL
