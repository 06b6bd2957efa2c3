"""Profiles of applications: bounded by tenant and platform, previewed before one is changed."""

import secrets

import pytest
from callers import refusal
from spine import Api, code_of, signed_in, until

WEB = {"name": "Web", "redirect_uris": ["https://app.example/cb"]}
NO_PKCE = {"code_challenge": None, "code_challenge_method": None}
SOON = 10


@pytest.fixture
def tenant(programs):
    slug = f"prof{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    return slug


@pytest.mark.spec("protocol 3", "features C03")
def test_nobody_is_given_a_looser_profile_than_the_tenant_and_the_platform_allow(
    programs, platform, tenant
):
    ada = programs.make(tenant)
    made = ada.post("/clients", {**WEB, "profile": "standard"}).json()
    ada.patch("/settings/oidc.features", {"loosest_profile": "standard"})
    refusal(ada.post("/clients", {**WEB, "profile": "legacy"}), 422, "validation_failed")
    assert ada.post("/clients", {**WEB, "profile": "standard"}).status_code == 201

    bounds = {"loosest_profile": "oauth21"}
    before = platform.get("/platform/bounds/oidc.features").json()
    try:
        said = platform.put("/platform/bounds/oidc.features", bounds, headers={"if-match": "*"})
        assert said.status_code == 200, said.text
        refused = ada.post("/clients", {**WEB, "profile": "standard"})
        assert "oauth21 is the loosest" in refusal(refused, 422, "validation_failed")["detail"]
        refused = ada.patch("/settings/oidc.features", {"loosest_profile": "legacy"})
        refusal(refused, 422, "bound_violated")
        kept = ada.patch(f"/clients/{made['id']}", {"name": "Renamed"})
        assert kept.json()["settings"]["profile"] == "standard"  # it stays, and is held to oauth21
    finally:
        platform.put("/platform/bounds/oidc.features", {}, headers={"if-match": "*"})
        programs.product.change(  # nor a version that other tests might restore
            "delete from insula.config_versions where scope = 'platform'"
        )
    assert platform.get("/platform/bounds/oidc.features").json() == before


@pytest.mark.spec("protocol 3", "RFC7636-4.4.1", "features BEY-3")
def test_an_application_that_is_there_is_held_to_the_loosest_profile_at_once(programs, tenant):
    product, ada = programs.product, programs.make(tenant)
    app = product.app(tenant, profile="standard", grant_types=("authorization_code",))
    with signed_in(product, tenant, app) as browser:
        assert code_of(product, tenant, app, browser, **NO_PKCE)  # it is the application's choice

        wanted = {"section": "oidc.features", "values": {"loosest_profile": "oauth21"}}
        (told,) = ada.post("/settings/preview", wanted).json()["shut_out"]
        assert (told["field"], told["affected"]) == ("oidc.features.loosest_profile", 1)
        assert "would be held to the profile oauth21" in told["text"]
        ada.patch("/settings/oidc.features", wanted["values"])

        def is_refused():
            page = browser.open(product.authorize_url(tenant, app, **NO_PKCE))
            return "error=invalid_request" in (page.left or "")

        until(SOON, is_refused)
        assert code_of(product, tenant, app, browser)
    api = Api(product, tenant, app)
    assert api.get("/.well-known/openid-configuration").status_code == 200


@pytest.mark.spec("protocol 3")
def test_a_change_of_profile_says_before_what_would_stop_working(programs, tenant):
    ada = programs.make(tenant)
    made = ada.post("/clients", {**WEB, "profile": "standard"}).json()
    place = f"/clients/{made['id']}/preview"

    stricter = ada.post(place, {"profile": "oauth21"}).json()["stops"]
    assert "A request for a code without PKCE is refused." in stricter
    assert stricter[-1] == "Codes and pushed requests that are under way end."
    assert ada.post(place, {"profile": "standard"}).json() == {"stops": []}
    wrong = {"profile": "oauth21", "grant_types": ["implicit"]}
    refusal(ada.post(place, wrong), 422, "validation_failed")
    assert ada.get(f"/clients/{made['id']}").json()["settings"]["profile"] == "standard"
    ada.patch(f"/clients/{made['id']}", {"profile": "oauth21"})
    looser = ada.post(place, {"profile": "standard"}).json()["stops"]
    assert looser[0] == "The token endpoint asks for the redirect_uri of each code."
