"""Scopes of OpenID Connect that a tenant takes away: unknown from then on, and nothing is told."""

import secrets

import pytest
from registrar import MINIMAL, Registrar
from spine import FAST, Api, code_of, signed_in, tokens_of, until
from televisions import make_tv

from insula.config_overrides import service as config_overrides
from insula.config_overrides.errors import InvalidSetting
from insula.oidc.features.scopes import STANDARD
from insula.providers.settings import ProtocolFeatures
from insula.resource_servers.catalogue import read_catalogue
from insula.resource_servers.preview import preview
from insula.resource_servers.settings import OfferedScopes

ALL = "openid profile email phone offline_access"
LEFT = {"supported_scopes": ["openid", "phone", "profile"]}


class Place:
    """A tenant with somebody signed in to an application that was given every scope."""

    def __init__(self, product, **app):
        self.slug = f"sco{secrets.token_hex(5)}"
        product.tenant(self.slug)
        self.product = product
        self.decide(ProtocolFeatures, {"registration": "open"})
        self.app = product.app(self.slug, scopes=tuple(ALL.split()), **FAST, **app)
        self.tv = make_tv(product, self.slug, scopes=("openid", "email", "offline_access"))
        self.registered = self.register(scope="openid email").json()
        self.person = product.person(self.slug)
        self.browser = signed_in(product, self.slug, self.app, self.person)
        self.api = Api(product, self.slug, self.app)
        self.tokens = tokens_of(product, self.slug, self.app, self.browser, ALL)

    def decide(self, section, values):
        async def act(here):
            await config_overrides.change(await here.tenant(self.slug), section, values)

        self.product.backstage.run(act)

    def metadata(self):
        return self.api.get("/.well-known/openid-configuration").json()

    def ask(self, scope):
        url = self.product.authorize_url(self.slug, self.app, scope=scope)
        return self.browser.open(url)

    def register(self, **members):
        with Registrar(self.product, self.slug, self.product.server.port).http as http:
            return http.post("/oauth2/register", json={**MINIMAL, **members})

    def manage(self, method, members=None):
        token = self.registered["registration_access_token"]
        path = f"/oauth2/register/{self.registered['client_id']}"
        with Registrar(self.product, self.slug, self.product.server.port).http as http:
            headers = {"authorization": f"Bearer {token}"}
            return http.request(method, path, json=members, headers=headers)


@pytest.fixture(scope="module")
def here(product):
    place = Place(product, default_scopes=("openid", "email"))
    place.decide(OfferedScopes, LEFT)
    until(10, lambda: "email" not in place.metadata()["scopes_supported"])
    yield place
    place.browser.__exit__(None, None, None)


@pytest.fixture(scope="module")
def elsewhere(product):
    place = Place(product)
    yield place
    place.browser.__exit__(None, None, None)


@pytest.mark.spec("features C04")
def test_metadata_and_tokens_of_before_know_it_no_more_and_a_neighbours_still_do(here, elsewhere):
    assert here.metadata()["scopes_supported"] == ["openid", "profile", "phone"]
    assert "email" not in here.metadata()["claims_supported"]
    assert set(STANDARD) == set(elsewhere.metadata()["scopes_supported"])

    for place, scope in ((here, "openid profile phone"), (elsewhere, ALL)):
        told = place.api.userinfo(place.tokens["access_token"]).json()
        assert ("email" in told) == ("email" in scope)
        assert told["name"] == "Ada Lovelace"
        refreshed = place.api.refresh(place.tokens["refresh_token"]).json()
        assert set(refreshed["scope"].split()) == set(scope.split())
        told = place.api.userinfo(refreshed["access_token"]).json()
        assert ("email" in told) == ("email" in scope)
        again = place.api.refresh(refreshed["refresh_token"], scope=ALL).json()  # as granted
        assert set(again["scope"].split()) == set(scope.split())
        alone = place.api.refresh(again["refresh_token"], scope="email")
        assert alone.status_code == (200 if place is elsewhere else 400), alone.text
        place.tokens = again


@pytest.mark.spec("features C04")
def test_whoever_asks_for_it_is_answered_as_for_a_scope_that_nobody_knows(here, elsewhere):
    for place, left in ((here, "openid"), (elsewhere, "openid email")):
        code = code_of(place.product, place.slug, place.app, place.browser, scope="openid email")
        assert place.api.redeem(code).json()["scope"] == left
        alone = place.ask("email")
        assert ("error" in alone.answer) == (place is here)
        device = Api(place.product, place.slug, place.tv).post(
            "/oauth2/device", scope="openid email"
        )
        assert device.json().get("error") == ("invalid_scope" if place is here else None)
        asked = place.register(scope="openid email")
        assert asked.status_code == (400 if place is here else 201), asked.text
        usual = place.register().json()["scope"].split()
        assert set(usual) == ({"openid", "profile", "phone"} if place is here else set(STANDARD))
        stays = Api(place.product, place.slug, place.tv).post(
            "/oauth2/device", scope="openid offline_access"
        )
        assert stays.status_code == 200, stays.text  # it counts or is dropped, as ever
    assert here.ask("email").answer["error"] == "invalid_scope"
    assert here.api.redeem(here.ask(None).code).json()["scope"] == "openid"  # of its default
    without = here.api.redeem(here.ask("openid offline_access").code).json()
    assert (without["scope"], "refresh_token" in without) == ("openid", False)

    async def look(cli):
        tenant = await cli.tenant(here.slug)
        return await preview(tenant, here.app.client_id, here.person.username)

    shown = here.product.backstage.run(look)
    assert shown.scopes == ("openid", "profile", "phone")
    assert "email" not in shown.userinfo


@pytest.mark.spec("features C04", "DR-10", "DR-11")
def test_a_registered_client_may_write_back_what_it_reads(here):
    held = here.manage("GET").json()
    assert "email" in held["scope"].split()
    kept = {
        name: value
        for name, value in held.items()
        if name not in {"client_id_issued_at", "client_secret_expires_at"}
        and not name.startswith("registration_")
    }

    more = here.manage("PUT", {**kept, "scope": f"{held['scope']} address"})
    assert more.status_code == 400, more.text
    renamed = here.manage("PUT", {**kept, "client_name": "Renamed"})

    assert renamed.status_code == 200, renamed.text
    assert renamed.json()["scope"] == held["scope"]


@pytest.mark.spec("features C04")
def test_openid_stays_and_the_list_is_of_what_the_engine_knows(here):
    assert set(OfferedScopes().supported_scopes) == set(STANDARD)
    everything = read_catalogue([], [], [])
    assert everything.offering(STANDARD) is everything  # it costs nothing where nothing is missing
    for wrong in (["email"], [], ["openid", "openid"], ["openid", "groups"]):
        with pytest.raises(InvalidSetting) as refusal:
            here.decide(OfferedScopes, {"supported_scopes": wrong})
        assert refusal.value.field.startswith("oidc.scopes.supported_scopes")


@pytest.mark.spec("features C04")
def test_what_was_granted_with_offline_access_outlives_a_sign_out_still(here):
    here.browser.submit(here.browser.open(here.product.url(here.slug, "/sign-in/out")), "sign_out")
    assert here.api.refresh(here.tokens["refresh_token"]).status_code == 200
