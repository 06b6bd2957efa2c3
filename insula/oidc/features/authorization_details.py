"""
`authorization_details`: rich authorization requests (RFC 9396), which are not offered so far.

A client that sends them asks for something narrower than its scopes. Left aside, they would give
it more than the person was to be asked for, so they are refused wherever they come.
"""

from collections.abc import Mapping
from typing import Any

from insula.oidc.errors import InvalidAuthorizationDetails
from insula.oidc.models import Features

PARAMETERS = frozenset({"authorization_details"})


def metadata(_features: Features) -> dict[str, Any]:
    return {}


def refuse_details(params: Mapping[str, str]) -> None:
    if not PARAMETERS.isdisjoint(params):
        raise InvalidAuthorizationDetails("authorization_details are not supported")
