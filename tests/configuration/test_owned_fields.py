"""Fields that documents own: claimed, kept from hands, released with a reason, claimed anew."""

import asyncio

import psycopg
import pytest
from waiting import at_once

from insula.audit import service as audit
from insula.audit.models import Actor
from insula.clients import service as clients
from insula.clients.service import Changed
from insula.config_overrides import history, ownership
from insula.config_overrides import service as config_overrides
from insula.config_overrides.errors import InvalidSetting, NotOverridable, OwnedByGit
from insula.config_overrides.saving import Saving
from insula.configuration.applying import Applying, apply
from insula.configuration.models import parse_document
from insula.ownership import service as objects
from insula.ownership.models import Place
from insula.platform.sections import CATALOGUE
from insula.providers.settings import TokenLifetimes
from insula.resource_servers import claims, scopes, servers

BOT, ADA = Actor("client", "bot"), Actor("admin", "ada")
BY_HAND = Saving(ADA)
DOCUMENT = {"settings": {"oidc.ttl": {"id_token": 300, "device_code": 120}}}


async def put(tenant, document=DOCUMENT, actor=BOT, **how):
    return await apply(
        tenant, CATALOGUE.of_tenants(), parse_document(document), Applying(actor, **how)
    )


def paths(done):
    return [str(each) for each in done.differences]


async def sources(tenant):
    layers = await config_overrides.load(tenant)
    return {
        each.name: each.source
        for each in config_overrides.explain(TokenLifetimes, layers)
        if each.source != "default"
    }


@pytest.fixture
async def owned(house):
    """A tenant whose two lifetimes the documents of a program own."""
    await put(house.tenant)
    assert set((await sources(house.tenant)).values()) == {"tenant"}
    done = await put(house.tenant, own=True, source="a1b2c3")
    assert "+ ownership/oidc.ttl/id_token: owned" in paths(done)
    return house.tenant


@pytest.mark.spec("features BEY-12", "features BEY-3")
async def test_what_documents_own_is_refused_to_hands_by_name_and_the_rest_is_not(owned):
    assert await sources(owned) == {"id_token": "git", "device_code": "git"}
    for refused in (
        config_overrides.change(owned, TokenLifetimes, {"id_token": 400}, BY_HAND),
        config_overrides.change(
            owned, TokenLifetimes, {"id_token": None, "access_token": 91}, BY_HAND
        ),
        config_overrides.reset(owned, TokenLifetimes, "id_token", BY_HAND),
    ):
        with pytest.raises(OwnedByGit) as refusal:
            await refused
        assert refusal.value.fields == ("oidc.ttl.id_token",)
    with pytest.raises(OwnedByGit) as refusal:
        await config_overrides.reset(owned, TokenLifetimes, None, BY_HAND)
    assert refusal.value.fields == ("oidc.ttl.device_code", "oidc.ttl.id_token")
    async with owned.transaction() as db:
        with pytest.raises(OwnedByGit):
            await config_overrides.replace_all(db, CATALOGUE.of_tenants(), {}, BY_HAND)
    await config_overrides.change(owned, TokenLifetimes, {"access_token": 90}, BY_HAND)
    async with owned.transaction() as db:  # a version in which what is owned was the same
        assert await history.restore(db, CATALOGUE.of_tenants(), 1, BY_HAND) == [
            "oidc.ttl.access_token"
        ]
    with pytest.raises(OwnedByGit):
        await put(owned, {"settings": {}}, actor=ADA)
    assert (await config_overrides.load(owned)).own["oidc.ttl"] == {
        "id_token": 300, "device_code": 120,
    }  # fmt: skip
    await config_overrides.change(
        owned, TokenLifetimes, {"access_token": 90, "id_token": 300}, BY_HAND
    )
    assert (await sources(owned))["access_token"] == "tenant"


@pytest.mark.spec("features BEY-12")
async def test_the_owner_goes_on_being_it_and_what_leaves_the_documents_is_nobodys(owned):
    again = await put(owned)
    assert paths(again) == []
    changed = await put(owned, {"settings": {"oidc.ttl": {"id_token": 400}}})
    assert paths(changed) == [
        "- settings/oidc.ttl/device_code: 120",
        "~ settings/oidc.ttl/id_token: 300 → 400",
        "- ownership/oidc.ttl/device_code: owned",
    ]
    mark = (await config_overrides.load(owned)).own_marks["oidc.ttl.id_token"]
    assert (mark.owner.by["id"], mark.owner.source) == ("bot", "a1b2c3")
    await config_overrides.change(owned, TokenLifetimes, {"device_code": 90}, BY_HAND)
    taken = await put(
        owned, {"settings": {"oidc.ttl": {"id_token": 500}}}, actor=ADA, own=True, source="d4"
    )
    assert "~ settings/oidc.ttl/id_token: 400 → 500" in paths(taken)
    mark = (await config_overrides.load(owned)).own_marks["oidc.ttl.id_token"]
    assert (mark.owner.by["id"], mark.owner.source) == ("ada", "d4")


@pytest.mark.spec("features BEY-12")
async def test_a_released_field_is_free_told_as_drift_and_claimed_anew(owned):
    async def release(fields, reason, section=TokenLifetimes):
        async with owned.transaction() as db:
            await ownership.release_in(db, section, fields, Saving(ADA, reason))

    for fields, reason, refused in (
        (["id_token"], " ", InvalidSetting),
        (["id_token"], "x" * 501, InvalidSetting),
        ([], "hotfix", InvalidSetting),
        (["access_token"], "hotfix", InvalidSetting),
        (["made_up"], "hotfix", NotOverridable),
    ):
        with pytest.raises(refused):
            await release(fields, reason)
    await release(["id_token"], "hotfix")
    await config_overrides.change(owned, TokenLifetimes, {"id_token": 900}, BY_HAND)
    with pytest.raises(InvalidSetting):
        await release(["id_token"], "twice")

    tried = await put(owned, dry_run=True)
    assert paths(tried)[0] == "~ settings/oidc.ttl/id_token: 900 → 300"
    assert "ownership/oidc.ttl/id_token: released by admin ada on" in paths(tried)[1]
    assert paths(tried)[1].endswith(": hotfix → owned")
    await put(owned)
    with pytest.raises(OwnedByGit):
        await config_overrides.change(owned, TokenLifetimes, {"id_token": 900}, BY_HAND)
    assert paths(await put(owned)) == []
    async with owned.transaction() as db:
        told = [line.metadata for line in await audit.newest(db)]
    assert {"claimed": ["device_code", "id_token"], "source": "a1b2c3"} in told
    assert {"released": ["id_token"], "reason": "hotfix"} in told


async def test_a_mistake_leaves_nothing_claimed(house):
    with pytest.raises(InvalidSetting):
        await put(
            house.tenant,
            {"settings": {"oidc.ttl": {"id_token": 300, "device_code": 1}}}, own=True,
        )  # fmt: skip
    tried = await put(house.tenant, own=True, dry_run=True)
    assert len(paths(tried)) == 4
    assert (await config_overrides.load(house.tenant)).own_marks == {}


WHOLE = {
    "claims": {"team": "department"},
    "scopes": {"crew": {"title": "Your team", "claims": ["team"]}},
    "apis": {"https://api.acme.example": {"name": "Reports", "scopes": {"reports:read": {}}}},
    "clients": {
        "board": {
            "name": "Board",
            "metadata": {
                "redirect_uris": ["https://board.acme.example/callback"],
                "scopes": ["openid", "reports:read"],
                "resources": ["https://api.acme.example"],
            },
        }
    },
}
API, SCOPE = "https://api.acme.example", "reports:read"
CHANGES = {"development": False, "actor": ADA}


@pytest.mark.spec("features BEY-12")
async def test_objects_that_documents_name_are_refused_to_hands_until_they_are_released(house):
    tenant = house.tenant
    done = await put(tenant, WHOLE, own=True, source="a1b2c3")
    assert [line for line in paths(done) if "ownership" in line] == [
        "+ ownership/apis/https://api.acme.example: owned",
        "+ ownership/claims/team: owned",
        "+ ownership/clients/board: owned",
        "+ ownership/scopes/crew: owned",
    ]
    assert paths(await put(tenant, WHOLE)) == []

    for place, act in (
        ("clients/board", lambda: clients.change(tenant, "board", {"par": True}, **CHANGES)),
        ("clients/board", lambda: clients.change(tenant, "board", {}, name="Bo", **CHANGES)),
        ("clients/board", lambda: clients.delete(tenant, "board", ADA)),
        (f"apis/{API}", lambda: servers.change(tenant, API, {}, name="R", actor=ADA)),
        (f"apis/{API}", lambda: servers.delete(tenant, API, force=True, actor=ADA)),
        (f"apis/{API}", lambda: scopes.add(tenant, "x:y", resource_server=API, actor=ADA)),
        (f"apis/{API}", lambda: scopes.change(tenant, SCOPE, title="T", actor=ADA)),
        (f"apis/{API}", lambda: scopes.remove(tenant, SCOPE, force=True, actor=ADA)),
        ("scopes/crew", lambda: scopes.change(tenant, "crew", title="T", actor=ADA)),
        ("scopes/crew", lambda: scopes.remove(tenant, "crew", actor=ADA)),
        ("claims/team", lambda: claims.map_claim(tenant, "team", "company", ADA)),
        ("claims/team", lambda: claims.unmap(tenant, "team", ADA)),
        ("clients/board", lambda: put(tenant, {"clients": {}}, actor=ADA)),
    ):
        with pytest.raises(OwnedByGit) as refusal:
            await act()
        assert refusal.value.fields == (place,)
    assert paths(await put(tenant, WHOLE)) == []  # nothing was half done
    await clients.rotate_secret(tenant, "board", actor=ADA)  # no document holds one
    await scopes.add(tenant, "free", actor=ADA)

    async def release(place, reason="the pipeline is down"):
        async with tenant.transaction() as db:
            await objects.release(db, place, reason, ADA)

    for place, reason in (
        (Place("clients", "board"), " "),
        (Place("clients", "board"), "x" * 501),
        (Place("clients", "nobody"), "why"),
    ):
        with pytest.raises(InvalidSetting):
            await release(place, reason)
    await release(Place("apis", API))
    with pytest.raises(OwnedByGit) as refusal:  # its client is owned still
        await servers.delete(tenant, API, force=True, actor=ADA)
    assert refusal.value.fields == ("clients/board",)
    await release(Place("clients", "board"))
    await servers.delete(tenant, API, force=True, actor=ADA)

    drifted = await put(tenant, WHOLE, dry_run=True)
    said = [line for line in paths(drifted) if line.startswith("~ ownership/apis")]
    assert said[0].endswith(": the pipeline is down → owned")
    await put(tenant, WHOLE)
    with pytest.raises(OwnedByGit):
        await clients.change(tenant, "board", {}, name="Bo", **CHANGES)
    left = await put(tenant, {"clients": {}})
    assert "- ownership/clients/board: owned" in paths(left)
    machine = clients.parse_metadata({"grant_types": ["client_credentials"]}, development=False)
    await clients.register(tenant, "Board", machine, client_id="board")
    await clients.change(tenant, "board", {}, name="Bo", **CHANGES)


async def test_what_is_claimed_while_hands_change_it_is_as_one_of_them_left_it(house):
    tenant = house.tenant
    await put(tenant, WHOLE)
    answers = await asyncio.gather(
        *(clients.change(tenant, "board", {}, name=f"B{n}", **CHANGES) for n in range(4)),
        put(tenant, WHOLE, own=True),
        return_exceptions=True,
    )
    assert not isinstance(answers[4], Exception)
    assert all(isinstance(each, OwnedByGit | Changed) for each in answers[:4])
    assert paths(await put(tenant, WHOLE, dry_run=True)) == []  # nobody was later than the claim


@pytest.mark.spec("features BEY-12")
async def test_of_two_releases_of_one_object_at_once_one_is_told_that_nobody_owns_it(
    house, database
):
    tenant = house.tenant
    await put(tenant, WHOLE, own=True)
    place = Place("clients", "board")

    async def release(name):
        async with tenant.transaction() as db:
            await objects.release(db, place, f"{name} asked", Actor("admin", name))

    with psycopg.connect(database.superuser, autocommit=True) as behind:
        answers = await at_once(behind, tenant.id, release("ada"), release("bea"))

    (refusal,) = [each for each in answers if each is not None]
    assert isinstance(refusal, InvalidSetting)
    assert (refusal.description, refusal.field) == ("No documents own this", "clients/board")
    winner = ("ada", "bea")[answers.index(None)]
    async with tenant.transaction() as db:
        given = (await objects.every(db))[place].released
        told = [line for line in await audit.newest(db) if "released" in line.metadata]
    assert (given.by["id"], given.reason) == (winner, f"{winner} asked")
    assert [(line.actor_id, line.metadata["reason"]) for line in told] == [(winner, given.reason)]
