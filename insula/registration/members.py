"""Members of a registration as OpenID Connect names them, and as a client is stored (OIDCR-2)."""

from collections.abc import Mapping
from typing import Any, Final

from insula.clients.models import Metadata

#: What is called the same on both sides.
SAME: Final = (
    "redirect_uris", "response_types", "grant_types", "application_type", "logo_uri", "client_uri",
    "policy_uri", "tos_uri", "jwks_uri", "jwks", "sector_identifier_uri", "subject_type",
    "id_token_signed_response_alg", "userinfo_signed_response_alg", "request_object_signing_alg",
    "token_endpoint_auth_method", "token_endpoint_auth_signing_alg", "default_max_age",
    "require_auth_time", "default_acr_values", "initiate_login_uri", "request_uris",
    "post_logout_redirect_uris", "backchannel_logout_uri", "backchannel_logout_session_required",
    "frontchannel_logout_uri", "frontchannel_logout_session_required",
    "require_signed_request_object", "require_pushed_authorization_requests",
    "dpop_bound_access_tokens",
)  # fmt: skip

#: How what is stored is called where it is told to whoever registered.
_TOLD: Final[Mapping[str, str]] = {"scopes": "scope", "client_id": "client_name"}


def settings_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Settings out of *asked* members; those that belong to nobody outside are none of them."""
    values = {name: asked[name] for name in SAME if name in asked}
    values.setdefault("grant_types", ["authorization_code"])  # RFC7591-2, OIDCR-2
    if "scope" in asked:
        values["scopes"] = list(dict.fromkeys(asked["scope"].split()))
    return values


def members_of(name: str, metadata: Metadata) -> dict[str, Any]:
    """State what is registered (DR-3): all that holds, whoever chose it."""
    stored = metadata.model_dump(mode="json", include=set(SAME))
    told = {member: stored[member] for member in SAME if stored[member] not in (None, "", [])}
    return {"client_name": name, **told, "scope": " ".join(metadata.scopes)}


def told_as(field: str) -> str:
    """How a field of the stored settings is called outside, without what is inside of it."""
    name = field.partition(".")[0]
    return _TOLD.get(name, name)
