"""
Demonstrating Proof of Possession, RFC 9449: tokens that are worth nothing without a key.

`dpop_jkt` names, at the authorization endpoint already, the key that must be proven when the
code is redeemed (DPOP-10).
"""

import re
from collections.abc import Mapping
from typing import Any

from insula.oidc.errors import InvalidRequest
from insula.oidc.models import Features

PARAMETERS = frozenset({"dpop_jkt"})

ALGORITHMS = ("ES256", "PS256", "EdDSA")

_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}\Z")  # a SHA-256 in base64url: RFC7638-3


def metadata(features: Features) -> dict[str, Any]:
    return {"dpop_signing_alg_values_supported": list(ALGORITHMS)} if features.dpop else {}


def read_thumbprint(params: Mapping[str, str], features: Features) -> str | None:
    """Read the key that the code is to be bound to."""
    thumbprint = params.get("dpop_jkt")
    if thumbprint is None or not features.dpop:
        return None
    if not _THUMBPRINT.match(thumbprint):
        raise InvalidRequest("dpop_jkt must be 43 characters of base64url")
    return thumbprint
