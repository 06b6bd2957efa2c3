"""A tenant's whole configuration as one document: read, applied whole, compared, taken back."""

import asyncio

import pytest

from insula.audit.models import Actor
from insula.clients import service as clients
from insula.config_overrides import service as config_overrides
from insula.config_overrides.models import etag
from insula.configuration.applying import Applying, apply
from insula.configuration.errors import DocumentChanged, InvalidDocument
from insula.configuration.models import parse_document
from insula.configuration.reading import read
from insula.kernel.errors import InsulaError, Invalid
from insula.platform.sections import CATALOGUE
from insula.providers.settings import TokenLifetimes
from insula.resource_servers import servers

ADA = Actor("admin", "ada")
WHOLE = {
    "settings": {"oidc.ttl": {"id_token": 300}},
    "claims": {"department": "department"},
    "apis": {
        "https://api.acme.example": {
            "name": "Reports",
            "settings": {"access_token_lifetime": 300},
            "scopes": {"reports:read": {"title": "Read reports"}},
        }
    },
    "scopes": {"work": {"title": "Your work", "claims": ["department"]}},
    "clients": {
        "nightly": {
            "name": "Nightly",
            "metadata": {
                "grant_types": ["client_credentials"],
                "scopes": ["reports:read"],
                "resources": ["https://api.acme.example"],
            },
        }
    },
}


API = "https://api.acme.example"
MACHINE = {"grant_types": ["client_credentials"]}


def bad(**metadata):
    """A good client, and one that is not."""
    good = {"name": "Good", "metadata": MACHINE}
    return {"good": good, "bad": {"name": "Bad", "metadata": {**MACHINE, **metadata}}}


def put(tenant, document, **how):
    how = Applying(ADA, **{"development": True, **how})
    return apply(tenant, CATALOGUE.of_tenants(), parse_document(document), how)


async def plain(tenant):
    return (await read(tenant)).plain()


@pytest.fixture
async def acme(house):
    """A tenant with nothing but what it was born with."""
    for app in ("web", "spa", "machine"):
        await clients.delete(house.tenant, getattr(house, app).client_id)
    return house.tenant


@pytest.mark.spec("features BEY-12")
async def test_a_document_makes_the_tenant_that_it_says_and_again_changes_nothing(acme):
    done = await put(acme, WHOLE)
    assert await plain(acme) == done.document.plain()
    assert set(done.secrets) == {"nightly"}
    assert {str(each) for each in done.differences} >= {
        "+ settings/oidc.ttl/id_token: 300",
        "+ claims/department: department",
        "+ apis/https://api.acme.example/scopes/reports:read/title: Read reports",
    }
    again = await put(acme, WHOLE)
    assert (again.differences, again.secrets) == ((), {})
    exported = await put(acme, await plain(acme))
    assert exported.differences == ()
    assert exported.etag == done.etag


async def test_what_a_document_has_no_more_is_taken_away_and_what_it_leaves_out_is_not(acme):
    await put(acme, WHOLE)
    done = await put(acme, {"clients": {}})
    assert (await plain(acme))["apis"] == done.document.plain()["apis"] != {}
    assert [each.path for each in done.differences if each.path.startswith("clients")]
    await put(acme, {"settings": {}, "claims": {}, "apis": {}, "scopes": {}})
    assert await plain(acme) == {
        "settings": {}, "claims": {}, "apis": {}, "scopes": {}, "clients": {},
    }  # fmt: skip


@pytest.mark.spec("features BEY-12")
@pytest.mark.parametrize(
    ("mistake", "place"),
    [
        ({"settings": {"oidc.ttl": {"id_token": 1}}}, "oidc.ttl.id_token"),
        ({"settings": {"made.up": {}}}, "made.up"),
        ({"apis": {"not a uri": {"name": "X"}}}, "apis/not a uri/identifier"),
        ({"apis": {API: {"name": ""}}}, f"apis/{API}/name"),
        (
            {"apis": {API: {"name": "X", "settings": {"signing_alg": "none"}}}},
            f"apis/{API}/signing_alg",
        ),
        (
            {"apis": {API: {"name": "X", "scopes": {"openid": {}}}}},
            f"apis/{API}/scopes/openid/scope",
        ),
        ({"claims": {"sub": "department"}}, "claims/sub/claim"),
        ({"scopes": {"openid": {}}}, "scopes/openid/scope"),
        ({"scopes": {"work": {"claims": ["unmapped"]}}}, "scopes/work/claims"),
        ({"clients": bad(redirect_uris=["javascript:x"])}, "clients/bad/redirect_uris"),
        ({"clients": bad(resources=["https://nobody.example"])}, "clients/bad/resources"),
        ({"clients": {"bad": {"name": "", "metadata": MACHINE}}}, "clients/bad/client_name"),
    ],
)
async def test_a_document_with_one_mistake_changes_nothing_at_all_and_its_place_is_told(
    acme, mistake, place
):
    before = await plain(acme)
    with pytest.raises(Invalid) as refusal:
        await put(acme, {**WHOLE, **mistake})
    assert refusal.value.field == place
    assert await plain(acme) == before


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({"made_up": {}}, "made_up"),
        ({"clients": {"web": {"name": "Web", "secret": "s"}}}, "clients/web/secret"),
        ({"settings": {"oidc.ttl": 3}}, "settings/oidc.ttl"),
        ([], ""),
    ],
)
def test_what_is_no_document_is_named(document, place):
    with pytest.raises(InvalidDocument) as refusal:
        parse_document(document)
    assert refusal.value.field == place


async def test_a_dry_run_says_what_would_happen_and_nothing_does(acme):
    before = await plain(acme)
    dry = await put(acme, WHOLE, dry_run=True)
    assert await plain(acme) == before
    assert dry.secrets == {}
    assert dry.differences == (await put(acme, WHOLE)).differences


@pytest.mark.spec("features BEY-12", "features CR-4")
async def test_of_two_documents_for_the_same_state_one_is_applied(acme):
    read_at = etag(await plain(acme))
    results = await asyncio.gather(
        *(
            put(acme, {"settings": {"oidc.ttl": {"id_token": 300 + n}}}, expected=read_at)
            for n in range(4)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, DocumentChanged) for result in results) == 3


async def test_a_document_moves_clients_off_what_it_takes_away(acme):
    await put(acme, WHOLE)
    moved = {
        **WHOLE,
        "apis": {},
        "clients": {
            "nightly": {"name": "Nightly", "metadata": {"grant_types": ["client_credentials"],
                                                        "scopes": []}},
        },
    }  # fmt: skip
    await put(acme, moved)
    assert await servers.list_servers(acme) == []
    await put(acme, WHOLE)
    with pytest.raises(InsulaError):  # the client that uses it is not in this document
        await put(acme, {"apis": {}})


async def test_a_tenants_document_is_its_own(two_houses):
    a, b = two_houses
    before = await plain(b.tenant)
    await put(a.tenant, {"settings": {"oidc.ttl": {"id_token": 300}}, "clients": {}})
    assert await plain(b.tenant) == before
    layers = await config_overrides.load(b.tenant)
    assert config_overrides.resolve(TokenLifetimes, layers).id_token == 600
