"""What administrators ask about sessions and grants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SessionLine:
    """
    Somebody signed in with one browser; *clients* are client_ids that it reached.

    *expires_at* is None where it lives until it is ended.
    """

    id: UUID
    user_id: UUID
    username: str
    clients: Sequence[str]
    ip: str | None
    user_agent: str | None
    created_at: datetime
    last_seen_at: datetime
    auth_time: datetime
    amr: Sequence[str]
    acr: str
    expires_at: datetime | None
    active: bool
    ended_at: datetime | None
    ended_for: str | None


@dataclass(frozen=True, slots=True)
class IssueLine:
    """What was issued in one act, and hangs on a session or a grant."""

    id: UUID
    client_id: str
    kind: str
    scopes: Sequence[str]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class GrantLine:
    """What somebody has allowed an application."""

    id: UUID
    user_id: UUID
    username: str
    client: UUID
    client_id: str
    client_name: str
    scopes: Sequence[str]
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    active: bool


@dataclass(frozen=True, slots=True)
class SessionsWanted:
    """Which sessions a list is about; None asks nothing."""

    user: UUID | None = None
    client: UUID | None = None
    ip: str | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class GrantsWanted:
    """Which grants a list is about; None asks nothing."""

    user: UUID | None = None
    client: UUID | None = None
    scope: str | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How many ended; *complete* is False when there are more."""

    count: int
    complete: bool
