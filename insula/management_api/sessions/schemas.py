"""Sessions as they are told."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class Session(BaseModel):
    """Somebody signed in with one browser."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: UUID
    username: str
    clients: list[str] = Field(description="Ids of the applications that it reached.")
    ip: str | None
    user_agent: str | None
    created_at: datetime
    last_seen_at: datetime
    auth_time: datetime
    amr: list[str]
    acr: str
    expires_at: datetime | None = Field(description="Null: when it is ended, and not before.")
    active: bool
    ended_at: datetime | None
    ended_for: str | None


class Issue(BaseModel):
    """What was issued in one act; whoever revokes it ends every token that came of it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    client_id: str
    kind: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None


class SessionDetail(Session):
    """A session with the newest of what was issued in it, a hundred at most."""

    issues: list[Issue]


class Ended(BaseModel):
    """How many ended; where it is not complete, ask again."""

    revoked_count: int
    complete: bool
