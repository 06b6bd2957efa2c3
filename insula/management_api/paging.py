"""
Pages of a list, by key (features.md CR-3).

Where the next page begins is told as a sealed text: opaque, authenticated, and good for one list
of one tenant in one order only (security row 109).
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from insula.kernel.crypto import DoesNotOpen, open_under, seal_under
from insula.management_api.problems import Refusal

T = TypeVar("T")

_LONGEST: Final = 1500

Limit = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
AuditLimit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
After = Annotated[str | None, Query(max_length=_LONGEST, description="`next` of the page before.")]
IncludeCount = Annotated[
    bool, Query(description="Count them too: exact below 10,000, else at least so many.")
]


class Count(BaseModel):
    """How many there are in all."""

    value: int
    exact: bool = Field(description="False: there are at least so many.")


class PageOf(BaseModel, Generic[T]):
    """One page; *next* goes into `after` for the next one."""

    data: list[T]
    next: str | None = None
    has_more: bool = False
    count: Count | None = None


@dataclass(frozen=True, slots=True)
class Cursors:
    """Seals and opens places in lists, with a secret of the installation."""

    secret: str

    def seal(self, tenant_id: UUID, order: str, place: Sequence[str]) -> str:
        """*order* names the list and how it is sorted."""
        sealed = seal_under(self.secret, json.dumps(list(place)).encode(), _of(tenant_id, order))
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, tenant_id: UUID, order: str, cursor: str, parts: int) -> list[str]:
        """The place that was sealed, of so many *parts*. Raises `Refusal`."""
        try:
            sealed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            place = json.loads(open_under(self.secret, sealed, _of(tenant_id, order)))
        except (DoesNotOpen, binascii.Error, UnicodeError):
            place = []
        if len(place) != parts:
            raise Refusal(400, "cursor_invalid", "`after` is no place in this list.")
        return [str(part) for part in place]


def _of(tenant_id: UUID, order: str) -> str:
    return f"api cursor\0{tenant_id}\0{order}"
