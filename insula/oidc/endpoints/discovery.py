"""
The metadata of an issuer: OIDCD-3, RFC8414-2.

Only what is built is advertised, and both well-known addresses serve the same bytes.
"""

from typing import Any

from insula.oidc import issuer as paths
from insula.oidc.client_authentication import METHODS
from insula.oidc.endpoints.documents import Document
from insula.oidc.features import logout, par, registration
from insula.oidc.features import metadata as metadata_of_features
from insula.oidc.grants import offered
from insula.oidc.issuer import Issuer
from insula.oidc.jose import CLIENT_ALGORITHMS
from insula.oidc.signing import ALGORITHMS, compact_json

#: What an id_token says besides the claims of scopes.
_PROTOCOL_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr")


def document(issuer: Issuer) -> Document:
    body = compact_json(metadata(issuer)).encode()
    return Document(body, b"application/json", b"public, max-age=300")


def metadata(issuer: Issuer) -> dict[str, Any]:
    on = issuer.features
    claims = (*_PROTOCOL_CLAIMS, *(name for names in issuer.scopes.values() for name in names))
    confidential = [method for method in METHODS if method != "none"]
    builtin = {s for api in issuer.resources.values() if api.is_builtin for s in api.scopes}
    algorithms = [alg for alg in ALGORITHMS if alg in issuer.keys.signing]
    says: dict[str, Any] = {
        "issuer": issuer.url,
        "authorization_endpoint": issuer.url + paths.AUTHORIZE,
        "token_endpoint": issuer.url + paths.TOKEN,
        "userinfo_endpoint": issuer.url + paths.USERINFO,
        "jwks_uri": issuer.url + paths.JWKS,
        "end_session_endpoint": issuer.url + paths.LOGOUT,
        "grant_types_supported": offered(on),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": algorithms,
        "userinfo_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(CLIENT_ALGORITHMS),
        "scopes_supported": [scope for scope in issuer.scopes if scope not in builtin],
        "claims_supported": list(dict.fromkeys(claims)),
        "ui_locales_supported": list(issuer.locales),
        **metadata_of_features(on),
        **logout.metadata(on),
    }
    if on.revocation:
        says["revocation_endpoint"] = issuer.url + paths.REVOKE
        says["revocation_endpoint_auth_methods_supported"] = list(METHODS)
        says["revocation_endpoint_auth_signing_alg_values_supported"] = list(CLIENT_ALGORITHMS)
    if on.introspection:
        says["introspection_endpoint"] = issuer.url + paths.INTROSPECT
        says["introspection_endpoint_auth_methods_supported"] = confidential
        says["introspection_endpoint_auth_signing_alg_values_supported"] = list(CLIENT_ALGORITHMS)
    if issuer.acr_values:
        says["acr_values_supported"] = list(issuer.acr_values)
    if on.device:
        says["device_authorization_endpoint"] = issuer.url + paths.DEVICE
    addresses = {**par.endpoints(on), **registration.endpoints(on)}
    says |= {name: issuer.url + path for name, path in addresses.items()}
    links = {
        "service_documentation": on.service_documentation,
        "op_policy_uri": on.op_policy_uri,
        "op_tos_uri": on.op_tos_uri,
    }
    return says | {name: link for name, link in links.items() if link}
