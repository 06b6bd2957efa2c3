"""What is remembered of saves: who, when, the whole as a version; and what a bound forbids."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Who set a value or a bound (type and id of an audit actor), and when.

    *used_at* is when a secret was last opened, to the hour.
    """

    by: Mapping[str, Any]
    at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """A value beyond a bound."""

    field: str
    value: Any
    bound: Any
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A save: *number* counts from 1 in each scope, *snapshot* is everything as it then was."""

    number: int
    at: datetime
    act: str
    by: Mapping[str, Any]
    reason: str
    changed: tuple[str, ...]
    snapshot: Mapping[str, Any]
