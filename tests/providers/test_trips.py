"""How often a request goes to the database: the budget of the architecture, over HTTP."""

import base64
import secrets

import httpx2
import pytest
from spine import FAST, GRANTS, OFFLINE, Api, code_of, metric, signed_in, tokens_of, until

from insula.config_overrides import service as config_overrides
from insula.providers.settings import RefreshRules

PAIR = pytest.mark.parametrize("form", ["jwt", "opaque"])


@pytest.fixture
def trips(product):
    """Do something and say how many trips its requests made."""

    def count(act):
        before = metric(product.server, "insula_database_trips_total")
        answer = act()
        return answer, metric(product.server, "insula_database_trips_total") - before

    return count


@pytest.fixture
def warmed(trips):
    """Ask until tenant, provider and client are in memory: news of a change may be on its way."""

    def warmed(api):
        until(20, lambda: [trips(api.own_token)[1] for _ in range(3)] == [1, 1, 1])
        return api

    return warmed


@pytest.fixture
def warm(warmed, api):
    return warmed(api)


def spends(trips, act, status):
    answer, n = trips(act)
    assert answer.status_code == status, answer.text
    return n


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/.well-known/openid-configuration", 200),
        ("/.well-known/oauth-authorization-server", 200),
        ("/oauth2/jwks", 200),
        ("/oauth2/nothing", 404),
        ("/nothing", 404),
    ],
)
def test_documents_and_what_is_not_there_take_none(warm, trips, path, status):
    assert spends(trips, lambda: warm.get(path), status) == 0


def test_names_that_are_no_tenants_are_remembered(product, trips):
    name = f"nobody-{secrets.token_hex(4)}"

    def ask():
        return httpx2.get(f"{product.server.url}/", headers={"host": product.server.host(name)})

    first = spends(trips, ask, 404)

    assert first <= 2  # by slug, then as somebody's custom domain
    # news of tenants that tests before this one changed makes a process ask again, each of it once
    until(10, lambda: spends(trips, ask, 404) == 0)


@PAIR
def test_a_whole_sign_on_keeps_within_the_budget(product, trips, warmed, ada, form):
    app = product.app(
        "acme",
        access_token_format=form,
        grant_types=GRANTS,
        **FAST,
    )
    api = warmed(Api(product, "acme", app))

    url = product.authorize_url("acme", app, scope=OFFLINE)
    answer, n = trips(lambda: ada.get(url))
    assert (answer.status_code, n <= 2) == (303, True), n

    code = code_of(product, "acme", app, ada, scope=OFFLINE)
    tokens, n = trips(lambda: api.redeem(code))
    assert (tokens.status_code, n <= 2) == (200, True), n

    refreshed, n = trips(lambda: api.refresh(tokens.json()["refresh_token"]))
    assert (refreshed.status_code, n <= 2) == (200, True), n
    access = refreshed.json()["access_token"]

    assert spends(trips, lambda: api.userinfo(access), 200) == 1
    assert spends(trips, lambda: api.introspect(access), 200) == 1
    assert spends(trips, lambda: api.introspect(refreshed.json()["refresh_token"]), 200) == 1
    assert spends(trips, api.own_token, 200) == 1


def test_a_refresh_that_does_not_rotate_keeps_within_it_too(product, trips, warmed):
    slug = f"still-{secrets.token_hex(4)}"
    product.tenant(slug)

    async def decide(here):
        await config_overrides.change(await here.tenant(slug), RefreshRules, {"rotation": False})

    product.backstage.run(decide)
    app = product.app(slug, rotate_refresh_tokens=False, grant_types=GRANTS, **FAST)
    api = warmed(Api(product, slug, app))
    with signed_in(product, slug, app) as browser:
        token = tokens_of(product, slug, app, browser)["refresh_token"]

    assert spends(trips, lambda: api.refresh(token), 200) <= 2


def test_a_forged_token_costs_nothing(warm, trips):
    body = base64.urlsafe_b64encode(b'{"alg":"ES256","typ":"at+jwt"}').decode().rstrip("=")
    forged = f"{body}.{body}.{'A' * 86}"

    assert spends(trips, lambda: warm.userinfo(forged), 401) == 0
    assert spends(trips, lambda: warm.introspect(forged), 200) == 0


def test_a_cold_tenant_costs_three_queries_at_most(product, trips):
    slug = f"cold-{secrets.token_hex(4)}"
    product.tenant(slug)
    builds = metric(product.server, "provider_pool_builds_total")
    api = Api(product, slug, product.app(slug))

    n = spends(trips, lambda: api.get("/oauth2/jwks"), 200)

    assert n <= 3
    assert metric(product.server, "provider_pool_builds_total") == builds + 1
    assert spends(trips, lambda: api.get("/oauth2/jwks"), 200) == 0


@pytest.mark.usefixtures("warm")
def test_an_unknown_client_is_asked_for_once(product, trips):
    unknown = product.app("globex")  # known elsewhere, and nobody here

    def ask():
        return Api(product, "acme", unknown).get(
            "/oauth2/authorize", params={"client_id": unknown.client_id}
        )

    assert spends(trips, ask, 400) == 1
    assert spends(trips, ask, 400) == 0
