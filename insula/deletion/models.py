"""A deletion and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

State = Literal["scheduled", "undone", "purging", "paused", "purged"]

#: After a purge nobody else may have the slug for this long.
SLUG_RESERVED_DAYS = 180


@dataclass(frozen=True, slots=True)
class Deletion:
    """
    One deletion. *estimate* and *deleted* are rows by table; a table's estimate stops at 100,000.

    *certificate* is a JWS of the tenant `_platforms`, once everything is gone.
    """

    id: UUID
    subject: UUID
    slug: str
    display_name: str
    reason: str
    requested_by: Mapping[str, Any]
    requested_at: datetime
    due_at: datetime
    undone_at: datetime | None
    started_at: datetime | None
    paused_at: datetime | None
    finished_at: datetime | None
    estimate: Mapping[str, int]
    deleted: Mapping[str, int]
    certificate: str | None
    slug_free_at: datetime | None

    @property
    def state(self) -> State:
        if self.finished_at:
            return "purged"
        if self.undone_at:
            return "undone"
        if self.paused_at:
            return "paused"
        return "purging" if self.started_at else "scheduled"

    @property
    def may_be_undone(self) -> bool:
        """Whether everything is still there: nothing was purged, resting or not."""
        return not (self.started_at or self.undone_at or self.finished_at)

    @property
    def rows_deleted(self) -> int:
        return sum(self.deleted.values())

    @property
    def rows_estimated(self) -> int:
        return sum(max(n, self.deleted.get(table, 0)) for table, n in self.estimate.items())
