"""A deletion as it is told."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from insula.deletion.models import Deletion as Found


class Deletion(BaseModel):
    """A deletion and how far it is; *certificate* is a JWS of this issuer, at the end."""

    tenant_id: UUID
    slug: str
    state: Literal["scheduled", "undone", "purging", "paused", "purged"]
    reason: str
    requested_at: datetime
    due_at: datetime
    finished_at: datetime | None
    rows_deleted: int
    rows_estimated: int
    certificate: str | None
    slug_free_at: datetime | None

    @classmethod
    def of(cls, found: Found) -> "Deletion":
        return cls(
            tenant_id=found.subject,
            slug=found.slug,
            state=found.state,
            reason=found.reason,
            requested_at=found.requested_at,
            due_at=found.due_at,
            finished_at=found.finished_at,
            rows_deleted=found.rows_deleted,
            rows_estimated=found.rows_estimated,
            certificate=found.certificate,
            slug_free_at=found.slug_free_at,
        )


class Restored(BaseModel):
    """The status that a tenant has again."""

    slug: str
    status: str


class Purge(BaseModel):
    """Let a purge rest, or go on."""

    model_config = ConfigDict(extra="forbid")

    paused: bool = Field(examples=[True])
