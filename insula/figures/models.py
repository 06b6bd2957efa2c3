"""A chart's days, and what is told of an application."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from insula.kernel.tally import SIGN_IN, SIGN_IN_FAILED

#: How long days of tenants are kept (features.md H04), and how many a chart shows.
KEPT_DAYS: Final = 90
CHART_DAYS: Final = 30
CHART_WEEKS: Final = 12

TENANT_MADE: Final = "tenant_made"
POOL_HIT: Final = "pool_hit"
POOL_MISS: Final = "pool_miss"
ISSUED: Final = "issued:"
REFUSED: Final = "refused:"

__all__ = ["SIGN_IN", "SIGN_IN_FAILED"]

#: Counts by day and by what was counted.
Counts = Mapping[tuple[date, str], int]


@dataclass(frozen=True, slots=True)
class Day:
    """Two figures of a day, or of a week that begins with it: the good one and the bad one."""

    day: date
    n: int
    bad: int = 0


@dataclass(frozen=True, slots=True)
class OfClient:
    """What an application was given and refused; *issued* by day and grant type."""

    issued: Sequence[tuple[date, str, int]]
    refused: Mapping[str, int]
    last_at: datetime | None


def series(counts: Counts, today: date, good: str, bad: str = "") -> list[Day]:
    """Every day of a chart, the oldest first, with those on which nothing happened."""
    days = [today - timedelta(days=back) for back in reversed(range(CHART_DAYS))]
    return [Day(day, counts.get((day, good), 0), counts.get((day, bad), 0)) for day in days]


def weeks(counts: Counts, today: date, what: str) -> list[Day]:
    """Every week of a chart by its Monday, the oldest first."""
    monday = today - timedelta(days=today.weekday())
    first = [monday - timedelta(weeks=back) for back in reversed(range(CHART_WEEKS))]
    sums = dict.fromkeys(first, 0)
    for (day, counted), n in counts.items():
        week = day - timedelta(days=day.weekday())
        if counted == what and week in sums:
            sums[week] += n
    return [Day(week, n) for week, n in sums.items()]
