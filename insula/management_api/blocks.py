"""Figures of a dashboard, each by itself: one that fails says so, and the others are told."""

from collections.abc import Awaitable, Sequence
from datetime import date
from typing import Final

from pydantic import BaseModel, Field

from insula.figures.models import Day
from insula.figures.service import attempt

_FAILED: Final = "This figure is not available at the moment."


class Figure(BaseModel):
    """How many there are; nothing but *error* where that cannot be told."""

    value: int | None
    exact: bool | None = Field(description="False: there are at least so many.")
    error: str | None = None


class Point(BaseModel):
    """What happened on a day, or in the week that begins with it."""

    day: date
    n: int
    bad: int = Field(description="Those that failed; 0 where nothing can.")


class Series(BaseModel):
    """Every day or week of a chart, the oldest first, in UTC; none where there is an *error*."""

    data: list[Point]
    error: str | None = None


async def figure(what: str, work: Awaitable[tuple[int, bool]]) -> Figure:
    return figure_of(await attempt(what, work))


def figure_of(found: tuple[int, bool] | None) -> Figure:
    """A figure of what was attempted for several of them together; None where that failed."""
    if found is None:
        return Figure(value=None, exact=None, error=_FAILED)
    n, exact = found
    return Figure(value=n, exact=exact)


async def series(what: str, work: Awaitable[Sequence[Day]]) -> Series:
    found = await attempt(what, work)
    if found is None:
        return Series(data=[], error=_FAILED)
    return Series(data=[Point(day=each.day, n=each.n, bad=each.bad) for each in found])
