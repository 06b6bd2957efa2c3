"""What a client would be told of a person is shown without issuing anything."""

import pytest
from people import CALLBACK

from insula.accounts import service as accounts
from insula.accounts.errors import NoSuchUser
from insula.clients import service as clients
from insula.clients.errors import NoSuchClient
from insula.kernel.errors import Invalid
from insula.resource_servers import claims, scopes, servers
from insula.resource_servers.preview import preview

API, OTHER = "https://api.example", "urn:example:ledger"


@pytest.fixture
async def acme(house):
    """Two APIs, a scope that stands for a claim, and somebody of whom something is known."""
    await servers.add(house.tenant, API, "Reports")
    await servers.add(house.tenant, OTHER, "Ledger")
    await scopes.add(house.tenant, "reports:read", resource_server=API)
    await scopes.add(house.tenant, "ledger:read", resource_server=OTHER)
    await claims.map_claim(house.tenant, "department", "dept")
    await scopes.add(house.tenant, "work", claims=["department"])
    async with house.tenant.transaction() as db:
        await accounts.set_attributes(
            db, house.person.id, {"dept": "Engines", "birthdate": "1815-12-10"}
        )
    return house


async def client(acme, **values):
    made = await clients.register(
        acme.tenant,
        "App",
        clients.parse_metadata({"redirect_uris": [CALLBACK], **values}, development=False),
    )
    return made.client_id


@pytest.mark.spec("OIDCC-5.4", "UI-2", "UI-6")
async def test_claims_of_scopes_go_to_userinfo(acme):
    app = await client(acme, scopes=["openid", "email", "work"])
    shown = await preview(acme.tenant, app, "ada")
    assert shown.scopes == ("openid", "email", "work")
    assert shown.id_token == {"sub": str(acme.person.id)}
    assert shown.userinfo == {
        "sub": str(acme.person.id),
        "email": acme.person.email,
        "email_verified": True,
        "department": "Engines",
    }
    (token,) = shown.access_tokens
    assert token.audience == (acme.tenant.issuer,)
    assert token.claims["scope"] == "openid email work"
    assert not {"email", "department"} & set(token.claims)


async def test_claims_go_to_the_id_token_of_a_client_that_wants_them_there(acme):
    app = await client(acme, scopes=["openid", "work"], claims_in_id_token=True)
    shown = await preview(acme.tenant, app, acme.person.email)
    assert shown.id_token == {"sub": str(acme.person.id), "department": "Engines"}


async def test_fewer_scopes_tell_less(acme):
    app = await client(acme, scopes=["openid", "email", "work"])
    shown = await preview(acme.tenant, app, "ada", ["openid"])
    assert shown.userinfo == {"sub": str(acme.person.id)}
    assert (await preview(acme.tenant, app, "ada", ["email"])).userinfo is None
    assert (await preview(acme.tenant, app, "ada", ["email"])).id_token is None


@pytest.mark.spec("RS-4", "RS-5")
async def test_every_api_has_a_token_of_its_own_with_its_own_scopes(acme):
    app = await client(
        acme, scopes=["openid", "reports:read", "ledger:read"], resources=[API, OTHER]
    )
    shown = await preview(acme.tenant, app, "ada")
    told = {token.audience: token.claims["scope"] for token in shown.access_tokens}
    assert told == {(API,): "reports:read", (OTHER,): "ledger:read"}
    assert shown.userinfo is None
    await servers.change(acme.tenant, API, {"with_userinfo": True, "token_format": "opaque"})
    shown = await preview(acme.tenant, app, "ada", ["openid", "reports:read"])
    (token,) = shown.access_tokens
    assert (token.audience, token.token_format) == ((API, acme.tenant.issuer), "opaque")
    assert shown.userinfo == {"sub": str(acme.person.id)}


@pytest.mark.spec("OIDCC-8.1")
async def test_a_pairwise_subject_is_not_given_away(acme):
    app = await client(acme, scopes=["openid", "email"], subject_type="pairwise")
    shown = await preview(acme.tenant, app, "ada")
    assert str(acme.person.id) not in str(shown)


async def test_scopes_that_the_client_would_be_refused_are_refused(acme):
    app = await client(acme, scopes=["openid", "reports:read"])
    for wanted in (["work"], ["made_up"], ["reports:read"]):
        with pytest.raises(Invalid) as refusal:
            await preview(acme.tenant, app, "ada", wanted)
        assert refusal.value.field == "scope"


async def test_nobody_and_nothing_are_not_found(acme):
    app = await client(acme)
    with pytest.raises(NoSuchUser):
        await preview(acme.tenant, app, "nobody")
    with pytest.raises(NoSuchClient):
        await preview(acme.tenant, "nothing", "ada")
