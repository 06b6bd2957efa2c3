"""Request objects (OIDCC-6, RFC 9101): not spoken here, so refused by name, never ignored."""

from collections.abc import Mapping

from insula.oidc.errors import RequestNotSupported, RequestUriNotSupported

# Absent, the second would mean true: OIDCD-3.
METADATA = {"request_parameter_supported": False, "request_uri_parameter_supported": False}
PARAMETERS = frozenset({"request", "request_uri"})


def refuse_request_objects(params: Mapping[str, str]) -> None:
    """Refuse, since whoever sends one relies on what is inside (OIDCC-3.1.2.6)."""
    if "request" in params:
        raise RequestNotSupported("Request objects are not supported")
    if "request_uri" in params:
        raise RequestUriNotSupported("Request objects by reference are not supported")
