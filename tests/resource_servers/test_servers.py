"""The APIs of a tenant: which may be known, how they change, and who stands in the way."""

import asyncio

import pytest
from people import CALLBACK

from insula.audit import service as audit
from insula.clients import service as clients
from insula.clients.errors import InvalidClientMetadata
from insula.clients.models import TOKEN_EXCHANGE
from insula.resource_servers import scopes, servers
from insula.resource_servers.errors import (
    InUse,
    InvalidResource,
    NameTaken,
    NoSuchResourceServer,
)
from insula.resource_servers.models import ServerSettings, check_identifier, parse_settings

API, OTHER = "https://api.example", "urn:example:ledger"
ISSUER = "https://acme.auth.example"


def app(**values):
    return clients.parse_metadata({"redirect_uris": [CALLBACK], **values}, development=False)


async def version(houses, house):
    return (await houses.find(house.tenant.slug)).version


@pytest.mark.spec("RFC8707-2", "RS-1")
@pytest.mark.parametrize(
    "identifier",
    [
        "https://api.example", "https://api.example/v1?x=y", "https://api.example:8443/",
        "urn:example:api", "urn:ietf:params:oauth:x", "https://auth.example",
    ],
)  # fmt: skip
def test_an_api_goes_by_an_absolute_uri(identifier):
    check_identifier(identifier, ISSUER)


@pytest.mark.spec("RFC8707-2", "RS-1")
@pytest.mark.parametrize(
    "identifier",
    [
        "", "api", "/api", "//api.example", "https://", "https:api", "https://api.example#x",
        "https://api.example#", "urn:x", "urn:example:api#x", "urn:example:a b", "ftp://api.example",
        "http://api.example", "javascript:alert(1)", "https://u@api.example", "https://*.example",
        "https://api.example/ x", "https://b\u00fccher.example", "https://[::1", "https://a:x/",
        "https://api.example/" + "x" * 500, ISSUER, ISSUER + "/", ISSUER + "/api/v1",
        "https://ACME.auth.example", "https://acme.auth.example:443",
    ],
)  # fmt: skip
def test_what_is_no_such_uri_or_the_issuers_own_is_refused(identifier):
    with pytest.raises(InvalidResource) as refusal:
        check_identifier(identifier, ISSUER)
    assert refusal.value.field == "identifier"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"access_token_lifetime": 59}, "access_token_lifetime"),
        ({"access_token_lifetime": 3601}, "access_token_lifetime"),
        ({"token_format": "saml"}, "token_format"),
        ({"signing_alg": "none"}, "signing_alg"),
        ({"signing_alg": "HS256"}, "signing_alg"),
        ({"max_age": -1}, "max_age"),
        ({"required_acr": "a b"}, "required_acr"),
        ({"made_up": 1}, "made_up"),
    ],
)
def test_settings_that_are_not_offered_are_refused_by_name(values, field):
    with pytest.raises(InvalidResource) as refusal:
        parse_settings(values)
    assert refusal.value.field == field


async def test_the_engine_is_told_of_an_api_with_its_scopes(house):
    settings = {
        "token_format": "opaque",
        "access_token_lifetime": 120,
        "with_userinfo": True,
        "introspection_clients": [house.machine.client_id],
        "max_age": 60,
    }
    await servers.add(house.tenant, API, "Reports", parse_settings(settings))
    await scopes.add(house.tenant, "reports:read", resource_server=API, title="Read reports")
    told = (await servers.load(house.tenant)).resources[API]
    assert (told.identifier, told.name, told.scopes) == (API, "Reports", {"reports:read"})
    assert (told.token_format, told.access_token_lifetime, told.max_age) == ("opaque", 120, 60)
    assert told.introspection_clients == {house.machine.client_id}
    assert told.with_userinfo


async def test_an_api_of_another_tenant_is_unknown(two_houses):
    a, b = (house.tenant for house in two_houses)
    await servers.add(a, API, "Reports")
    assert (await servers.load(b)).resources == {}
    for act in (servers.change(b, API, {}), servers.delete(b, API, force=True)):
        with pytest.raises(NoSuchResourceServer):
            await act
    await servers.add(b, API, "Theirs")
    assert (await servers.load(a)).resources[API].name == "Reports"


async def test_an_identifier_is_there_once(house):
    await servers.add(house.tenant, API, "Reports")
    with pytest.raises(NameTaken):
        await servers.add(house.tenant, API, "Again")


async def test_keys_and_clients_that_are_not_there_are_refused(house):
    for values, field in (
        ({"signing_alg": "EdDSA"}, "signing_alg"),
        ({"introspection_clients": ["nobody"]}, "introspection_clients"),
    ):
        with pytest.raises(InvalidResource) as refusal:
            await servers.add(house.tenant, API, "Reports", ServerSettings(**values))
        assert refusal.value.field == field


async def test_a_change_keeps_the_rest_is_recorded_and_raises_the_version(house, houses):
    await servers.add(house.tenant, API, "Reports", ServerSettings(max_age=60))
    before = await version(houses, house)
    await servers.change(house.tenant, API, {"token_format": "opaque"}, name="Ledger")
    assert await version(houses, house) > before
    told = (await servers.load(house.tenant)).resources[API]
    assert (told.name, told.token_format, told.max_age) == ("Ledger", "opaque", 60)
    async with house.tenant.transaction() as db:
        (last,) = await audit.newest(db, 1)
    assert (last.event, last.target_id) == ("resource_server.updated", API)
    assert last.metadata == {"changed": ["name", "token_format"]}


@pytest.mark.parametrize(
    "values",
    [
        {"resources": [API]},
        {"default_resource": API},
        {"scopes": ["openid", "sales:read"]},
        {"grant_types": [TOKEN_EXCHANGE], "exchange_policies": [{"to_audience": API}]},
        {
            "grant_types": [TOKEN_EXCHANGE],
            "exchange_policies": [{"to_audience": OTHER, "from_audience": API}],
        },
    ],
)
async def test_a_client_that_uses_it_stands_in_the_way_and_loses_it_by_force(house, values):
    await servers.add(house.tenant, API, "Reports")
    await servers.add(house.tenant, OTHER, "Ledger")
    await scopes.add(house.tenant, "sales:read", resource_server=API)
    await clients.register(house.tenant, "App", app(**values), client_id="app")

    with pytest.raises(InUse, match="app"):
        await servers.delete(house.tenant, API)
    assert await servers.delete(house.tenant, API, force=True) == ["app"]

    assert set((await servers.load(house.tenant)).resources) == {OTHER}
    assert "sales:read" not in (await servers.load(house.tenant)).scopes
    told = await clients.find(house.tenant, "app")
    assert (told.resources, told.default_resource) == (frozenset(), "")
    assert told.exchange_policies == ()
    assert "sales:read" not in told.scopes
    await clients.change(house.tenant, "app", {"consent": "skip"}, development=False)


async def test_nobody_uses_what_is_taken_away_at_the_same_moment(house):
    """Whichever wins: a client never keeps what is gone, and nobody waits for ever."""
    await clients.register(house.tenant, "App", app(), client_id="app")
    for _ in range(5):
        await servers.add(house.tenant, API, "Reports")
        change = clients.change(house.tenant, "app", {"resources": [API]}, development=False)
        results = await asyncio.gather(
            change, servers.delete(house.tenant, API, force=True), return_exceptions=True
        )
        assert not [r for r in results if isinstance(r, Exception)] or isinstance(
            results[0], InvalidClientMetadata
        )
        assert (await clients.find(house.tenant, "app")).resources == frozenset()


async def test_apis_are_listed_by_identifier_with_their_scopes(house):
    for identifier in (OTHER, API):
        await servers.add(house.tenant, identifier, "x")
    await scopes.add(house.tenant, "b", resource_server=API)
    await scopes.add(house.tenant, "a", resource_server=API)
    listed = await servers.list_servers(house.tenant)
    assert [(row.identifier, row.scopes) for row in listed] == [(API, ["a", "b"]), (OTHER, [])]
