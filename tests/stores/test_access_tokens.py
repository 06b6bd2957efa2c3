"""The `Tokens` port: access tokens are alive as long as all that they hang on."""

import asyncio
import time
from uuid import uuid4

import pytest
from store_worlds import CALLER, value

from insula.oidc.artefacts import NewAccess


async def test_an_opaque_token_is_found_by_its_value_until_it_expires(world, app, ada):
    token = (await world.redeemed(app, ada, opaque=True)).access.opaque

    found = await world.tokens.find_access_token(token)
    assert found.client_id == app.client_id
    assert found.person.user_id == ada.user_id
    assert found.expires_at - found.issued_at == 600
    await world.later(601)

    assert await world.tokens.find_access_token(token) is None


@pytest.mark.parametrize("altered", [lambda t: t[:-1], lambda t: t + "A", str.upper])
async def test_an_altered_token_is_unknown(world, app, ada, altered):
    token = (await world.redeemed(app, ada, opaque=True)).access.opaque

    assert await world.tokens.find_access_token(altered(token)) is None


async def test_one_kind_of_secret_is_never_found_as_another(world, app, ada):
    redemption = await world.redeemed(app, ada, opaque=True)

    assert await world.tokens.find_access_token(redemption.refresh.token) is None
    assert await world.tokens.find_access_token(redemption.code) is None
    assert await world.tokens.read_refresh(redemption.access.opaque, app) is None
    assert await world.tokens.read_code(redemption.refresh.token, app) is None


@pytest.mark.spec("RFC7009-2.1")
async def test_its_client_revokes_it_and_nobody_elses_does(world, app, ada):
    other = await world.client()
    redemption = await world.redeemed(app, ada, opaque=True)
    token = redemption.access.opaque

    assert not await world.tokens.revoke_access_token(token, other, CALLER)
    assert await world.tokens.find_access_token(token) is not None
    assert await world.tokens.revoke_access_token(token, app, CALLER)

    assert await world.tokens.find_access_token(token) is None
    assert await world.state(redemption.refresh.token, app) == "current"


async def test_a_jwt_is_revoked_by_itself(world, app, ada):
    issue = (await world.redeemed(app, ada)).stored.issue_id
    other = await world.client()
    until = int(time.time()) + 600
    await world.tokens.revoke_jti(issue, "jti-1", until, other, CALLER)
    assert await world.tokens.find_issue(issue, "jti-1") is not None

    for _ in range(2):
        await world.tokens.revoke_jti(issue, "jti-1", until, app, CALLER)

    assert await world.tokens.find_issue(issue, "jti-1") is None
    assert await world.tokens.find_issue(issue, "jti-2") is not None


async def test_an_issue_that_never_was_is_unknown(world):
    assert await world.tokens.find_issue(uuid4(), "jti") is None


async def test_a_client_gets_a_token_for_itself(world, app):
    access = NewAccess(uuid4(), frozenset({"reports:read"}), 600, opaque=value("at"))

    assert await world.tokens.issue_to_client(app, access, CALLER)

    found = await world.tokens.find_access_token(access.opaque)
    assert (found.person, found.client_id) == (None, app.client_id)
    assert found.scopes == {"reports:read"}
    assert await world.tokens.find_issue(access.issue_id, "jti") is not None


async def test_a_client_that_has_gone_gets_none(world, app):
    await world.deactivate(app)

    access = NewAccess(uuid4(), frozenset(), 600)
    assert not await world.tokens.issue_to_client(app, access, CALLER)


async def test_its_token_ends_with_it(world, app):
    access = NewAccess(uuid4(), frozenset(), 600, opaque=value("at"))
    assert await world.tokens.issue_to_client(app, access, CALLER)

    await world.deactivate(app)

    assert await world.tokens.find_access_token(access.opaque) is None
    assert await world.tokens.find_issue(access.issue_id, "jti") is None


async def test_a_jti_is_revoked_once_however_many_ask(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    issue = (await postgresql.redeemed(app, ada)).stored.issue_id
    until = int(time.time()) + 600

    await asyncio.gather(
        *(postgresql.tokens.revoke_jti(issue, "jti", until, app, CALLER) for _ in range(8))
    )

    rows = postgresql.run(
        "select 1 from insula.audit_events where tenant_id = %s and event = 'oauth.token_revoked'",
        postgresql.tenant.id,
    ).fetchall()
    assert len(rows) == 1
