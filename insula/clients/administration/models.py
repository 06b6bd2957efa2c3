"""What administrators ask about applications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from insula.clients.models import Metadata, Status

Origin = Literal["administrator", "dynamic"]


@dataclass(frozen=True, slots=True)
class Application:
    """A registered application; *is_verified* says an administrator vouches for it."""

    id: UUID
    client_id: str
    name: str
    status: Status
    origin: Origin
    is_verified: bool
    metadata: Metadata
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which ones a list is about; *q* is part of a name or client_id."""

    q: str | None = None
    status: Status | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Applications of one page; *place* is where the next one begins, None where there is none."""

    applications: Sequence[Application]
    place: str | None


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that is alive, without the secret."""

    id: UUID
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Revoked:
    """How much ended; *complete* is False when there is more."""

    count: int
    complete: bool
