"""A client that changes: its secrets, what was in flight, and whether somebody vouches for it."""

import psycopg
import pytest
from people import CALLBACK

from insula.audit import service as audit
from insula.clients import service
from insula.clients.errors import InvalidClientMetadata, NoSharedSecret, NoSuchClient
from insula.clients.models import Metadata
from insula.kernel.ids import Kind, digest


async def change(house, client_id, **changes):
    return await service.change(house.tenant, client_id, changes, development=False)


def proof(method):
    return {"token_endpoint_auth_method": method}


async def test_a_client_that_comes_to_need_a_secret_gets_one(house):
    client_id = house.spa.client_id
    done = await change(house, client_id, **proof("client_secret_post"))
    (secret,) = (await service.find(house.tenant, client_id)).secrets
    assert secret.digest == digest(Kind.CLIENT_SECRET, house.tenant.id, done.secret)
    assert (await change(house, client_id, consent="skip")).secret is None


async def test_a_client_that_needs_no_secret_any_more_loses_it(house):
    client_id = house.web.client_id
    assert (await change(house, client_id, **proof("none"))).secret is None
    assert (await service.find(house.tenant, client_id)).secrets == ()
    with pytest.raises(NoSharedSecret):
        await service.rotate_secret(house.tenant, client_id)
    again = await change(house, client_id, **proof("client_secret_basic"))
    (secret,) = (await service.find(house.tenant, client_id)).secrets
    assert again.secret != house.web.secret
    assert secret.digest == digest(Kind.CLIENT_SECRET, house.tenant.id, again.secret)


async def test_another_secret_method_keeps_the_secret(house):
    before = (await service.find(house.tenant, house.web.client_id)).secrets
    done = await change(house, house.web.client_id, **proof("client_secret_post"))
    assert done.secret is None
    assert (await service.find(house.tenant, house.web.client_id)).secrets == before


async def test_what_follows_from_other_settings_follows_them(house):
    client_id = house.web.client_id
    done = await change(house, client_id, profile="legacy")
    assert "fragment" in done.metadata.response_modes
    done = await change(house, client_id, profile="standard")
    assert done.metadata.response_modes == ("query", "form_post")
    done = await change(house, client_id, grant_types=("client_credentials",))
    assert done.metadata.response_types == ()


async def test_what_was_chosen_is_not_changed_by_what_it_could_have_followed(house):
    client_id = house.web.client_id
    await change(house, client_id, response_modes=("form_post",))
    done = await change(house, client_id, profile="legacy")
    assert done.metadata.response_modes == ("form_post",)


@pytest.fixture
def in_flight(house, database):
    """A code and a pushed request of Ada's web application; `alive()` counts them."""
    with psycopg.connect(database.superuser, autocommit=True) as db:
        owner = {"t": house.tenant.id, "c": house.web.id, "u": house.person.id}
        session = db.execute(
            """insert into insula.sessions
                 (tenant_id, id, sid, token_hash, user_id, auth_time, amr, acr, idle_expires_at,
                  absolute_expires_at, sweep_after)
               values (%(t)s, gen_random_uuid(), gen_random_uuid(), gen_random_uuid()::text::bytea,
                       %(u)s, now(), '{pwd}', 'x', now() + interval '1 hour',
                       now() + interval '1 hour', now() + interval '1 day') returning id""",
            owner,
        ).fetchone()[0]
        db.execute(
            """insert into insula.authorization_codes
                 (tenant_id, id, code_hash, client_id, user_id, session_id, redirect_uri, scopes,
                  auth_time, auth_time_wanted, amr, acr, expires_at, sweep_after)
               values (%(t)s, gen_random_uuid(), gen_random_uuid()::text::bytea, %(c)s, %(u)s,
                       %(s)s, 'https://app.example', '{openid}', now(), false, '{pwd}', 'x',
                       now() + interval '1 minute', now() + interval '1 day')""",
            {**owner, "s": session},
        )
        db.execute(
            """insert into insula.pushed_requests
                 (tenant_id, request_hash, client_id, parameters, expires_at, sweep_after)
               values (%(t)s, gen_random_uuid()::text::bytea, %(c)s, '{}',
                       now() + interval '1 minute', now() + interval '1 day')""",
            owner,
        )

        def alive():
            return db.execute(
                """select (select count(*) from insula.authorization_codes
                            where client_id = %(c)s and consumed_at is null and expires_at > now())
                        + (select count(*) from insula.pushed_requests
                            where client_id = %(c)s and completed_at is null)""",
                owner,
            ).fetchone()[0]

        yield alive


async def test_a_change_of_profile_ends_codes_and_pushed_requests_in_flight(house, in_flight):
    await change(house, house.web.client_id, consent="skip")
    assert in_flight() == 2
    await change(house, house.web.client_id, profile="standard")
    assert in_flight() == 0


@pytest.mark.spec("RFC9700-4.11", "DR-17")
async def test_a_dynamic_client_is_unverified_until_somebody_vouches_for_it(house, database):
    made = await service.register(house.tenant, "Own", Metadata(redirect_uris=(CALLBACK,)))
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute("update insula.clients set origin = 'dynamic' where id = %s", [made.id])

    async def marks():
        client = await service.find(house.tenant, made.client_id)
        return client.is_dynamic, client.is_verified

    assert await marks() == (True, False)
    await service.verify(house.tenant, made.client_id)
    await service.verify(house.tenant, made.client_id)
    assert await marks() == (True, True)
    await service.unverify(house.tenant, made.client_id)
    assert await marks() == (True, False)
    async with house.tenant.transaction() as db:
        events = [row.event for row in await audit.newest(db, 3)]
    assert events == ["client.unverified", "client.verified", "client.created"]


async def test_a_client_of_an_administrator_is_verified_and_stays_so(house):
    await service.verify(house.tenant, house.web.client_id)
    with pytest.raises(InvalidClientMetadata):
        await service.unverify(house.tenant, house.web.client_id)
    with pytest.raises(NoSuchClient):
        await service.verify(house.tenant, "nobody")
