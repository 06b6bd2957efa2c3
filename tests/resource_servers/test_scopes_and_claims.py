"""Scopes of a tenant's own, and the claims that they stand for."""

import pytest

from insula.audit import service as audit
from insula.clients import service as clients
from insula.oidc.features.scopes import STANDARD
from insula.resource_servers import claims, scopes, servers
from insula.resource_servers.catalogue import Catalogue, read_catalogue
from insula.resource_servers.errors import (
    InUse,
    InvalidResource,
    NameTaken,
    NoSuchMapping,
    NoSuchResourceServer,
    NoSuchScope,
)
from insula.resource_servers.models import check_mapping, check_scope_name

API = "https://api.example"


async def load(house):
    return await servers.load(house.tenant)


# --- scopes


@pytest.mark.spec("RFC6749-3.3")
@pytest.mark.parametrize(
    "name",
    [
        "", "a b", 'a"b', "a\\b", "\u00fc", "a\n", "x" * 201, *STANDARD,
        "insula:tenants:read", "INSULA:x",
    ],
)  # fmt: skip
def test_a_name_that_means_something_already_or_is_no_word_is_refused(name):
    with pytest.raises(InvalidResource) as refusal:
        check_scope_name(name)
    assert refusal.value.field == "scope"


@pytest.mark.spec("OIDCC-5.4", "UI-6")
async def test_a_scope_of_the_tenant_stands_for_claims(house):
    await claims.map_claim(house.tenant, "department", "dept")
    await scopes.add(
        house.tenant,
        "work",
        title="Your work",
        description="Where",
        claims=["department", "gender"],
    )
    told = await load(house)
    assert told.scopes == {**STANDARD, "work": ("department", "gender")}
    assert told.texts == {"work": ("Your work", "Where")}
    assert told.mappings == {"department": "dept"}


@pytest.mark.spec("RS-4")
async def test_a_scope_of_an_api_belongs_to_it_and_stands_for_no_claims(house):
    await servers.add(house.tenant, API, "Reports")
    with pytest.raises(InvalidResource) as refusal:
        await scopes.add(house.tenant, "read", resource_server=API, claims=["gender"])
    assert refusal.value.field == "claims"
    await scopes.add(house.tenant, "read", resource_server=API)
    with pytest.raises(InvalidResource):
        await scopes.change(house.tenant, "read", claims=["gender"])
    told = await load(house)
    assert told.resources[API].scopes == {"read"}
    assert told.scopes["read"] == ()
    with pytest.raises(NoSuchResourceServer):
        await scopes.add(house.tenant, "write", resource_server="https://other.example")


async def test_a_name_is_there_once_for_all_apis(house):
    await servers.add(house.tenant, API, "Reports")
    await scopes.add(house.tenant, "read")
    with pytest.raises(NameTaken):
        await scopes.add(house.tenant, "read", resource_server=API)


@pytest.mark.parametrize(
    "wanted", [["made_up"], ["sub"], ["gender", "gender"], ["iss"], ["name", "department"]]
)
async def test_a_claim_that_nobody_can_tell_is_refused(house, wanted):
    with pytest.raises(InvalidResource) as refusal:
        await scopes.add(house.tenant, "work", claims=wanted)
    assert refusal.value.field == "claims"


@pytest.mark.parametrize(
    "texts", [{"title": "x" * 121}, {"description": "x" * 301}, {"title": "a\nb"}]
)
async def test_a_text_that_does_not_fit_the_consent_page_is_refused(house, texts):
    with pytest.raises(InvalidResource) as refusal:
        await scopes.add(house.tenant, "work", **texts)
    assert refusal.value.field == next(iter(texts))


async def test_what_is_not_named_in_a_change_stays(house):
    await scopes.add(house.tenant, "work", title="Work", claims=["gender"])
    await scopes.change(house.tenant, "work", description="Where")
    assert (await load(house)).texts["work"] == ("Work", "Where")
    await scopes.change(house.tenant, "work", claims=[])
    assert (await load(house)).scopes["work"] == ()
    with pytest.raises(NoSuchScope):
        await scopes.change(house.tenant, "play", title="x")


async def test_a_client_that_has_a_scope_stands_in_the_way_and_loses_it_by_force(house):
    await scopes.add(house.tenant, "work")
    values = {"scopes": ["openid", "work"], "default_scopes": ["work"]}
    await clients.change(house.tenant, house.web.client_id, values, development=False)
    with pytest.raises(InUse, match=house.web.client_id):
        await scopes.remove(house.tenant, "work")
    assert await scopes.remove(house.tenant, "work", force=True) == [house.web.client_id]
    told = await clients.find(house.tenant, house.web.client_id)
    assert (told.scopes, told.default_scopes) == ({"openid"}, frozenset())
    with pytest.raises(NoSuchScope):
        await scopes.remove(house.tenant, "work")


# --- claims


@pytest.mark.parametrize(
    ("claim", "attribute", "field"),
    [
        *((claim, "dept", "claim") for claim in (
            "sub", "iss", "name", "email", "address", "scope", "act", "cnf", "nonce", "acr",
            "groups", "roles", "", "a b", "1a", "x" * 121, "\u00fc",
        )),
        *(("department", attribute, "attribute") for attribute in (
            "email", "nickname", "name", "address", "", "A", "a b", "x" * 64, "password",
        )),
    ],
)  # fmt: skip
def test_a_claim_or_attribute_with_a_meaning_of_its_own_is_refused(claim, attribute, field):
    with pytest.raises(InvalidResource) as refusal:
        check_mapping(claim, attribute)
    assert refusal.value.field == field


async def test_a_claim_tells_another_attribute_when_it_is_mapped_again(house):
    for attribute in ("dept", "team"):
        await claims.map_claim(house.tenant, "https://acme.example/dept", attribute)
    assert (await load(house)).mappings == {"https://acme.example/dept": "team"}
    (listed,) = await claims.list_mappings(house.tenant)
    assert (listed.claim, listed.attribute) == ("https://acme.example/dept", "team")


async def test_a_claim_that_a_scope_stands_for_stays_mapped(house):
    await claims.map_claim(house.tenant, "department", "dept")
    await scopes.add(house.tenant, "work", claims=["department"])
    with pytest.raises(InUse, match="work"):
        await claims.unmap(house.tenant, "department")
    await scopes.remove(house.tenant, "work")
    await claims.unmap(house.tenant, "department")
    assert (await load(house)) == Catalogue()
    with pytest.raises(NoSuchMapping):
        await claims.unmap(house.tenant, "department")


async def test_every_change_is_recorded_and_raises_the_version(house, houses):
    async def version():
        return (await houses.find(house.tenant.slug)).version

    versions = [await version()]
    for act in (
        lambda: claims.map_claim(house.tenant, "department", "dept"),
        lambda: scopes.add(house.tenant, "work"),
        lambda: scopes.change(house.tenant, "work", claims=["department"]),
        lambda: scopes.remove(house.tenant, "work"),
        lambda: claims.unmap(house.tenant, "department"),
    ):
        await act()
        versions.append(await version())
    assert versions == sorted(set(versions))
    async with house.tenant.transaction() as db:
        events = [row.event for row in await audit.newest(db, 5)]
    assert events == [
        "claim.unmapped", "scope.deleted", "scope.updated", "scope.created", "claim.mapped",
    ]  # fmt: skip


async def test_another_tenants_scopes_and_claims_are_unknown(two_houses):
    a, b = two_houses
    await claims.map_claim(a.tenant, "department", "dept")
    await scopes.add(a.tenant, "work", claims=["department"])
    assert await load(b) == Catalogue()
    with pytest.raises(InvalidResource):
        await scopes.add(b.tenant, "work", claims=["department"])


MADE = {"created_at": "2026-11-05T10:00:00.25+00:00"}


def test_rows_that_a_later_release_wrote_are_read():
    server = {"id": "1", "identifier": API, "name": "x", "settings": {"from_the_future": 1}, **MADE}
    scope = {
        "resource_server_id": "1", "name": "read", "title": "", "description": "", "claims": None,
        **MADE,
    }  # fmt: skip
    told = read_catalogue([server], [scope], [])
    assert told.resources[API].scopes == {"read"}
    assert told.scopes["read"] == ()


def test_an_api_that_only_another_release_understands_is_left_out_alone():
    rows = [
        {
            "id": "1",
            "identifier": API,
            "name": "x",
            "settings": {"token_format": "from_the_future"},
            **MADE,
        },
        {"id": "2", "identifier": "urn:example:ledger", "name": "y", "settings": {}, **MADE},
    ]
    texts = {"title": "", "description": "", "claims": [], **MADE}
    own = [{"resource_server_id": id, "name": f"read{id}", **texts} for id in ("1", "2")]  # noqa: A001
    told = read_catalogue(rows, own, [])
    assert set(told.resources) == {"urn:example:ledger"}
    assert set(told.scopes) - set(STANDARD) == {"read2"}
