"""
The metadata of an issuer: OIDCD-3, RFC8414-2.

Only what is built is advertised, and both well-known addresses serve the same bytes.
"""

from typing import Any

from insula.oidc import issuer as paths
from insula.oidc.client_authentication import METHODS
from insula.oidc.endpoints.documents import Document
from insula.oidc.features import METADATA
from insula.oidc.grants import GRANTS
from insula.oidc.issuer import Issuer
from insula.oidc.signing import ALGORITHMS, compact_json

#: What an id_token says besides the claims of scopes.
_PROTOCOL_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr")


def document(issuer: Issuer) -> Document:
    body = compact_json(metadata(issuer)).encode()
    return Document(body, b"application/json", b"public, max-age=300")


def metadata(issuer: Issuer) -> dict[str, Any]:
    claims = (*_PROTOCOL_CLAIMS, *(name for names in issuer.scopes.values() for name in names))
    confidential = [method for method in METHODS if method != "none"]
    says = {
        "issuer": issuer.url,
        "authorization_endpoint": issuer.url + paths.AUTHORIZE,
        "token_endpoint": issuer.url + paths.TOKEN,
        "userinfo_endpoint": issuer.url + paths.USERINFO,
        "jwks_uri": issuer.url + paths.JWKS,
        "end_session_endpoint": issuer.url + paths.LOGOUT,
        "revocation_endpoint": issuer.url + paths.REVOKE,
        "introspection_endpoint": issuer.url + paths.INTROSPECT,
        "grant_types_supported": list(GRANTS),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [
            alg for alg in ALGORITHMS if alg in issuer.keys.signing
        ],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "introspection_endpoint_auth_methods_supported": confidential,
        "scopes_supported": list(issuer.scopes),
        "claims_supported": list(dict.fromkeys(claims)),
        "ui_locales_supported": list(issuer.locales),
        **METADATA,
    }
    if issuer.acr_values:
        says["acr_values_supported"] = list(issuer.acr_values)
    return says
