"""
What can be exchanged for tokens, by `grant_type` (RFC6749-4, RFC6749-6).

A grant gets a client that has proved itself and may use it, and returns the token answer.
"password" is not here and never will be (RFC9700-2.4).
"""

from collections.abc import Awaitable, Callable, Mapping

from insula.oidc.exchange import Exchange
from insula.oidc.grants import (
    authorization_code,
    client_credentials,
    device_code,
    refresh_token,
    token_exchange,
)
from insula.oidc.models import Features

Grant = Callable[[Exchange], Awaitable[bytes]]

_ALWAYS: Mapping[str, Grant] = {
    "authorization_code": authorization_code.exchange,
    "refresh_token": refresh_token.exchange,
}
_SWITCHED: Mapping[str, tuple[Grant, Callable[[Features], bool]]] = {
    "client_credentials": (client_credentials.exchange, lambda on: on.client_credentials),
    device_code.GRANT_TYPE: (device_code.exchange, lambda on: on.device),
    token_exchange.GRANT_TYPE: (token_exchange.exchange, lambda on: on.token_exchange),
}


def find(grant_type: str, features: Features) -> Grant | None:
    """The grant of that name, if the issuer's switches offer it."""
    if (grant := _ALWAYS.get(grant_type)) is not None:
        return grant
    grant, is_on = _SWITCHED.get(grant_type, (None, _never))
    return grant if is_on(features) else None


def _never(_features: Features) -> bool:
    return False


def offered(features: Features) -> list[str]:
    """What the metadata lists; the front channel counts as a grant there (OIDCD-3)."""
    names = [*_ALWAYS, *(name for name, (_, is_on) in _SWITCHED.items() if is_on(features))]
    return [*names, "implicit"] if features.front_channel_tokens else names
