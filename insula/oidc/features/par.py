"""
Pushed authorization requests, RFC 9126.

The client hands over its request directly and proves who it is; the browser carries nothing
but a reference, which works in one browser and once.
"""

from collections.abc import Mapping
from typing import Any

from insula.oidc import issuer as paths
from insula.oidc.errors import InvalidRequest
from insula.oidc.models import Client, Features

PARAMETERS: frozenset[str] = frozenset()

REFERENCE = "urn:ietf:params:oauth:request_uri:"


def metadata(features: Features) -> dict[str, Any]:
    if not features.par:
        return {}
    return {"require_pushed_authorization_requests": features.require_par}


def endpoints(features: Features) -> Mapping[str, str]:
    return {"pushed_authorization_request_endpoint": paths.PAR} if features.par else {}


def is_reference(params: Mapping[str, str]) -> bool:
    return params.get("request_uri", "").startswith(REFERENCE)


def refuse_unpushed(client: Client, features: Features) -> None:
    """
    Refuse a request through the browser where it has to be pushed (PAR-5).

    A client that must push is not let off where nobody can.
    """
    of_all = features.par and features.require_par
    if of_all or client.require_pushed_authorization_requests:
        raise InvalidRequest("This client must push its authorization requests")
