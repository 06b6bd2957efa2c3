"""How long tokens live."""

from typing import ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Section
from insula.oidc.models import Lifetimes


class TokenLifetimes(Section):
    """How long what a tenant issues is good for, in seconds."""

    key: ClassVar[str] = "oidc.ttl"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    authorization_code: int = Field(60, ge=10, le=600, description="An authorization code.")
    access_token: int = Field(600, ge=60, le=3600, description="A JWT access token.")
    opaque_access_token: int = Field(3600, ge=60, le=86400, description="An opaque access token.")
    client_credentials: int = Field(600, ge=60, le=3600, description="A client's own access token.")
    id_token: int = Field(600, ge=60, le=86400, description="An ID token.")
    refresh_token_idle: int = Field(1209600, ge=60, description="A refresh token that is not used.")
    refresh_token_absolute: int = Field(
        7776000, ge=60, description="A refresh token, however used."
    )

    def lifetimes(self) -> Lifetimes:
        return Lifetimes(
            code=self.authorization_code,
            access_token_jwt=self.access_token,
            access_token_opaque=self.opaque_access_token,
            client_credentials=self.client_credentials,
            id_token=self.id_token,
            refresh_idle=self.refresh_token_idle,
            refresh_absolute=self.refresh_token_absolute,
        )
