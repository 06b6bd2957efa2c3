"""The `Tokens` port: what came of an exchange hangs on what it came from (TX-5, TX-6)."""

from uuid import uuid4

import pytest
from store_worlds import CALLER, value

from insula.oidc.artefacts import ActiveToken, Exchanged, NewAccess

pytestmark = pytest.mark.spec("RFC8693-2.2.1", "TX-6")

AUDIENCE = ("https://api.example", "https://issuer.example")


def new(**changes):
    given = {"scopes": frozenset({"api:read"}), "expires_in": 600, "opaque": value("at")}
    return NewAccess(uuid4(), **given | {"audience": AUDIENCE} | changes)


async def exchange(world, subject, client, *, act=None, **changes):
    """What came of the token *subject* for *client*; None when it was refused."""
    access = new(**changes)
    done = await world.tokens.issue_exchanged(
        Exchanged(subject, client, access, act, "delegation", CALLER)
    )
    return access if done else None


@pytest.fixture
async def api(world):
    """The client of an API, which exchanges."""
    return await world.client()


@pytest.fixture
async def family(world, app, ada):
    return await world.redeemed(app, ada, opaque=True)


@pytest.fixture
async def subject(world, family) -> ActiveToken:
    return await world.tokens.find_access_token(family.access.opaque)


async def test_what_is_found_is_what_was_recorded(world, ada, api, subject):
    act = {"sub": "api", "act": {"sub": "another"}}

    access = await exchange(world, subject, api, act=act, dpop_jkt="k" * 43)

    found = await world.tokens.find_access_token(access.opaque)
    assert (found.client_id, found.person.user_id) == (api.client_id, ada.user_id)
    assert (found.scopes, found.audience, found.dpop_jkt) == (access.scopes, AUDIENCE, "k" * 43)
    assert found.act == act
    assert (found.auth_time, found.acr, found.amr) == (subject.auth_time, subject.acr, subject.amr)
    assert (found.claims, found.about) == ("", None)
    by_id = await world.tokens.find_issue(access.issue_id, "jti")
    assert (by_id.client_id, by_id.act, by_id.person.user_id) == (api.client_id, act, ada.user_id)


async def test_without_an_actor_none_is_named(world, api, subject):
    access = await exchange(world, subject, api)

    assert (await world.tokens.find_access_token(access.opaque)).act is None


ENDINGS = ["person", "client", "asker", "issue", "replay"]


@pytest.mark.parametrize("ending", ENDINGS)
async def test_it_ends_with_what_it_came_from(world, app, ada, api, family, subject, ending):
    second = await world.client()
    first = await exchange(world, subject, api)
    held = await world.tokens.find_access_token(first.opaque)
    chained = await exchange(world, held, second)
    assert await world.tokens.find_access_token(chained.opaque)

    match ending:
        case "person":
            await world.disable_person(ada)
        case "client":
            await world.deactivate(app)
        case "asker":
            await world.deactivate(api)
        case "issue":
            await world.tokens.revoke_issue(family.access.issue_id, app, CALLER)
        case "replay":
            await world.tokens.refuse_code(family.code, app, CALLER)

    assert await world.tokens.find_access_token(first.opaque) is None
    assert await world.tokens.find_issue(first.issue_id, "jti") is None
    if ending != "asker":  # whoever handed it on is not who allowed it
        assert await world.tokens.find_access_token(chained.opaque) is None
        assert await exchange(world, subject, second) is None
    assert await exchange(world, held, second) is None


@pytest.mark.parametrize("bound", [True, False])
async def test_it_ends_with_the_session_where_the_subject_does(world, app, ada, api, bound):
    family = await world.redeemed(app, ada, opaque=True, bound=bound)
    subject = await world.tokens.find_access_token(family.access.opaque)
    access = await exchange(world, subject, api)

    await world.end_session(ada)

    assert (await world.tokens.find_access_token(access.opaque) is None) == bound
    assert (await exchange(world, subject, api) is None) == bound


async def test_a_grant_that_was_taken_back_ends_it(postgresql):
    app, api, ada = await postgresql.client(), await postgresql.client(), await postgresql.session()
    postgresql.allow(ada, app)
    family = await postgresql.redeemed(app, ada, opaque=True)
    subject = await postgresql.tokens.find_access_token(family.access.opaque)
    access = await exchange(postgresql, subject, api)
    assert await postgresql.tokens.find_access_token(access.opaque)

    await postgresql.revoke_grant(ada)

    assert await postgresql.tokens.find_access_token(access.opaque) is None
    assert await exchange(postgresql, subject, api) is None


async def test_a_client_that_has_gone_gets_none(world, api, subject):
    await world.deactivate(api)

    assert await exchange(world, subject, api) is None


async def test_a_revoked_token_leaves_what_came_of_it(world, app, api, family, subject):
    """RFC7009-2.1: it is revoked alone, as the family of its refresh token is not either."""
    access = await exchange(world, subject, api)

    assert await world.tokens.revoke_access_token(family.access.opaque, app, CALLER)

    assert await world.tokens.find_access_token(access.opaque)


async def test_what_came_of_a_clients_own_token_stays_about_it(world, app, api):
    own = NewAccess(uuid4(), frozenset(), 600, opaque=value("at"))
    assert await world.tokens.issue_to_client(app, own, CALLER)
    subject = await world.tokens.find_access_token(own.opaque)
    second = await world.client()

    first = await exchange(world, subject, api)
    held = await world.tokens.find_access_token(first.opaque)
    chained = await exchange(world, held, second)

    assert subject.about is None
    assert (held.person, held.client_id, held.about) == (None, api.client_id, app.client_id)
    found = await world.tokens.find_issue(chained.issue_id, "jti")
    assert (found.client_id, found.about) == (second.client_id, app.client_id)


async def test_it_is_written_into_the_record(postgresql):
    app, api, ada = await postgresql.client(), await postgresql.client(), await postgresql.session()
    family = await postgresql.redeemed(app, ada, opaque=True)
    subject = await postgresql.tokens.find_access_token(family.access.opaque)
    access = await exchange(postgresql, subject, api, act={"sub": "x"})

    (row,) = postgresql.run(
        "select metadata, actor_id from insula.audit_events where target_id = %s"
        " and event = 'oauth.token_issued'",
        str(access.issue_id),
    ).fetchall()
    assert row.actor_id == api.client_id
    assert row.metadata == {
        "grant": "token_exchange",
        "mode": "delegation",
        "subject_client": app.client_id,
    }
