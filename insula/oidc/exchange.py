"""A token request whose client has proved itself, as the grants get it."""

from dataclasses import dataclass

from insula.oidc.issuer import Issuer
from insula.oidc.models import Caller, Client
from insula.oidc.request import Parameters


@dataclass(frozen=True, slots=True)
class Exchange:
    """
    Who asks for tokens, with what, and which key came with the request.

    *jkt* is the thumbprint of the key that the request's DPoP proof was signed with, None
    without a proof (DPOP-5).
    """

    issuer: Issuer
    client: Client
    params: Parameters
    caller: Caller
    jkt: str | None = None

    @property
    def family_jkt(self) -> str | None:
        """The key that a refresh token is bound to: only of clients without a secret (DPOP-5)."""
        return self.jkt if self.client.is_public else None
