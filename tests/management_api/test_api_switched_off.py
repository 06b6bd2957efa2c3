"""A tenant without a management API: no token counts, until the platform switches it on again."""

import secrets

import pytest
from callers import refusal
from spine import Api, until

pytestmark = pytest.mark.spec("features Z01")

SECTION = "/settings/features.developer_api"
ANY = {"if-match": "*"}
OFF = {"enabled": False}


@pytest.fixture
def program(programs):
    """A program of a tenant of its own."""
    slug = f"off{secrets.token_hex(5)}"
    programs.product.tenant(slug)
    return programs.make(slug)


def test_a_tenant_that_switches_it_off_is_out_until_the_platform_switches_it_on(program, platform):
    wanted = {"section": "features.developer_api", "values": OFF, "names": True}
    (shut,) = program.post("/settings/preview", wanted).json()["shut_out"]
    assert shut["text"] == "1 of 1 application may call the management API, and could not any more"

    assert program.patch(SECTION, OFF).json()["own"] == OFF

    until(5, lambda: program.get("/me").status_code == 403)
    refusal(program.get("/me"), 403, "api_disabled")
    refusal(program.patch(SECTION, {"enabled": True}), 403, "api_disabled")
    refusal(program.get("/me", token="nonsense"), 403, "api_disabled")  # noqa: S106  (no password)
    until(5, lambda: _token(program).status_code == 400)
    assert _token(program).json()["error"] == "invalid_target"

    theirs = f"/tenants/{program.slug}/config/features.developer_api"
    assert platform.put(theirs, {}, headers=ANY).json()["values"] == {"enabled": True}
    until(5, lambda: program.get("/me").status_code == 200)
    until(5, lambda: _token(program).status_code == 200)


def _token(program):
    """What the token endpoint says to whoever asks for one that is for the API."""
    here = Api(program.product, program.slug, program)
    return here.own_token(resource=f"{program.product.issuer(program.slug)}/api/v1")


@pytest.mark.spec("features C04")
def test_the_platform_keeps_it_from_all_tenants_and_keeps_its_own(program, platform):
    bounds = "/platform/bounds/features.developer_api"
    assert platform.put(bounds, OFF, headers=ANY).json()["bounds"] == OFF
    try:
        until(5, lambda: program.get("/me").status_code == 403)
        refusal(program.get("/me"), 403, "api_disabled")
        assert platform.get("/me").status_code == 200
        refused = platform.patch(
            f"/tenants/{program.slug}/config/features.developer_api", {"enabled": True}
        )
        refusal(refused, 422, "bound_violated")
    finally:
        platform.put(bounds, {}, headers=ANY)
        # nobody who restores some version of the platform's may happen upon this one
        program.product.change(
            "delete from insula.config_versions"
            " where scope = 'platform' and 'features.developer_api.enabled' = any(changed)"
        )
    until(5, lambda: program.get("/me").status_code == 200)
