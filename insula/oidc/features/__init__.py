"""
What the authorization endpoint understands, one module per feature.

Each names the parameters that it reads and what it adds to the metadata under an issuer's
switches; both are gathered here, so a feature is advertised and stored exactly when it is
listed, and not advertised where it is switched off.
"""

from typing import Any

from insula.oidc.features import (
    authorization_details,
    claims,
    consent,
    dpop,
    id_token_hint,
    par,
    pkce,
    presentation,
    prompt,
    redirect_uris,
    request_objects,
    resources,
    response_modes,
    response_types,
    scopes,
    state,
)
from insula.oidc.models import Features

FEATURES = (
    redirect_uris,
    response_modes,
    response_types,
    request_objects,
    par,
    state,
    scopes,
    resources,
    authorization_details,
    claims,
    pkce,
    dpop,
    prompt,
    consent,
    id_token_hint,
    presentation,
)

PARAMETERS: frozenset[str] = frozenset({"client_id"}).union(
    *(feature.PARAMETERS for feature in FEATURES)
)


def metadata(features: Features) -> dict[str, Any]:
    """What all features add to the metadata of an issuer with these switches."""
    return {
        name: value for feature in FEATURES for name, value in feature.metadata(features).items()
    }
