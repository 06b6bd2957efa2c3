"""Keys as they are told, and what may be asked of them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from insula.keys.models import SigningKeyRecord

Algorithm = Literal["RS256", "ES256", "PS256", "EdDSA"]


class Key(BaseModel):
    """A signing key, without its private part."""

    kid: str
    alg: str
    status: Literal["next", "active", "retiring", "retired", "revoked"]
    created_at: datetime
    promoted_at: datetime | None
    retiring_at: datetime | None
    retired_at: datetime | None
    due_at: datetime | None = Field(description="When its next step is due.")

    @classmethod
    def of(cls, key: SigningKeyRecord) -> "Key":
        return cls(
            kid=key.kid,
            alg=key.alg,
            status=key.state,
            created_at=key.published_at,
            promoted_at=key.activated_at,
            retiring_at=key.retiring_at,
            retired_at=key.retired_at,
            due_at=key.due_at,
        )


class Keys(BaseModel):
    """All of them, newest first: a tenant has a handful."""

    data: list[Key]


class Rotation(BaseModel):
    """For which algorithms; without any, for those that sign now."""

    model_config = ConfigDict(extra="forbid")

    algorithms: list[Algorithm] | None = Field(None, min_length=1, max_length=4)


class Emergency(BaseModel):
    """Which key, and why."""

    model_config = ConfigDict(extra="forbid")

    kid: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=500)


class Revoked(BaseModel):
    """
    The key that is out, and the one that signs in its place if it had signed.

    *clients* are those that get ID tokens of this algorithm: they fetch the JWKS again when they
    meet the new key; the first thousand are looked at.
    """

    revoked: str
    alg: str
    signs_now: str | None
    clients: list[str]


class Retired(BaseModel):
    """Ids of the keys that were taken out."""

    retired: list[str]
