"""
Where an authorization response may go, RFC9700-2.1.

Compared as a string with what is registered: every cleverer comparison has been an open
redirector somewhere. One part may vary, the port of a native application's loopback
address (RFC8252-7.3), because the application cannot choose it beforehand.
"""

import re
from collections.abc import Mapping
from typing import Any

from insula.oidc.errors import InvalidRedirectUri
from insula.oidc.models import Client, Features

PARAMETERS = frozenset({"redirect_uri"})


def metadata(_features: Features) -> dict[str, Any]:
    return {}


# "localhost" is a name that someone else may answer to: RFC8252-8.3.
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?(?=[/?]|\Z)")
_HIGHEST_PORT = 65535


def check_redirect_uri(params: Mapping[str, str], client: Client) -> str:
    """Refuse an address that is not registered; it is needed even if only one is (AZ-4)."""
    uri = params.get("redirect_uri")
    if uri is None:
        raise InvalidRedirectUri("redirect_uri is missing")
    if uri in client.redirect_uris or _is_loopback_of(client, uri):
        return uri
    raise InvalidRedirectUri("redirect_uri is not registered for this client")


def _is_loopback_of(client: Client, uri: str) -> bool:
    asked = _LOOPBACK.match(uri) if client.application_type == "native" else None
    if asked is None or int(asked[2] or 80) > _HIGHEST_PORT:
        return False
    rest = uri[asked.end() :]
    return any(
        registered[1] == asked[1] and known[registered.end() :] == rest
        for known in client.redirect_uris
        if (registered := _LOOPBACK.match(known))
    )
