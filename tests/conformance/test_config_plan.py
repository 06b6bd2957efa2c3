"""Config: the metadata of a tenant, and its keys."""

import re
from urllib.parse import urlsplit

import pytest
from suite import DISCOVERY, interleaved

#: OIDCD-3 and RFC8414-2.
_NEEDED = {
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
    "scopes_supported",
    "claims_supported",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
}
#: All that a tenant may ever say of itself, beside those that it must.
_ALLOWED = _NEEDED | {
    "end_session_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "pushed_authorization_request_endpoint",
    "device_authorization_endpoint",
    "registration_endpoint",
    "response_modes_supported",
    "grant_types_supported",
    "userinfo_signing_alg_values_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
    "request_object_signing_alg_values_supported",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "revocation_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_signing_alg_values_supported",
    "introspection_endpoint_auth_methods_supported",
    "introspection_endpoint_auth_signing_alg_values_supported",
    "claim_types_supported",
    "claims_parameter_supported",
    "acr_values_supported",
    "display_values_supported",
    "prompt_values_supported",
    "ui_locales_supported",
    "code_challenge_methods_supported",
    "authorization_response_iss_parameter_supported",
    "dpop_signing_alg_values_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
    "require_pushed_authorization_requests",
    "service_documentation",
    "op_policy_uri",
    "op_tos_uri",
}
_FLAG = re.compile(r"(request_parameter|_uri_parameter|iss_parameter|claims_parameter|logout"
                   r"|logout_session)_supported\Z|require_")  # fmt: skip
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?\Z")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.mark.spec("OIDCD-3", "OIDCD-4", "OIDCD-4.3", "RFC8414-2", "RFC8414-3.3", "DI-1", "DI-3")
@interleaved
async def test_oidcc_discovery_endpoint_verification(run):
    answer = await run.get(run.issuer + DISCOVERY)
    assert answer.headers["content-type"] == "application/json"
    says = answer.json()

    assert urlsplit(says["issuer"]).scheme == "https"
    assert str(answer.url) == says["issuer"] + DISCOVERY
    assert _NEEDED <= says.keys() <= _ALLOWED
    for name, value in says.items():
        _check_member(name, value, run.issuer)
    assert "code" in says["response_types_supported"]
    assert {"public"} <= set(says["subject_types_supported"]) <= {"public", "pairwise"}
    assert "RS256" in says["id_token_signing_alg_values_supported"]
    assert {"authorization_code", "refresh_token"} <= set(says["grant_types_supported"])
    assert "password" not in says["grant_types_supported"]
    assert says["code_challenge_methods_supported"] == ["S256"]
    assert "openid" in says["scopes_supported"]
    assert all(_SCOPE.match(scope) for scope in says["scopes_supported"])
    assert all(_LOCALE.match(locale) for locale in says["ui_locales_supported"])

    same = await run.get(f"{run.issuer}/.well-known/oauth-authorization-server")
    assert same.content == answer.content
    await _check_keys(run)
    run.shown["issuer"] = says["issuer"]
    assert await run.see("issuer") != says["issuer"]


def _check_member(name, value, issuer):
    """Each member has the type of its kind, and says nothing that this tenant cannot do."""
    if name == "issuer":
        assert value == issuer
    elif name.endswith(("_endpoint", "jwks_uri")):
        assert value.startswith(f"{issuer}/"), name
    elif name.endswith(("_uri", "_documentation")):
        assert value.startswith("https://"), name
    elif _FLAG.search(name):
        assert type(value) is bool, name
    else:
        assert value, name
        assert all(type(word) is str for word in value), name
        assert len(set(value)) == len(value), name
    if "_alg_values_" in name:
        assert not {"none", "HS256", "HS384", "HS512"} & set(value), name


async def _check_keys(run):
    answer = await run.get(run.metadata["jwks_uri"])
    assert answer.headers["content-type"] == "application/jwk-set+json"
    keys = answer.json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    assert {"RS256", "ES256"} <= {key["alg"] for key in keys}
    for key in keys:
        assert key["use"] == "sig"
        assert not _PRIVATE & key.keys()
