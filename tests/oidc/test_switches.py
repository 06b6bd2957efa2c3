"""What a tenant has switched off is neither listed nor answered (section 0 rule 1, DI-1)."""

from dataclasses import replace

import pytest
from apis import EXCHANGING, is_refused, reissue
from oidc_world import FORM, basic, call
from test_authorize_errors import is_told

from insula.oidc.features import response_modes, response_types
from insula.oidc.models import Features

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
LOGOUT = "_logout_supported", "_logout_session_supported"

#: By switch: the members that are there only when it is on, with what is listed off for others.
MEMBERS = {
    "par": {"pushed_authorization_request_endpoint", "require_pushed_authorization_requests"},
    "device": {"device_authorization_endpoint"},
    "dpop": {"dpop_signing_alg_values_supported"},
    "introspection": {
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
    },
    "revocation": {
        "revocation_endpoint",
        "revocation_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
    },
    "request_objects": {
        "require_request_uri_registration",
        "request_object_signing_alg_values_supported",
    },
    "backchannel_logout": {f"backchannel{name}" for name in LOGOUT},
    "frontchannel_logout": {f"frontchannel{name}" for name in LOGOUT},
    "claims_parameter": set(),
    "token_exchange": set(),
    "client_credentials": set(),
}
#: Members that stay, by switch, and what they say when it is off.
CHANGED = {
    "claims_parameter": {"claims_parameter_supported": False},
    "request_objects": {
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    },
    "device": {"grant_types_supported": DEVICE},
    "token_exchange": {"grant_types_supported": EXCHANGE},
    "client_credentials": {"grant_types_supported": "client_credentials"},
}


async def metadata(world):
    return (await world.browser().go("/.well-known/openid-configuration")).json


@pytest.mark.spec("OIDCD-3", "RFC8414-2", "DI-1", "DI-3")
@pytest.mark.parametrize("switch", sorted(MEMBERS))
async def test_what_is_off_is_not_listed_and_nothing_else_changes(world, ring, switch):
    on = await metadata(reissue(world, ring))
    off = await metadata(reissue(world, ring, features=replace(EXCHANGING, **{switch: False})))

    assert on.keys() - off.keys() == MEMBERS[switch]
    assert not off.keys() - on.keys()
    changed = {name for name in off if off[name] != on[name]}
    assert changed == set(CHANGED.get(switch, {}))
    for name, value in CHANGED.get(switch, {}).items():
        if isinstance(value, bool):
            assert off[name] is value
        else:
            assert off[name] == [each for each in on[name] if each != value]
            assert value in on[name]


@pytest.mark.spec("OIDCD-3", "DI-3")
@pytest.mark.parametrize("link", ["service_documentation", "op_policy_uri", "op_tos_uri"])
async def test_a_link_is_listed_when_there_is_one(world, ring, link):
    page = "https://acme.example/page"

    assert link not in await metadata(reissue(world, ring))
    assert (await metadata(reissue(world, ring, features=Features(**{link: page}))))[link] == page


@pytest.mark.parametrize(
    ("switch", "path"),
    [
        ("par", "/oauth2/par"),
        ("device", "/oauth2/device"),
        ("introspection", "/oauth2/introspect"),
        ("revocation", "/oauth2/revoke"),
    ],
)
async def test_an_endpoint_that_is_off_is_not_there(world, ring, web, switch, path):
    reissue(world, ring, features=Features(**{switch: False}))

    answer = await world.post(path, web, {"token": "x"})

    assert (answer.status, answer.json["error"]) == (404, "not_found")


@pytest.mark.spec("RFC6749-5.2", "TK-9")
@pytest.mark.parametrize(
    ("switch", "grant"),
    [
        ("device", DEVICE),
        ("token_exchange", EXCHANGE),
        ("client_credentials", "client_credentials"),
    ],
)
async def test_a_grant_that_is_off_is_unknown_whoever_asks(world, ring, switch, grant):
    client = world.client(grant_types=frozenset({grant}))
    reissue(world, ring, features=Features(**{switch: False}))

    answers = [
        await world.token(client, grant_type=grant),
        await world.token(client, grant_type=grant, headers=[basic("nobody")]),
        await world.token(client, grant_type="banana"),
    ]

    assert all(is_refused(answer, "unsupported_grant_type") for answer in answers)
    assert len({answer.body for answer in answers}) == 1


@pytest.mark.spec("OIDCC-5.5", "OC-13")
@pytest.mark.parametrize("where", ["tenant", "client"])
async def test_claims_that_may_not_be_asked_for_are_refused(world, ring, web, where):
    if where == "tenant":
        reissue(world, ring, features=Features(claims_parameter=False))
    else:
        web = world.change(web, claims_parameter=False)

    answer = await world.signed_in().authorize(web, claims="{}")

    assert is_told(answer, "invalid_request")


@pytest.mark.spec("JAR-5", "OIDCC-6.1")
async def test_request_objects_that_are_off_are_refused(world, ring, web):
    reissue(world, ring, features=Features(request_objects=False))
    browser = world.signed_in()

    by_value = await browser.authorize(web, request="a.b.c")
    by_reference = await browser.authorize(web, request_uri="https://app.example/r.jwt")

    assert is_told(by_value, "request_not_supported")
    assert is_told(by_reference, "request_uri_not_supported")


@pytest.mark.spec("PAR-5", "PA-8")
async def test_a_client_that_must_push_is_not_let_off_where_nobody_can(world, ring, web):
    web = world.change(web, require_pushed_authorization_requests=True)
    reissue(world, ring, features=Features(par=False))

    assert is_told(await world.signed_in().authorize(web), "invalid_request")


@pytest.mark.spec("DPOP-5", "DP-4")
async def test_a_client_whose_tokens_must_be_bound_gets_none_where_nothing_binds(world, ring, web):
    web = world.change(web, dpop_bound_access_tokens=True)
    code = await world.code(web)
    reissue(world, ring, features=Features(dpop=False))

    assert is_refused(await world.redeem(web, code), "invalid_dpop_proof")
    answer = await call(
        world.provider,
        "POST",
        "/oauth2/token",
        headers=[FORM, basic("web"), ("dpop", "a.b.c")],
        body=b"grant_type=client_credentials",
    )
    assert is_refused(answer, "invalid_dpop_proof")


@pytest.mark.spec("OIDCC-5.3.1", "UI-1")
async def test_userinfo_reads_a_form_only_where_it_is_on(world, ring, web):
    token = (await world.tokens(web))["access_token"]

    async def asked():
        return await call(
            world.provider,
            "POST",
            "/oauth2/userinfo",
            headers=[FORM],
            body=f"access_token={token}".encode(),
        )

    refused = await asked()
    reissue(world, ring, features=Features(userinfo_body_token=True))
    answer = await asked()

    assert (refused.status, refused.json["error"]) == (400, "invalid_request")
    assert answer.json["sub"] == str(world.ada.user_id)


@pytest.mark.spec("OIDCC-11", "LO-8", "RT-10")
@pytest.mark.parametrize("survives", [True, False])
async def test_offline_access_survives_a_sign_out_only_where_it_is_on(world, ring, web, survives):
    reissue(world, ring, features=Features(offline_survives_logout=survives))
    browser = world.signed_in()
    tokens = await world.tokens(web, browser, scope="openid offline_access")
    out = await browser.go("/oauth2/logout", {"id_token_hint": tokens["id_token"]})
    assert out.status == 200

    answer = await world.refresh(web, tokens["refresh_token"])

    assert answer.status == (200 if survives else 400)


@pytest.mark.spec("RFC9700-2.4", "RFC9700-2.1.2", "TK-10", "TK-11", "AZ-17")
async def test_some_things_no_switch_brings(world, ring, web):
    everything = Features(
        front_channel_tokens=True, dpop_nonce=True, userinfo_body_token=True, registration="open"
    )
    reissue(world, ring, features=everything)
    said = await metadata(world)

    assert not {"password", "urn:ietf:params:oauth:grant-type:jwt-bearer"} & set(
        said["grant_types_supported"]
    )
    assert "token" not in said["response_types_supported"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    for name, values in said.items():
        if name.endswith("alg_values_supported"):
            assert not [alg for alg in values if alg == "none" or alg.startswith("HS")]
    for grant in ("password", "urn:ietf:params:oauth:grant-type:jwt-bearer"):
        assert is_refused(await world.token(web, grant_type=grant), "unsupported_grant_type")


async def test_what_is_listed_is_what_is_answered(world, ring):
    for on in (Features(), Features(front_channel_tokens=True)):
        reissue(world, ring, features=on)
        said = await metadata(world)
        assert (
            said["response_types_supported"]
            == response_types.metadata(on)["response_types_supported"]
        )
        assert (
            said["response_modes_supported"]
            == response_modes.metadata(on)["response_modes_supported"]
        )
        for name, address in said.items():
            if name.endswith("_endpoint"):
                path = address.removeprefix(said["issuer"])
                answer = await call(world.provider, "PATCH", path)
                assert answer.status == 405, name
