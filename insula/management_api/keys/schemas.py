"""Keys as they are told, and what may be asked of them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from insula.keys.models import Adoption as Known
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
    waiting_since: datetime | None = Field(
        description="Since when it would sign, if no important application were behind."
    )
    waits_for: list[str] = Field(description="The `client_id`s of those, up to twenty.")

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
            waiting_since=key.waiting_since,
            waits_for=list(key.waits_for),
        )


class Keys(BaseModel):
    """All of them, newest first: a tenant has a handful."""

    data: list[Key]


class Rotation(BaseModel):
    """For which algorithms; without any, for those that sign now."""

    model_config = ConfigDict(extra="forbid")

    algorithms: list[Algorithm] | None = Field(None, min_length=1, max_length=4)


class Promotion(BaseModel):
    """Why a key must sign although important applications are behind; kept in the record."""

    model_config = ConfigDict(extra="forbid")

    override_reason: str | None = Field(None, min_length=1, max_length=500)


class Sighting(BaseModel):
    """The key that an application was last seen with, in one way, for one algorithm."""

    kid: str
    alg: str
    how: Literal["fetched", "used"]
    last_seen: datetime


class Adoption(BaseModel):
    """An application and what it has been seen to know; *seen* is newest first."""

    id: UUID
    client_id: str
    name: str
    important: bool = Field(description="Keys wait for it before they sign.")
    behind: bool | None = Field(
        description="It was seen, and not with every key that is published as `next`; null: "
        "nothing is known of it."
    )
    seen: list[Sighting]

    @classmethod
    def of(cls, known: Known) -> "Adoption":
        seen = [
            Sighting(kid=each.kid, alg=each.alg, how=each.how, last_seen=each.last_seen)
            for each in known.evidence
        ]
        return cls(
            id=known.id,
            client_id=known.client_id,
            name=known.name,
            important=known.important,
            behind=known.behind,
            seen=seen,
        )


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
