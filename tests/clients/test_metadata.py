"""What fits together in the metadata of a client, and what the engine is told of it."""

import json

import pytest
from people import CALLBACK
from sqlalchemy import text

from insula.clients import service
from insula.clients.errors import InvalidClientMetadata
from insula.clients.models import DEVICE_CODE, TOKEN_EXCHANGE, Metadata, from_row
from insula.oidc.models import ExchangePolicy
from insula.oidc.signing import generate_key

API = "https://api.example"
PUBLIC = {"token_endpoint_auth_method": "none"}
BY_KEY = {"token_endpoint_auth_method": "private_key_jwt"}
EXCHANGE = [{"to_audience": API}]


def metadata(*, development=False, **values):
    return service.parse_metadata({"redirect_uris": [CALLBACK], **values}, development=development)


def refusal_of(**values):
    with pytest.raises(InvalidClientMetadata) as refusal:
        metadata(**values)
    return refusal.value.field


def legacy(**values):
    return {
        "profile": "legacy",
        "grant_types": ["implicit"],
        "response_types": ["id_token"],
        **values,
    }


# --- grants, response types, modes (DR-5)


@pytest.mark.spec("RFC7591-2.1", "DR-5")
@pytest.mark.parametrize(
    ("values", "types", "modes"),
    [
        ({}, ("code",), ("query", "form_post")),
        ({"grant_types": ["client_credentials"]}, (), ("query", "form_post")),
        ({"grant_types": [DEVICE_CODE, "refresh_token"]}, (), ("query", "form_post")),
        ({"profile": "legacy"}, ("code",), ("query", "form_post", "fragment")),
    ],
)
def test_response_types_and_modes_follow_from_grants_and_profile(values, types, modes):
    made = metadata(**values)
    assert (made.response_types, made.response_modes) == (types, modes)


@pytest.mark.spec("RFC6749-3.1.1")
def test_a_response_type_is_a_set_of_words():
    for written in ("id_token token", "token id_token", "token  id_token"):
        assert metadata(**legacy(response_types=[written])).response_types == ("id_token token",)


@pytest.mark.spec("RFC7591-2.1", "DR-5")
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"response_types": ["id_token"]}, "response_types"),
        ({"response_types": []}, "response_types"),
        ({"grant_types": ["refresh_token"], "response_types": ["code"]}, "response_types"),
        (legacy(profile="standard"), "grant_types"),
        (legacy(response_types=["code", "id_token"]), "response_types"),
        (legacy(response_types=[]), "response_types"),
        (legacy(response_types=["token"]), "response_types.0"),
        (legacy(response_modes=["query"]), "response_modes"),
        (legacy(redirect_uris=[]), "redirect_uris"),
        ({"response_modes": []}, "response_modes"),
        ({"response_modes": ["fragment"]}, "response_modes"),
        (
            legacy(response_types=["id_token token"], dpop_bound_access_tokens=True),
            "dpop_bound_access_tokens",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(values, field):
    assert refusal_of(**values) == field


@pytest.mark.spec("OIDCC-3.2.2.1", "FC-8")
def test_tokens_are_sent_to_https_or_to_this_machine():
    metadata(**legacy(application_type="native", redirect_uris=["http://127.0.0.1/cb"]))
    for uri in ("http://127.0.0.1/cb", "http://app.example/cb"):
        assert refusal_of(**legacy(redirect_uris=[uri])) == "redirect_uris"
    own_scheme = ["com.example.app:/cb"]
    metadata(application_type="native", redirect_uris=own_scheme)
    assert (
        refusal_of(**legacy(application_type="native", redirect_uris=own_scheme)) == "redirect_uris"
    )


@pytest.mark.spec("RFC6749-2.1", "TX-1")
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"grant_types": ["client_credentials"]}, "grant_types"),
        ({"grant_types": [TOKEN_EXCHANGE]}, "grant_types"),
        ({"introspects_others": True}, "introspects_others"),
    ],
)
def test_what_needs_a_proven_client_is_not_for_public_ones(values, field):
    metadata(**values)
    assert refusal_of(**PUBLIC, **values) == field


@pytest.mark.parametrize("scope", ["a b", "", 'a"b', "a\\b", "\u00fc", "a\x7f", "x" * 201])
@pytest.mark.spec("RFC6749-3.3")
def test_a_scope_is_one_word_of_printable_ascii(scope):
    assert refusal_of(scopes=[scope]) == "scopes"
    policy = {**EXCHANGE[0], "scopes": [scope]}
    assert refusal_of(exchange_policies=[policy]) == "exchange_policies"


@pytest.mark.spec("RFC8693-2.1", "TX-1")
def test_one_policy_says_what_is_exchanged_for_what():
    """Of two, which one holds would depend on their order: who acts, or nobody."""
    one, other = EXCHANGE[0], {**EXCHANGE[0], "mode": "impersonation"}
    elsewhere = {**EXCHANGE[0], "from_audience": "https://elsewhere.example"}

    assert len(metadata(exchange_policies=[one, elsewhere]).exchange_policies) == 2
    assert refusal_of(exchange_policies=[one, other]) == "exchange_policies"


def test_default_scopes_are_among_the_scopes():
    assert refusal_of(scopes=["openid"], default_scopes=["email"]) == "default_scopes"
    assert metadata(scopes=["openid"], default_scopes=["openid"]).default_scopes == ("openid",)


# --- addresses


@pytest.mark.spec("OIDCFCL-2", "LO-10")
@pytest.mark.parametrize(
    ("uri", "is_good"),
    [
        ("https://app.example/out", True),
        ("https://app.example:443/out?x=1", True),
        ("https://app.example:8443/out", False),
        ("https://other.example/out", False),
        ("https://app.example.evil.example/out", False),
    ],
)
def test_the_logout_frame_has_the_origin_of_a_redirect_uri(uri, is_good):
    if is_good:
        assert metadata(frontchannel_logout_uri=uri).frontchannel_logout_uri == uri
    else:
        assert refusal_of(frontchannel_logout_uri=uri) == "frontchannel_logout_uri"


@pytest.mark.spec("OIDCBCL-2.2", "LO-9", "OC-17")
@pytest.mark.parametrize(
    "field", ["backchannel_logout_uri", "initiate_login_uri", "jwks_uri", "sector_identifier_uri"]
)
def test_endpoints_are_https_without_a_fragment_and_in_development_loopback(field):
    local = "http://127.0.0.1:8001/x"
    for uri in (local, "http://app.example/x", "https://app.example/x#y", "com.example.app:/x"):
        assert refusal_of(**{field: uri}) == field
    assert getattr(metadata(development=True, **{field: local}), field) == local
    with pytest.raises(InvalidClientMetadata):
        metadata(development=True, **{field: "http://app.example/x"})


@pytest.mark.spec("OIDCC-6.2", "JR-2")
def test_the_address_of_a_request_object_may_tell_its_digest():
    digest = "A" * 43
    good = ["https://app.example/r.jwt", f"https://app.example/r.jwt#{digest}"]
    assert metadata(request_uris=good).request_uris == tuple(good)
    for bad in (
        "https://app.example/r#x",
        "https://app.example/r#",
        f"http://app.example/#{digest}",
    ):
        assert refusal_of(request_uris=[bad]) == "request_uris"


@pytest.mark.spec("OIDCC-8.1", "OC-19")
def test_a_pairwise_client_has_one_sector():
    two_hosts = [CALLBACK, "https://other.example/callback"]
    sector = "https://sector.example/uris.json"
    assert metadata(subject_type="pairwise").sector == "app.example"
    assert refusal_of(subject_type="pairwise", redirect_uris=two_hosts) == "sector_identifier_uri"
    device = {"grant_types": [DEVICE_CODE], "redirect_uris": []}
    assert refusal_of(subject_type="pairwise", **device) == "sector_identifier_uri"
    made = metadata(subject_type="pairwise", redirect_uris=two_hosts, sector_identifier_uri=sector)
    assert made.sector == "sector.example"
    assert metadata(redirect_uris=two_hosts).sector == ""
    of_anybody = {"application_type": "native", "redirect_uris": ["com.evil.app://app.example/cb"]}
    assert refusal_of(subject_type="pairwise", **of_anybody) == "sector_identifier_uri"


# --- keys


@pytest.fixture(scope="module")
def public_jwk():
    return dict(generate_key("ES256").public_jwk)


@pytest.mark.spec("OIDCR-2", "DR-6")
def test_keys_are_given_or_their_address_never_both_and_never_neither(public_jwk):
    keys, address = {"keys": [public_jwk]}, "https://app.example/jwks"
    assert metadata(**BY_KEY, jwks=keys).jwks == keys
    assert metadata(**BY_KEY, jwks_uri=address).jwks_uri == address
    assert refusal_of(**BY_KEY) == "token_endpoint_auth_method"
    assert refusal_of(**BY_KEY, jwks=keys, jwks_uri=address) == "jwks_uri"
    assert refusal_of(require_signed_request_object=True) == "require_signed_request_object"
    assert refusal_of(request_object_signing_alg="ES256") == "request_object_signing_alg"


def test_an_algorithm_is_one_that_a_key_can_sign(public_jwk):
    keys = {"keys": [public_jwk]}
    for field in ("token_endpoint_auth_signing_alg", "request_object_signing_alg"):
        assert getattr(metadata(jwks=keys, **{field: "ES256"}), field) == "ES256"
        assert refusal_of(jwks=keys, **{field: "RS256"}) == field
        assert refusal_of(jwks=keys, **{field: "HS256"}) == field


# --- what the engine is told


async def test_the_engine_is_told_everything(house, public_jwk):
    made = await service.register(
        house.tenant,
        "All",
        metadata(
            **legacy(response_types=["token id_token"]),
            **BY_KEY,
            jwks={"keys": [{**public_jwk, "x5c": ["MII"], "made_up": 1}]},
            subject_type="pairwise",
            sector_identifier_uri="https://sector.example/s.json",
            request_uris=["https://app.example/r.jwt"],
            default_acr_values=["urn:x:one"],
            backchannel_logout_uri="https://app.example/bc",
            userinfo_signed_response_alg="RS256",
        ),
    )
    assert made.secret is None
    client = await service.find(house.tenant, made.client_id)
    assert client.jwks == (public_jwk,)
    assert client.response_types == {"id_token token"}
    assert client.sector == "sector.example"
    assert client.request_uris == {"https://app.example/r.jwt"}
    assert client.default_acr_values == ("urn:x:one",)
    assert client.wants_sid
    assert client.secrets == ()
    assert (client.is_dynamic, client.is_verified) == (False, True)


def test_what_an_older_release_stored_is_completed():
    old = json.loads(Metadata(redirect_uris=(CALLBACK,)).model_dump_json())
    del old["response_types"], old["response_modes"]
    assert from_row(old) == Metadata(redirect_uris=(CALLBACK,))
    assert from_row({"grant_types": ["client_credentials"]}).response_types == ()


@pytest.mark.spec("RFC8707-2", "RS-1")
@pytest.mark.parametrize("field", ["resources", "default_resource", "exchange_policies"])
async def test_a_resource_server_that_the_tenant_does_not_have_is_refused(two_houses, field):
    here, there = (house.tenant for house in two_houses)
    values = {"resources": [API], "default_resource": API, "exchange_policies": EXCHANGE}
    wanted = metadata(**{field: values[field]})
    await _add_resource_server(there)
    with pytest.raises(InvalidClientMetadata, match="insula resource-server add") as refusal:
        await service.register(here, "App", wanted)
    assert refusal.value.field == field
    await _add_resource_server(here)
    made = await service.register(here, "App", wanted)
    client = await service.find(here, made.client_id)
    told = {
        "resources": {API},
        "default_resource": API,
        "exchange_policies": (ExchangePolicy(API),),
    }
    assert getattr(client, field) == told[field]


async def _add_resource_server(tenant):
    async with tenant.transaction() as db:
        await db.execute(
            text("insert into insula.resource_servers (identifier, name) values (:api, 'API')"),
            {"api": API},
        )
