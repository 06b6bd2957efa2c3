"""APIs of a tenant in the running product: made, used, changed and gone, on every process."""

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass

import httpx2
import jwt as pyjwt
import pytest
from browsing import Browser
from product import CALLBACK
from spine import FAST, GRANTS, Api, code_of, signed_in, tokens_of, until

from insula.clients import service as clients
from insula.config_overrides import service as config_overrides
from insula.providers.settings import ProtocolFeatures
from insula.resource_servers import scopes, servers
from insula.resource_servers.errors import NoSuchScope
from insula.resource_servers.models import parse_settings

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
#: All processes know of a change after this many seconds at the latest (DI-4).
SOON = 5
#: Enough connections to meet each of four processes.
MANY = 24


@dataclass
class Made:
    """An API, its scope, and the client that answers for it."""

    identifier: str
    scope: str
    keeper: object


def make_api(product, slug="acme", *, identifier=None, **settings):
    keeper = product.app(slug, grant_types=("client_credentials",), redirect_uris=())
    name = secrets.token_hex(4)
    made = Made(identifier or f"https://{name}.example", f"{name}:read", keeper)
    settings = {"introspection_clients": (keeper.client_id,), **settings}

    async def make(here):
        tenant = await here.tenant(slug)
        await servers.add(tenant, made.identifier, name, parse_settings(settings))
        await scopes.add(tenant, made.scope, resource_server=made.identifier)

    product.backstage.run(make)
    return made


def app_for(product, *apis, slug="acme", **metadata):
    return product.app(
        slug,
        **{
            "grant_types": GRANTS,
            "scopes": ("openid", "profile", "offline_access", *(api.scope for api in apis)),
            "resources": tuple(api.identifier for api in apis),
            **FAST,
            **metadata,
        },
    )


@pytest.fixture(scope="module")
def made(product):
    return make_api(product)


@pytest.fixture(scope="module")
def own(product, made):
    """An application that uses the API."""
    return app_for(product, made)


@pytest.fixture(scope="module")
def browser(product, own):
    with signed_in(product, "acme", own) as browser:
        yield browser


async def everywhere(product, server, slug, method, path, **request):
    """The answers of many processes, each over a connection of its own."""
    limits = httpx2.Limits(max_connections=MANY, max_keepalive_connections=0)
    async with httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{server.port}",
        headers={"host": product.server.host(slug)},
        limits=limits,
        timeout=60,
    ) as http:
        return await asyncio.gather(*(http.request(method, path, **request) for _ in range(MANY)))


@pytest.mark.spec("RFC9068-4", "RFC9068-2.2", "RS-6")
def test_an_api_reads_its_token_with_nothing_but_the_published_keys(product, made, own, browser):
    answer = Api(product, "acme", own).redeem(
        code_of(product, "acme", own, browser, scope=f"openid {made.scope}")
    )
    token = answer.json()["access_token"]

    jwks = pyjwt.PyJWKSet.from_dict(Api(product, "acme", own).get("/oauth2/jwks").json())
    header = pyjwt.get_unverified_header(token)
    (key,) = [key for key in jwks.keys if key.key_id == header["kid"]]
    says = pyjwt.decode(
        token, key, algorithms=["ES256"], audience=made.identifier, issuer=product.issuer("acme")
    )

    assert header["typ"] == "at+jwt"
    assert (says["client_id"], says["scope"]) == (own.client_id, made.scope)
    assert not {"name", "email", "preferred_username"} & says.keys()
    with pytest.raises(pyjwt.InvalidAudienceError):
        pyjwt.decode(token, key, algorithms=["ES256"], audience=product.issuer("acme"))


@pytest.mark.spec("RFC7662-2.1", "RFC7662-2.2", "IN-1", "IN-3", "RS-8")
def test_whoever_keeps_the_api_may_ask_about_its_tokens_alone(product, made, own, browser):
    own_api, keeper = Api(product, "acme", own), Api(product, "acme", made.keeper)
    scope = f"openid {made.scope}"
    token = own_api.redeem(code_of(product, "acme", own, browser, scope=scope)).json()
    plain = tokens_of(product, "acme", own, browser, scope="openid")

    said = keeper.introspect(token["access_token"]).json()

    assert (said["active"], said["aud"], said["scope"]) == (True, made.identifier, made.scope)
    assert keeper.introspect(plain["access_token"]).json() == {"active": False}
    assert own_api.userinfo(token["access_token"]).status_code == 401
    assert own_api.revoke(token["access_token"]).status_code == 200
    assert keeper.introspect(token["access_token"]).json() == {"active": False}


@pytest.mark.spec("RFC7662-2.2", "RS-6")
def test_an_api_may_take_tokens_that_only_we_can_read(product):
    made = make_api(product, token_format="opaque", introspection_username=True)  # noqa: S106
    own = app_for(product, made)
    person = product.person("acme")
    with signed_in(product, "acme", own, person) as browser:
        answer = tokens_of(product, "acme", own, browser, scope=f"openid {made.scope}")

    said = Api(product, "acme", made.keeper).introspect(answer["access_token"]).json()

    assert answer["access_token"].startswith("ins_at_")
    assert (said["aud"], said["username"]) == (made.identifier, person.username)


@pytest.mark.spec("RFC8707-2", "RS-1")
def test_what_another_tenant_has_is_unknown(product, made):
    theirs = make_api(product, "globex")
    theirs_by_our_name = make_api(product, "globex", identifier=made.identifier)
    ours = Api(product, "acme", app_for(product, made))
    stranger = Api(product, "globex", app_for(product, theirs_by_our_name, slug="globex"))
    keeper = Api(product, "acme", made.keeper)

    answers = [
        ours.own_token(resource=name) for name in (theirs.identifier, "https://nowhere.example")
    ]
    token = stranger.own_token(resource=made.identifier).json()["access_token"]

    assert {(a.status_code, a.json()["error"]) for a in answers} == {(400, "invalid_target")}
    assert answers[0].content == answers[1].content
    assert ours.own_token(scope=theirs.scope).json()["error"] == "invalid_scope"
    assert keeper.introspect(token).json() == {"active": False}
    assert ours.own_token(resource=made.identifier).status_code == 200
    theirs_asking = Api(product, "acme", theirs.keeper).introspect(token)
    assert theirs_asking.json()["error"] == "invalid_client"


@pytest.fixture
def exchanging(product):
    """Switch the exchange of tokens on, which no tenant has by itself."""

    def decide(values):
        async def act(here):
            await config_overrides.change(await here.tenant("acme"), ProtocolFeatures, values)

        product.backstage.run(act)

    yield lambda: decide({"token_exchange": True})
    decide({"token_exchange": None})


@pytest.mark.spec("RFC8693-2.2.1", "TX-1", "TX-6")
def test_an_api_calls_another_one_for_the_person(product, made, own, browser, exchanging):
    second = make_api(product)
    policy = {
        "to_audience": second.identifier,
        "from_audience": made.identifier,
        "scopes": (second.scope,),
    }
    middle = product.app(
        "acme", grant_types=(EXCHANGE,), redirect_uris=(), exchange_policies=(policy,)
    )

    async def keep(here):
        tenant = await here.tenant("acme")
        clients = (made.keeper.client_id, middle.client_id)
        await servers.change(tenant, made.identifier, {"introspection_clients": clients})

    product.backstage.run(keep)
    answer = Api(product, "acme", own).redeem(
        code_of(product, "acme", own, browser, scope=f"openid {made.scope}")
    )
    token = answer.json()["access_token"]
    form = {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TOKEN,
    }
    here, keeper = Api(product, "acme", middle), Api(product, "acme", second.keeper)
    until(SOON, lambda: here.token(**form).json()["error"] == "unsupported_grant_type")
    exchanging()
    until(SOON, lambda: here.token(**form).status_code == 200)

    got = here.token(**form).json()
    said = keeper.introspect(got["access_token"]).json()

    assert (said["client_id"], said["aud"]) == (middle.client_id, second.identifier)
    assert said["act"] == {"sub": middle.client_id}
    assert said["sub"] == pyjwt.decode(token, options={"verify_signature": False})["sub"]
    (line, *_) = product.audit("acme", "oauth.token_issued", actor_id=middle.client_id)
    assert line.metadata["mode"] == "delegation"
    product.change(
        "update insula.clients set status = 'inactive' where client_id = %s", own.client_id
    )
    try:
        assert keeper.introspect(got["access_token"]).json() == {"active": False}
    finally:
        product.change(
            "update insula.clients set status = 'active' where client_id = %s", own.client_id
        )


@pytest.mark.spec("RFC8414-2", "DI-4", "RS-1", "RS-4")
async def test_an_api_is_known_to_all_processes_at_once_and_gone_from_all(product, four_workers):
    made = make_api(product)
    own = app_for(product, made)
    form = {"grant_type": "client_credentials", "scope": made.scope}

    async def statuses():
        answers = await everywhere(
            product, four_workers, "acme", "POST", "/oauth2/token",
            data=form, auth=(own.client_id, own.secret),
        )  # fmt: skip
        return {answer.status_code for answer in answers}

    await soon(statuses, {200})

    async def take_away(here):
        await servers.delete(await here.tenant("acme"), made.identifier, force=True)

    await asyncio.to_thread(product.backstage.run, take_away)

    await soon(statuses, {400})


async def soon(ask, expected):
    """Ask until all answer so, and then once more: none may fall back."""
    async with asyncio.timeout(SOON + 5):
        while await ask() != expected:  # noqa: ASYNC110  (other processes)
            await asyncio.sleep(0.05)
    assert await ask() == expected


@pytest.mark.spec("RS-1", "RS-2", "RT-3")
def test_a_refresh_token_brings_nothing_of_an_api_that_is_gone(product):
    made, stays = make_api(product), make_api(product)
    own = app_for(product, made, stays)
    here = Api(product, "acme", own)
    scope = f"openid offline_access {made.scope} {stays.scope}"
    with signed_in(product, "acme", own) as browser:
        code = code_of(product, "acme", own, browser, scope=scope)
    token = here.redeem(code, resource=made.identifier).json()["refresh_token"]

    async def take_away(here):
        await servers.delete(await here.tenant("acme"), made.identifier, force=True)

    product.backstage.run(take_away)
    until(SOON, lambda: here.own_token(resource=made.identifier).status_code == 400)

    assert here.refresh(token, resource=made.identifier).json()["error"] == "invalid_target"
    fresh = here.refresh(token).json()
    says = pyjwt.decode(fresh["access_token"], options={"verify_signature": False})
    assert (says["aud"], says["scope"]) == (stays.identifier, stays.scope)


def replaced(product, made, own):
    """Delete an API, and make another that has its names, which *own* may use as well."""

    async def act(here):
        tenant = await here.tenant("acme")
        await servers.delete(tenant, made.identifier, force=True)
        await servers.add(
            tenant, made.identifier, "The other", parse_settings({"access_token_lifetime": 61})
        )
        await scopes.add(tenant, made.scope, resource_server=made.identifier)
        then = {"scopes": own_scopes, "resources": resources}
        await clients.change(tenant, own.client_id, then, development=True)

    (row,) = product.rows("select metadata from insula.clients where client_id = %s", own.client_id)
    own_scopes, resources = row.metadata["scopes"], row.metadata["resources"]
    product.backstage.run(act)
    here = Api(product, "acme", own)
    until(SOON, lambda: here.own_token(resource=made.identifier).json().get("expires_in") == 61)


@pytest.mark.spec("RS-1", "RS-2", "RT-3", "RT-10")
def test_what_was_given_for_an_api_is_not_for_another_of_its_name(product):
    made, stays = make_api(product), make_api(product)
    own = app_for(product, made, stays, consent="ask")
    here, scope = Api(product, "acme", own), f"openid offline_access {made.scope} {stays.scope}"
    asking = {"scope": scope, "prompt": "consent"}
    browser = Browser()
    page = browser.open(product.authorize_url("acme", own, **asking))
    page = browser.sign_in(page, product.person("acme"))
    code = browser.submit(page, "allow").code
    first = here.redeem(code, resource=made.identifier).json()
    left = code_of(product, "acme", own, browser, scope=scope)

    replaced(product, made, own)

    assert here.refresh(first["refresh_token"], resource=made.identifier).json()["error"] == (
        "invalid_target"
    )
    fresh = here.refresh(first["refresh_token"], resource=stays.identifier).json()
    assert fresh["scope"] == stays.scope
    second = here.redeem(left, resource=stays.identifier).json()
    assert second["scope"] == stays.scope
    refused = here.refresh(second["refresh_token"], resource=made.identifier).json()
    assert refused["error"] == "invalid_target"

    # what is allowed now is asked anew, and what was allowed then does not come with it
    page = browser.open(product.authorize_url("acme", own, scope=f"openid {stays.scope} profile"))
    assert browser.submit(page, "allow").code
    page = browser.open(product.authorize_url("acme", own, scope=f"openid {made.scope}"))
    assert page.path == "/sign-in/consent"
    code = browser.submit(page, "allow").code
    assert here.redeem(code, resource=made.identifier).json()["scope"] == made.scope


@pytest.mark.spec("RFC6749-6", "RT-3")
def test_a_client_may_repeat_what_it_was_granted_and_gets_what_is_left_of_it(product):
    name = secrets.token_hex(4)

    async def made(here):
        tenant = await here.tenant("acme")
        if name in {scope.name for scope in await scopes.list_scopes(tenant)}:
            await scopes.remove(tenant, name, force=True)
        await scopes.add(tenant, name, claims=["email"])

    product.backstage.run(made)
    asked = ("openid", "offline_access", name)
    own = product.app("acme", grant_types=GRANTS, scopes=(*asked, "profile"), **FAST)
    here, scope = Api(product, "acme", own), " ".join(asked)
    with signed_in(product, "acme", own) as browser:
        token = here.redeem(code_of(product, "acme", own, browser, scope=scope)).json()
        assert set(token["scope"].split()) == set(asked)

    product.backstage.run(made)
    product.backstage.run(lambda there: _with_scopes(there, own.client_id, asked))
    # what is alive has lost it as well
    until(SOON, lambda: name not in here.introspect(token["access_token"]).json()["scope"])
    assert "email" not in here.userinfo(token["access_token"]).json()
    fresh = here.refresh(token["refresh_token"], scope=scope).json()
    assert set(fresh["scope"].split()) == {"openid", "offline_access"}


async def _with_scopes(here, client_id, asked):
    tenant = await here.tenant("acme")
    await clients.change(tenant, client_id, {"scopes": asked}, development=True)


@pytest.mark.spec("RS-2", "RS-4")
@pytest.mark.parametrize("form", ["jwt", "opaque"])
def test_a_living_token_tells_nothing_of_another_scope_of_the_same_name(product, form):
    word = f"s{secrets.token_hex(4)}"

    def made(claims):
        async def act(here):
            tenant = await here.tenant("acme")
            with suppress(NoSuchScope):
                await scopes.remove(tenant, word, force=True)
            await scopes.add(tenant, word, claims=claims)

        product.backstage.run(act)

    made(["gender"])
    scope = f"openid offline_access profile {word}"
    own = app_for(product, Made("", word, None), access_token_format=form, resources=())
    here, person = Api(product, "acme", own), product.person("acme")
    with signed_in(product, "acme", own, person) as browser:
        old = tokens_of(product, "acme", own, browser, scope=scope)
        assert word in here.introspect(old["access_token"]).json()["scope"].split()
        assert "email" not in here.userinfo(old["access_token"]).json()

        made(["email"])
        until(
            SOON,
            lambda: word not in here.introspect(old["access_token"]).json()["scope"].split(),
        )
        said = here.userinfo(old["access_token"]).json()
        assert ("preferred_username" in said, "email" in said) == (True, False)
        assert word not in here.introspect(old["refresh_token"]).json()["scope"].split()


@pytest.mark.spec("RS-2", "RT-3")
def test_where_nothing_is_left_of_what_was_meant_there_are_no_tokens(product):
    made = make_api(product)
    own = app_for(product, made)
    here, scope = Api(product, "acme", own), f"openid offline_access {made.scope}"
    with signed_in(product, "acme", own) as browser:
        token = here.redeem(code_of(product, "acme", own, browser, scope=scope)).json()

        replaced(product, made, own)

        assert here.refresh(token["refresh_token"]).json()["error"] == "invalid_grant"
        code = code_of(product, "acme", own, browser, scope=scope)
        assert made.scope in here.redeem(code).json()["scope"].split()


@pytest.mark.spec("RFC8414-2", "DI-4", "OIDCC-3.2.2.5", "FC-1")
async def test_a_switch_shows_and_refuses_at_once_on_all_processes(product, four_workers):
    slug = "switched"
    await asyncio.to_thread(product.tenant, slug)
    own = await asyncio.to_thread(
        lambda: product.app(
            slug,
            profile="legacy",
            grant_types=("implicit", "client_credentials"),
            response_types=("id_token", "id_token token"),
            **FAST,
        )
    )

    browser = Browser()

    async def switch(**values):
        async def change(here):
            tenant = await here.tenant(slug)
            await config_overrides.change(tenant, ProtocolFeatures, values)

        await asyncio.to_thread(product.backstage.run, change)

    async def listed():
        answers = await everywhere(
            product, four_workers, slug, "GET", "/.well-known/openid-configuration"
        )
        return {
            (
                "fragment" in said["response_modes_supported"],
                "client_credentials" in said["grant_types_supported"],
            )
            for said in (answer.json() for answer in answers)
        }

    async def errors():
        answers = await everywhere(
            product, four_workers, slug, "POST", "/oauth2/token",
            data={"grant_type": "client_credentials"}, auth=(own.client_id, own.secret),
        )  # fmt: skip
        return {answer.json().get("error") for answer in answers}

    await soon(listed, {(False, True)})
    assert await errors() == {None}
    await switch(front_channel_tokens=True, client_credentials=False)

    await soon(listed, {(True, False)})
    assert await errors() == {"unsupported_grant_type"}
    location = await asyncio.to_thread(by_front_channel, product, slug, own, browser)
    assert location.startswith(f"{CALLBACK}#")
    assert {"access_token", "id_token", "iss"} <= fields_behind(location)
    await switch(front_channel_tokens=False)

    await soon(listed, {(False, False)})
    refused = await asyncio.to_thread(by_front_channel, product, slug, own, browser)
    assert "error=unsupported_response_type" in refused
    assert "#" not in refused
    browser.close()


@pytest.mark.spec("features H02")
async def test_a_pause_reaches_all_processes_and_what_was_given_goes_on(product, four_workers):
    own = await asyncio.to_thread(lambda: product.app("acme", grant_types=GRANTS, **FAST))
    with await asyncio.to_thread(signed_in, product, "acme", own) as browser:
        given = await asyncio.to_thread(tokens_of, product, "acme", own, browser)

    async def set_to(status):
        async def change(here):
            tenant = await here.tenant("acme")
            await clients.change(tenant, own.client_id, {}, status=status, development=True)

        await asyncio.to_thread(product.backstage.run, change)

    async def asked(method, path, **request):
        answers = await everywhere(product, four_workers, "acme", method, path, **request)
        return {answer.status_code for answer in answers}

    async def own_tokens():
        form, auth = {"grant_type": "client_credentials"}, (own.client_id, own.secret)
        return await asked("POST", "/oauth2/token", data=form, auth=auth)

    async def userinfo():
        bearer = {"authorization": f"Bearer {given['access_token']}"}
        return await asked("GET", "/oauth2/userinfo", headers=bearer)

    await soon(own_tokens, {200})
    await set_to("paused")
    await soon(own_tokens, {400})
    assert await userinfo() == {200}
    refreshed = await asyncio.to_thread(
        lambda: Api(product, "acme", own).refresh(given["refresh_token"])
    )
    assert refreshed.status_code == 200
    await set_to("active")
    await soon(own_tokens, {200})


def by_front_channel(product, slug, own, browser):
    """Where the browser of somebody who signs in is sent with a request for tokens."""
    start = product.authorize_url(slug, own, response_type="id_token token", nonce="n")
    arrived = browser.open(start)
    if arrived.left is None:
        arrived = browser.sign_in(arrived, product.person(slug))
    assert arrived.left is not None, arrived.text
    return arrived.left


def fields_behind(location):
    return {pair.partition("=")[0] for pair in location.partition("#")[2].split("&")}
