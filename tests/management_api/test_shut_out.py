"""Before a feature goes: how many applications rely on it, and by a recorded look which."""

import secrets

import pytest

from insula.oidc.features.scopes import STANDARD
from insula.platform.sections import CATALOGUE
from insula.providers.impacts import _SHUTS_OUT
from insula.providers.settings import ProtocolFeatures

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@pytest.fixture(scope="module")
def crowd(programs):
    """A tenant with one application for each thing that can go, and a program that asks."""
    slug = f"out{secrets.token_hex(5)}"
    product = programs.product
    product.tenant(slug)
    for facts in (
        {"name": "Television", "grant_types": (DEVICE,), "redirect_uris": ()},
        {
            "name": "Pushes", "require_pushed_authorization_requests": True,
            "dpop_bound_access_tokens": True, "request_uris": ("https://app.example/request",),
        },
        {
            "name": "Standard", "profile": "standard",
            "backchannel_logout_uri": "https://a.example/out",
            "frontchannel_logout_uri": "http://127.0.0.1:9000/out",
        },
    ):  # fmt: skip
        called = facts.pop("name")
        product.change(
            "update insula.clients set name = %s where id = %s",
            called, product.app(slug, **facts).id,
        )  # fmt: skip
    return programs.make(slug)


def preview(caller, values, **more):
    answer = caller.post(
        "/settings/preview", {"section": "oidc.features", "values": values, **more}
    )
    assert answer.status_code == 200, answer.text
    return {each["field"]: each for each in answer.json()["shut_out"]}


@pytest.mark.spec("features BEY-3")
def test_a_preview_counts_the_applications_that_a_feature_is_taken_from(crowd):
    found = preview(crowd, {"device": False, "client_credentials": False, "par": False})
    told = found["oidc.features.device"]
    assert (told["affected"], told["of"], told["names"]) == (1, {"value": 4, "exact": True}, [])
    assert told["text"] == "1 of 4 applications could not use the device grant any more"
    assert found["oidc.features.client_credentials"]["affected"] == 1
    assert found["oidc.features.par"]["affected"] == 1
    assert preview(crowd, {"token_exchange": False, "revocation": False}) == {}
    assert preview(crowd, {"device": True, "front_channel_tokens": True}) == {}
    must = preview(crowd, {"require_par": True, "require_dpop": True, "require_pkce": True})
    assert {field: each["affected"] for field, each in must.items()} == {
        "oidc.features.require_par": 1,
        "oidc.features.require_dpop": 3,
        "oidc.features.require_pkce": 1,
    }
    off = preview(crowd, {"backchannel_logout": False, "frontchannel_logout": False,
                          "request_objects": False, "dpop": False})  # fmt: skip
    assert {each["affected"] for each in off.values()} == {1}
    assert len(off) == 4
    assert crowd.get("/settings/oidc.features").json()["own"] == {}


@pytest.mark.spec("features BEY-3", "features C04")
def test_a_preview_counts_the_applications_that_a_scope_is_taken_from(programs):
    slug = f"scp{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    ada = programs.make(slug)  # its own application has scopes of the API alone
    assert preview(ada, {"device": False, "par": False}) == {}  # which nobody relies on
    for scopes in ("openid", "address"), ("openid", "email"):
        programs.product.app(slug, scopes=scopes)
    wanted = {"section": "oidc.scopes", "names": True}
    for left, affected in (({"openid", "profile"}, 2), (STANDARD.keys() - {"address"}, 1)):
        values = {"supported_scopes": sorted(left)}
        (told,) = ada.post("/settings/preview", {**wanted, "values": values}).json()["shut_out"]
        assert (told["field"], told["affected"]) == ("oidc.scopes.supported_scopes", affected)
        assert "may ask for a scope that they would not be given any more" in told["text"]
        assert len(told["names"]) == affected
    values = {"supported_scopes": sorted(STANDARD)}
    assert ada.post("/settings/preview", {**wanted, "values": values}).json()["shut_out"] == []


@pytest.mark.spec("features BEY-3")
def test_they_are_named_on_demand_which_is_recorded(crowd):
    product = crowd.product
    before = len(product.audit(crowd.slug, "data.exported"))
    found = preview(crowd, {"device": False}, names=True)
    assert found["oidc.features.device"]["names"] == ["Television"]
    assert preview(crowd, {"token_exchange": False}, names=True) == {}
    lines = product.audit(crowd.slug, "data.exported")
    assert len(lines) == before + 1
    assert {line.target_id for line in lines} == {"oidc.features"}


@pytest.mark.spec("features BEY-3", "features C05")
def test_a_bound_says_how_many_inherit_and_which_applications_it_takes_from_them(crowd, platform):
    """Nobody of the crowd has stored anything, and all of it would be held."""
    for _ in range(9):  # tenants with many people are looked at first
        crowd.product.person(crowd.slug)
    wanted = {"section": "oidc.features", "bounds": {"device": False}}
    told = platform.post("/platform/bounds/preview", wanted).json()
    assert crowd.slug not in {each["tenant"] for each in told["named"]}
    heirs = told["inheriting"]
    assert heirs["tenants"] >= 1
    (shut,) = heirs["shut_out"]
    assert (shut["field"], shut["affected"] >= 1) == ("oidc.features.device", True)
    assert shut["text"].endswith("could not use the device grant any more")
    harmless = {"section": "oidc.features", "bounds": {"device": True}}
    none = platform.post("/platform/bounds/preview", harmless).json()["inheriting"]
    assert none == {"tenants": 0, "changes": [], "looked_at": 0, "shut_out": []}


def test_every_feature_that_is_counted_is_one_and_a_section_without_a_counter_counts_nobody():
    assert {field for field, _ in _SHUTS_OUT} <= ProtocolFeatures.model_fields.keys()
    assert CATALOGUE.get("oidc.features") is ProtocolFeatures
