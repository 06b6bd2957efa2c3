"""What a caller is told of itself."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class TenantOfCaller(BaseModel):
    id: UUID
    slug: str
    display_name: str
    issuer: str


class UserOfCaller(BaseModel):
    id: UUID
    sub: str
    roles: list[str]


class Me(BaseModel):
    """The caller: a client for itself, or for *user*."""

    client_id: str
    client_name: str
    user: UserOfCaller | None
    tenant: TenantOfCaller
    scopes: list[str]
    expires_at: datetime
