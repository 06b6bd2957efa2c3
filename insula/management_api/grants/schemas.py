"""Grants as they are told."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from insula.management_api.sessions.schemas import Issue


class Grant(BaseModel):
    """What somebody has allowed an application."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: UUID
    username: str
    client: UUID
    client_id: str
    client_name: str
    scopes: list[str]
    granted_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    active: bool


class GrantDetail(Grant):
    """A grant with the newest of what was issued under it, a hundred at most."""

    issues: list[Issue]
