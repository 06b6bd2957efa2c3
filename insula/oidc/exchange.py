"""A token request whose client has proved itself, as the grants get it."""

from dataclasses import dataclass

from insula.kernel.ids import Kind, new_secret
from insula.oidc.artefacts import NewRefresh
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

    def new_family(self, *, is_offline: bool) -> NewRefresh | None:
        """Make a refresh token to begin a family with, if the client may have one (RT-1)."""
        if "refresh_token" not in self.client.grant_types:
            return None
        if not is_offline and not self.client.refresh_without_offline_access:
            return None
        return NewRefresh(
            new_secret(Kind.REFRESH_TOKEN),
            self.issuer.lifetimes.refresh_idle,
            self.issuer.lifetimes.refresh_absolute,
            bound_to_session=not is_offline or not self.issuer.features.offline_survives_logout,
            dpop_jkt=self.family_jkt,
        )
