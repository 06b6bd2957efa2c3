"""
What the authorization endpoint understands, one module per feature.

Each names the parameters that it reads and what it adds to the metadata; both are
gathered here, so a feature is advertised and stored exactly when it is listed.
"""

from typing import Any

from insula.oidc.features import (
    claims,
    consent,
    id_token_hint,
    pkce,
    presentation,
    prompt,
    redirect_uris,
    request_objects,
    response_modes,
    response_types,
    scopes,
    state,
)

FEATURES = (
    redirect_uris,
    response_modes,
    response_types,
    request_objects,
    state,
    scopes,
    claims,
    pkce,
    prompt,
    consent,
    id_token_hint,
    presentation,
)

METADATA: dict[str, Any] = {
    name: value for feature in FEATURES for name, value in feature.METADATA.items()
}
PARAMETERS: frozenset[str] = frozenset({"client_id"}).union(
    *(feature.PARAMETERS for feature in FEATURES)
)
