"""Discovery and keys, with their exact headers (DI-1 to DI-3, protocol.md 1.2 and 5.6)."""

import hashlib
import json

import jwt
import pytest
from oidc_world import ISSUER, build, call, ring_of

from insula.oidc.signing import KeyRing, PublicKey

DISCOVERY = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
JWKS = "/oauth2/jwks"
EVERY = (*DISCOVERY, JWKS)

#: protocol.md 1.2, as far as it is built.
MEMBERS = {
    "issuer": ISSUER,
    "authorization_endpoint": ISSUER + "/oauth2/authorize",
    "token_endpoint": ISSUER + "/oauth2/token",
    "userinfo_endpoint": ISSUER + "/oauth2/userinfo",
    "jwks_uri": ISSUER + "/oauth2/jwks",
    "end_session_endpoint": ISSUER + "/oauth2/logout",
    "revocation_endpoint": ISSUER + "/oauth2/revoke",
    "introspection_endpoint": ISSUER + "/oauth2/introspect",
    "response_types_supported": ["code"],
    "response_modes_supported": ["query", "form_post"],
    "grant_types_supported": [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:device_code",
    ],
    "device_authorization_endpoint": ISSUER + "/oauth2/device",
    "backchannel_logout_supported": True,
    "backchannel_logout_session_supported": True,
    "frontchannel_logout_supported": True,
    "frontchannel_logout_session_supported": True,
    "subject_types_supported": ["public", "pairwise"],
    "id_token_signing_alg_values_supported": ["RS256", "ES256", "PS256", "EdDSA"],
    "userinfo_signing_alg_values_supported": ["RS256", "ES256", "PS256", "EdDSA"],
    "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
    "request_parameter_supported": True,
    "request_uri_parameter_supported": True,
    "require_request_uri_registration": True,
    "request_object_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
    "pushed_authorization_request_endpoint": ISSUER + "/oauth2/par",
    "require_pushed_authorization_requests": False,
    "dpop_signing_alg_values_supported": ["ES256", "PS256", "EdDSA"],
    "token_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none",
    ],
    "revocation_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
        "none",
    ],
    "revocation_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256", "EdDSA"],
    "introspection_endpoint_auth_methods_supported": [
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ],
    "introspection_endpoint_auth_signing_alg_values_supported": [
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
    ],
    "claim_types_supported": ["normal"],
    "claims_parameter_supported": True,
    "display_values_supported": ["page", "popup", "touch"],
    "prompt_values_supported": ["none", "login", "consent", "select_account"],
    "ui_locales_supported": ["en"],
    "code_challenge_methods_supported": ["S256"],
    "authorization_response_iss_parameter_supported": True,
}


async def get(world, path, *headers, method="GET"):
    return await call(world.provider, method, path, headers=headers)


@pytest.mark.spec("OIDCD-3", "RFC8414-2", "OIDCD-4.3", "RFC9207-3", "DI-2", "DI-3")
async def test_the_metadata_is_what_is_built_and_nothing_else(world):
    said = (await get(world, DISCOVERY[0])).json

    scopes, claims = said.pop("scopes_supported"), said.pop("claims_supported")
    assert said == MEMBERS
    assert scopes[0] == "openid"
    assert {"sub", "iss", "auth_time", "acr", "name", "email", "address"} <= set(claims)
    assert len(claims) == len(set(claims))


@pytest.mark.spec("RFC8414-3")
async def test_both_addresses_serve_the_same_bytes(world):
    one, other = [await get(world, path) for path in DISCOVERY]

    assert one.body == other.body
    assert one.raw_headers == other.raw_headers


@pytest.mark.spec("OIDCD-3")
async def test_it_follows_the_configuration(world, generated):
    keys = ring_of([generated["RS256"], generated["ES256"]])
    world.provider = build(
        world.host,
        keys,
        acr_values=("urn:1", "urn:2"),
        locales=("en", "pt-BR"),
        scopes={"openid": ("sub",), "team": ("team_name",)},
    )

    said = (await get(world, DISCOVERY[0])).json

    assert said["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert said["acr_values_supported"] == ["urn:1", "urn:2"]
    assert said["ui_locales_supported"] == ["en", "pt-BR"]
    assert said["scopes_supported"] == ["openid", "team"]
    assert said["claims_supported"][-1] == "team_name"


@pytest.mark.spec("OIDCD-4")
@pytest.mark.parametrize(
    ("path", "content_type", "cache_control"),
    [
        (DISCOVERY[0], "application/json", "public, max-age=300"),
        (DISCOVERY[1], "application/json", "public, max-age=300"),
        (JWKS, "application/jwk-set+json", "public, max-age=300, must-revalidate"),
    ],
)
async def test_the_headers_are_exactly_these(world, path, content_type, cache_control):
    answer = await get(world, path)

    assert answer.status == 200
    assert answer.headers == {
        "content-type": content_type,
        "cache-control": cache_control,
        "etag": f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"',
        "vary": "Accept-Encoding",
        "access-control-allow-origin": "*",
        "x-content-type-options": "nosniff",
        "content-length": str(len(answer.body)),
    }


@pytest.mark.parametrize("path", EVERY)
async def test_head_says_the_same_without_the_bytes(world, path):
    whole, head = await get(world, path), await get(world, path, method="HEAD")

    assert head.status == 200
    assert head.raw_headers == whole.raw_headers
    assert head.body == b""


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_has_it_already_is_told_so(world, path, method):
    whole = await get(world, path)
    etag = whole.headers["etag"]

    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await get(world, path, ("if-none-match", known), method=method)
        assert (answer.status, answer.body) == (304, b"")
        for name in ("etag", "cache-control", "vary", "access-control-allow-origin"):
            assert answer.headers[name] == whole.headers[name]
        assert "content-type" not in answer.headers
    stale = await get(world, path, ("if-none-match", '"other"'))
    assert stale.status == 200


@pytest.mark.parametrize("path", EVERY)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused(world, path, method):
    answer = await get(world, path, method=method)

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_headers_added_on_the_way_out_stay_with_one_answer(world):
    first = await get(world, JWKS)
    first.raw_headers.append((b"x", b"y"))

    assert "x" not in (await get(world, JWKS)).headers


async def test_an_added_header_does_not_reach_the_next_answer(world):
    async def grow(message):
        if message["type"] == "http.response.start":
            message["headers"].append((b"x", b"y"))

    scope = {"type": "http", "method": "GET", "path": JWKS, "query_string": b"", "headers": []}
    await world.provider(scope, None, grow)

    assert "x" not in (await get(world, JWKS)).headers


@pytest.mark.spec("RFC7517-5", "OIDCC-10.1.1", "ID-3")
async def test_the_keys_are_ordered_public_and_usable(world, generated):
    states = {"ES256": "active", "RS256": "next", "EdDSA": "retiring"}
    published = []
    for alg, state in states.items():
        made = generated[alg]
        leaky = dict(made.public_jwk) | {"d": "SECRET", "p": "SECRET", "note": "x"}
        published.append(PublicKey(made.kid, alg, leaky, state))
    retired = PublicKey(generated["PS256"].kid, "PS256", generated["PS256"].public_jwk, "retired")
    world.provider = build(world.host, KeyRing({}, published, hint_only=[retired]))

    answer = await get(world, JWKS)
    keys = answer.json["keys"]

    assert [key["alg"] for key in keys] == list(states)
    assert "SECRET" not in answer.text
    for key in keys:
        assert set(key) <= {"kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"}
        assert key["use"] == "sig"
    assert len({key["kid"] for key in keys}) == 3
    assert len(jwt.PyJWKSet.from_json(json.dumps(answer.json)).keys) == 3


@pytest.mark.spec("OC-21")
@pytest.mark.parametrize(
    "path", ["/", "/oauth2", "/oauth2/", "/oauth2/token/", "/oauth2/register", "/.well-known/"]
)
async def test_there_is_nothing_anywhere_else(world, path):
    answer = await get(world, path)

    assert answer.status == 404
    assert answer.headers["cache-control"] == "no-store"
