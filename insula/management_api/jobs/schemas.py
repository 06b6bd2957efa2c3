"""Jobs as they are told."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from insula.jobs.board import JobView


class Job(BaseModel):
    """A job; *tenant* is a slug, null for work of the installation."""

    id: int
    task: str
    status: str
    attempts: int
    tenant: str | None
    ids: dict[str, Any] = Field(description="What it is about.")
    queued_at: datetime | None
    scheduled_at: datetime | None
    error: str | None = Field(description="Why its last try failed.")
    failed_at: datetime | None

    @classmethod
    def of(cls, view: JobView) -> "Job":
        return cls(
            id=view.id,
            task=view.task,
            status=view.status,
            attempts=view.attempts,
            tenant=view.slug,
            ids=dict(view.ids),
            queued_at=view.queued_at,
            scheduled_at=view.scheduled_at,
            error=view.error,
            failed_at=view.failed_at,
        )
