"""The `Tokens` port: what an authorization uses up, and tokens that it issues at once."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from store_worlds import CALLER, value

from insula.oidc.artefacts import FrontChannel, NewAccess, NewPushed, UsedUp
from insula.providers.requests import TenantRequests
from insula.sign_in.cookies import Jar

AUDIENCE = ("https://api.example",)


def at_once(world, client, session, *, token=True, **about):
    """What would be handed out by the front channel."""
    given = world.new_code(client, session, **about).authorized
    access = None
    issue_id = uuid4()
    if token:
        access = NewAccess(
            issue_id, frozenset({"openid"}), 600, opaque=value("at"), audience=AUDIENCE
        )
    return FrontChannel(issue_id, given, access)


# --- tokens at once


@pytest.mark.spec("OIDCC-3.2.2.5", "FC-2")
async def test_a_token_that_was_issued_at_once_is_found(world, app, ada):
    claims = '{"userinfo":["email"]}'
    new = at_once(world, app, ada, claims=claims)

    assert await world.tokens.issue_at_once(new, CALLER)

    found = await world.tokens.find_access_token(new.access.opaque)
    assert (found.client_id, found.person.user_id) == (app.client_id, ada.user_id)
    assert (found.scopes, found.audience, found.claims) == ({"openid"}, AUDIENCE, claims)
    assert found.expires_at - found.issued_at == 600
    assert (await world.tokens.find_issue(new.issue_id, "jti")).client_id == app.client_id


async def test_an_id_token_alone_leaves_no_access_token(world, app, ada):
    new = at_once(world, app, ada, token=False)

    assert await world.tokens.issue_at_once(new, CALLER)


async def test_it_ends_with_the_session(world, app, ada):
    new = at_once(world, app, ada)
    assert await world.tokens.issue_at_once(new, CALLER)

    await world.end_session(ada)

    assert await world.tokens.find_access_token(new.access.opaque) is None
    assert await world.tokens.find_issue(new.issue_id, "jti") is None


@pytest.mark.parametrize("ending", ["disable_person", "lock_person", "end_session", "deactivate"])
async def test_none_is_issued_to_whoever_has_gone(world, app, ada, ending):
    await getattr(world, ending)(app if ending == "deactivate" else ada)
    new = at_once(world, app, ada)

    assert not await world.tokens.issue_at_once(new, CALLER)
    assert await world.tokens.find_access_token(new.access.opaque) is None


async def test_without_a_refresh_token_what_came_of_a_code_ends_with_the_session(world, app, ada):
    redeemed = await world.redeemed(app, ada, opaque=True, refresh=False)

    await world.end_session(ada)

    assert await world.tokens.find_access_token(redeemed.access.opaque) is None


# --- what a family remembers


@pytest.mark.spec("RFC8707-2.2", "DPOP-5", "RT-2")
async def test_a_family_remembers_apis_and_key(world, app, ada):
    apis = ("https://a.example", "urn:b")
    code = await world.code(app, ada, resources=apis)
    stored = await world.tokens.read_code(code, app)
    redemption = world.redemption(code, app, stored, opaque=True)
    key, own = "k" * 43, "o" * 43
    redemption = replace(
        redemption,
        refresh=replace(redemption.refresh, dpop_jkt=key),
        access=replace(redemption.access, audience=AUDIENCE, dpop_jkt=own),
    )
    assert await world.tokens.redeem_code(redemption)

    family = await world.tokens.read_refresh(redemption.refresh.token, app)
    access = await world.tokens.find_access_token(redemption.access.opaque)

    assert (family.resources, family.dpop_jkt) == (apis, key)
    assert (access.audience, access.dpop_jkt) == (AUDIENCE, own)
    advance = world.advance(redemption.refresh.token, app, family, opaque=True)
    advance = replace(advance, access=replace(advance.access, audience=apis[:1], dpop_jkt=own))
    assert await world.tokens.advance_refresh(advance)
    fresh = await world.tokens.find_access_token(advance.access.opaque)
    assert (fresh.audience, fresh.dpop_jkt) == (apis[:1], own)
    again = await world.tokens.read_refresh(advance.successor, app)
    assert (again.resources, again.dpop_jkt) == (apis, key)


# --- used up once


async def pushed(world, client):
    """A reference that is being used in a browser."""
    reference = value("par")
    requests = (
        world.host.requests
        if hasattr(world, "host")
        else TenantRequests(world.tenant, Jar(secure=False), None)
    )
    await requests.push(NewPushed(reference, client, {"scope": "openid"}, 60), CALLER)
    return reference


async def complete(world, client, session, used, *, at_once_too):
    """Two ways to complete an authorization: with a code, and with tokens."""
    if at_once_too:
        return await world.tokens.issue_at_once(
            at_once(world, client, session, used_up=used), CALLER
        )
    return await world.tokens.issue_code(world.new_code(client, session, used_up=used), CALLER)


@pytest.mark.spec("PAR-7.3", "PA-7", "JAR-10", "JR-7")
@pytest.mark.parametrize("kind", ["pushed", "object"])
@pytest.mark.parametrize("ways", [(False, False), (True, True), (False, True), (True, False)])
async def test_what_is_used_up_completes_one_authorization(world, app, ada, kind, ways):
    used = (
        UsedUp(pushed=await pushed(world, app)) if kind == "pushed" else UsedUp(request_object="j")
    )

    done = [await complete(world, app, ada, used, at_once_too=way) for way in ways]

    assert done == [True, False]


@pytest.mark.spec("PAR-7.3", "PA-7", "JR-7")
@pytest.mark.parametrize("kind", ["pushed", "object", "both"])
async def test_of_many_at_once_one_completes(world, app, ada, kind):
    used = UsedUp(
        pushed=await pushed(world, app) if kind != "object" else None,
        request_object="jti" if kind != "pushed" else None,
    )

    done = await asyncio.gather(
        *(complete(world, app, ada, used, at_once_too=n % 2 == 0) for n in range(8))
    )

    assert done.count(True) == 1


@pytest.mark.spec("JR-7")
async def test_the_mark_of_an_object_is_its_clients_own(world, app, ada):
    other, used = await world.client(), UsedUp(request_object="the same jti")

    assert await complete(world, app, ada, used, at_once_too=False)
    assert await complete(world, other, ada, used, at_once_too=False)


async def test_a_reference_that_never_was_completes_nothing(world, app, ada):
    used = UsedUp(pushed=value("par"))

    assert not await complete(world, app, ada, used, at_once_too=False)


async def test_whoever_has_gone_uses_nothing_up(world, app, ada):
    other, used = await world.session(), UsedUp(request_object="jti")
    await world.end_session(other)

    assert not await complete(world, app, other, used, at_once_too=False)
    assert await complete(world, app, ada, used, at_once_too=False)


# --- whom to tell of a sign-out


@pytest.mark.spec("OIDCBCL-2.5", "LO-7")
async def test_a_sign_in_remembers_each_client_once(postgresql):
    app, other, ada = (
        await postgresql.client(),
        await postgresql.client(),
        await postgresql.session(),
    )
    plain = frozenset({"profile"})
    for client in (app, app, other):
        await postgresql.redeemed(client, ada)
    await postgresql.tokens.issue_at_once(at_once(postgresql, app, ada), CALLER)
    await postgresql.tokens.issue_at_once(at_once(postgresql, other, ada, token=False), CALLER)
    third = await postgresql.client()
    code = await postgresql.code(third, ada, scopes=plain)
    stored = await postgresql.tokens.read_code(code, third)
    assert await postgresql.tokens.redeem_code(postgresql.redemption(code, third, stored))

    rows = postgresql.run(
        "select sc.client_id, sc.user_id, sc.sid = s.sid as is_ours from insula.session_clients sc"
        " join insula.sessions s on s.id = %s where sc.user_id = s.user_id",
        ada.id,
    ).fetchall()

    assert sorted(row.client_id for row in rows) == sorted([app.id, other.id])
    assert all(row.is_ours and isinstance(row.user_id, UUID) for row in rows)


async def test_parallel_redemptions_write_it_once(postgresql):
    app, ada = await postgresql.client(), await postgresql.session()
    new = [at_once(postgresql, app, ada) for _ in range(8)]

    done = await asyncio.gather(*(postgresql.tokens.issue_at_once(n, CALLER) for n in new))

    assert all(done)
    rows = postgresql.run(
        "select 1 from insula.session_clients where client_id = %s", app.id
    ).fetchall()
    assert len(rows) == 1
