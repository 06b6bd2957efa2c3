"""The probe over HTTP: each check that is taken away is found, by the cell that it held."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace

import psycopg
import pytest
from psycopg.rows import namedtuple_row

from insula.isolation import canaries, service
from insula.isolation.probe import Probe
from insula.isolation.web.questions import QUESTIONS
from insula.kernel.errors import Unavailable
from insula.oidc import tokens
from insula.oidc.jose import Verifier
from insula.providers.clients import TenantClients
from insula.providers.pool import ProviderPool
from insula.tenancy import store
from insula.tenancy.directory import Directory
from insula.tenancy.hosts import Networks
from insula.tenancy.models import CANARIES, PLATFORMS
from insula.tenancy.resolution import Resolver, Rules, Unresolved
from insula.tenants import service as tenants

pytestmark = [pytest.mark.spec("features BEY-1", "security 3.3")]

ALL = [question.name for question in QUESTIONS]


@pytest.fixture
def db(database):
    with psycopg.connect(database.superuser, autocommit=True, row_factory=namedtuple_row) as db:
        yield db


@pytest.fixture
async def home(platform_door, envelope, rotation, directory):
    await tenants.ensure_special(platform_door, envelope, rotation)
    return await directory.find(f"slug:{PLATFORMS}")


@pytest.fixture
def probe(app_db, platform_door, directory, envelope, front):
    return Probe(app_db, platform_door, directory, envelope, front)


def let_in(found):
    return {cell.table for cell in found.failures if cell.door == "http"}


def one_host_for_both(patch):
    """The directory gives the one canary for the host of the other."""
    find = store.find

    async def find_the_first(doors, naming, name):
        return await find(doors, naming, name.replace("host:canary-b.", "host:canary-a."))

    patch.setattr(store, "find", find_the_first)


def any_provider(patch):
    """The pool gives whatever it has."""

    first = []
    get = ProviderPool.get

    async def get_the_first(pool, tenant):
        first.append(await get(pool, tenant))
        return first[0]

    patch.setattr(ProviderPool, "known", lambda *_: None)
    patch.setattr(ProviderPool, "get", get_the_first)


def any_signature(patch):
    """Whatever says that it is a token is one, whoever signed it."""

    def read(_verifier, token, _typ, _keys):
        said = token.split(".")[1]
        return json.loads(urlsafe_b64decode(said + "=" * (-len(said) % 4)))

    patch.setattr(Verifier, "_read", read)


def any_audience(patch):
    """A token is for every API."""

    class Everybody(tuple):
        __slots__ = ()

        def __contains__(self, _name):
            return True

    patch.setattr(tokens, "audience_of", lambda _claims: Everybody(("all",)))


def any_secret(patch):
    """An application that is known need not prove itself."""
    patch.setattr(TenantClients, "secret_matches", lambda *_: True)


@pytest.mark.parametrize(
    ("fault", "cells"),
    [
        (one_host_for_both, {
            "metadata", "opaque access token at userinfo", "access token at the API",
        }),
        (any_provider, {"metadata", "opaque access token at userinfo"}),
        (any_signature, {"access token at introspection"}),
        (any_audience, {"access token for another API"}),
        (any_secret, {"client's secret"}),
    ],
)  # fmt: skip
async def test_a_check_that_is_gone_is_found(probe, home, platform_door, monkeypatch, fault, cells):
    assert (await service.run(probe, home)).result == "passed"
    with monkeypatch.context() as patch:
        fault(patch)
        found = await service.run(probe, home)

    assert found.result == "failed"
    assert let_in(found) == cells, let_in(found) ^ cells
    assert len(found.failures) == len(let_in(found))
    (run,) = await service.newest(platform_door, 1, failed=True)
    assert run.failures == tuple(found.failures)
    assert str(run.failures[0]).endswith("by http, other bound")
    assert service.standing_of(run).startswith("degraded: ")


async def test_what_is_not_good_at_home_proves_nothing(probe, home, db):
    await service.run(probe, home)
    disable = (
        "update insula.users u set status = %s from insula.tenants t"
        " where t.id = u.tenant_id and t.slug = %s and u.username_norm = 'canary'"
    )
    db.execute(disable, ["disabled", CANARIES[0]])
    try:
        found = await service.run(probe, home)
    finally:
        db.execute(disable, ["active", CANARIES[0]])

    assert found.result == "incomplete"
    assert "session cookie by http" in found.unproved
    assert "access token at the API by http" in found.unproved
    assert "client's secret by http" not in found.unproved
    assert let_in(found) == set()


async def test_when_the_application_is_away_so_is_the_probe(
    app_db, platform_door, directory, envelope, home
):
    async def away(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    before = await service.newest(platform_door, 1)
    with pytest.raises(Unavailable):
        await service.run(Probe(app_db, platform_door, directory, envelope, lambda: away), home)
    assert await service.newest(platform_door, 1) == before


async def test_what_an_installation_does_not_offer_is_not_asked(probe, home, db):
    await service.run(probe, home)
    for slug in CANARIES:
        db.execute(
            "insert into insula.tenant_settings (tenant_id, section, value) select id,"
            " 'oidc.features', '{\"introspection\": false, \"require_par\": true}'"
            " from insula.tenants where slug = %s", [slug],
        )  # fmt: skip
    try:
        found = await service.run(probe, home)
    finally:
        db.execute(
            "delete from insula.tenant_settings where section = 'oidc.features' and tenant_id in"
            " (select id from insula.tenants where slug = any(%s))", [list(CANARIES)],
        )  # fmt: skip

    assert found.result == "passed", found
    assert set(ALL) - set(found.brought) == {
        "access token at introspection", "refresh token at introspection",
        "refresh token at the token endpoint", "session cookie",
    }  # fmt: skip


async def test_canaries_of_a_former_release_are_furnished(probe, home, db):
    """They were archived, and what stood for a key was none."""
    await service.run(probe, home)
    db.execute(
        "update insula.tenants set status = 'archived' where slug = any(%s)", [list(CANARIES)]
    )
    db.execute(
        "with gone as (delete from insula.signing_keys k using insula.tenants t"
        " where t.id = k.tenant_id and t.slug = any(%s))"
        " insert into insula.signing_keys (tenant_id, kid, alg, state, public_jwk, sealed)"
        " select id, 'canary-none', 'ES256', 'retired', '{}', '\\x00' from insula.tenants"
        " where slug = any(%s)", [list(CANARIES), list(CANARIES)],
    )  # fmt: skip
    probe.directory.forget_all()

    found = await service.run(probe, home)

    assert found.result == "passed", found


async def test_whoever_serves_finds_no_canary_and_whoever_probes_nobody_else(
    platform_door, directory, naming, make_tenant
):
    pair = await canaries.both(platform_door, directory)
    house = (await make_tenant()).tenant
    here = Networks(("127.0.0.0/8",))

    def resolver(**more):
        rules = Rules(naming, "production", trusted=here, **more)
        return Resolver(rules, directory)

    async def refused(found):
        with pytest.raises(Unresolved) as refusal:
            await found
        return refusal.value.status

    for canary in pair:
        host = canaries.host_of(canary)
        assert await resolver(canaries=True).resolve(host, [], trusted=False) == canary
        assert await refused(resolver().resolve(host, [], trusted=False)) == 404
        assert await refused(resolver().resolve(host, [], trusted=True)) == 404
        for named in (canary.slug, canary.slug.strip("_")):
            headers = [(b"x-tenant-id", named.encode())]
            assert await refused(resolver().resolve(None, headers, trusted=True)) in (400, 404)
        assert (
            await refused(
                resolver(canaries=True).resolve(
                    naming.host(house.slug), [(b"x-tenant-id", house.slug.encode())], trusted=True
                )
            )
            == 404
        )
    assert (await resolver().resolve(naming.host(house.slug), [], trusted=False)).id == house.id


async def test_the_wall_is_proved_over_https_and_where_there_is_one_tenant(
    app_db, platform_door, doors, envelope, home, front
):
    settings = front.settings.model_copy(
        update={"env": "production", "multi_tenancy_enabled": False, "public_port": None}
    )
    alone = Probe(
        app_db, platform_door, Directory.over(doors, settings.naming()), envelope,
        replace(front, settings=settings),
    )  # fmt: skip

    found = await service.run(alone, home)

    assert (found.result, found.brought) == ("passed", ALL)
