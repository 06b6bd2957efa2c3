"""
What can be exchanged for tokens, by `grant_type` (RFC6749-4, RFC6749-6).

A grant gets a client that has proved itself and may use it, and returns the token answer.
"password" is not here and never will be (RFC9700-2.4).
"""

from collections.abc import Awaitable, Callable, Mapping

from insula.oidc.grants import authorization_code, client_credentials, refresh_token
from insula.oidc.issuer import Issuer
from insula.oidc.models import Caller, Client
from insula.oidc.request import Parameters

Grant = Callable[[Issuer, Client, Parameters, Caller], Awaitable[bytes]]

GRANTS: Mapping[str, Grant] = {
    "authorization_code": authorization_code.exchange,
    "refresh_token": refresh_token.exchange,
    "client_credentials": client_credentials.exchange,
}
