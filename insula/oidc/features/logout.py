"""
Logout that reaches the clients: by back channel (OIDCBCL) and in the browser (OIDCFCL).

A logout token is a JWT of a type of its own, so that no client takes it for an id_token; it
holds no nonce for the same reason (OIDCBCL-2.4).
"""

from collections.abc import Mapping
from typing import Any

from insula.kernel import clock
from insula.oidc.models import Client, Features

LOGOUT_TOKEN_TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
#: Seconds that a logout token is good for.
LIFE = 120


def metadata(features: Features) -> dict[str, Any]:
    says: dict[str, Any] = {}
    if features.backchannel_logout:
        says["backchannel_logout_supported"] = True
        says["backchannel_logout_session_supported"] = True
    if features.frontchannel_logout:
        says["frontchannel_logout_supported"] = True
        says["frontchannel_logout_session_supported"] = True
    return says


def logout_claims(
    issuer: str, client: Client, *, subject: str, sid: str, jti: str
) -> Mapping[str, Any]:
    """What the logout token of one client says; *jti* stays the same however often it is sent."""
    now = int(clock.now())
    return {
        "iss": issuer,
        "aud": client.client_id,
        "iat": now,
        "exp": now + LIFE,
        "jti": jti,
        "events": {EVENT: {}},
        "sub": subject,
        "sid": sid,
    }
