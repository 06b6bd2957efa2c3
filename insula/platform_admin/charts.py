"""Days and weeks as bars, with scales that people can read and a sentence for those who hear it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from insula.figures.models import Day

#: Every so many bars the axis says which one it is.
_NAMED: Final = 5
_STEPS: Final = (2, 4, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day or week."""

    label: str
    n: int
    bad: int
    is_named: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars, the tops of their scales, and words for what is *good*, *bad* and the *latest* bar."""

    bars: Sequence[Bar]
    top: int
    bad_top: int
    good: str
    bad: str
    latest: str

    @property
    def is_empty(self) -> bool:
        return not any(bar.n or bar.bad for bar in self.bars)

    @property
    def said(self) -> str:
        """The chart in a sentence."""
        most = max(self.bars, key=lambda bar: bar.n)
        sums = f"{self.good.capitalize()}: {sum(bar.n for bar in self.bars):,}"
        if self.bad:
            sums += f", {self.bad}: {sum(bar.bad for bar in self.bars):,}"
        span = f"{self.bars[0].label} to {self.bars[-1].label}"
        return f"{sums}, {span}. Most on {most.label}: {most.n:,}."


def top_of(n: int) -> int:
    """The end of a scale that holds *n* and whose half is a round number too."""
    power = 1
    while True:
        for step in _STEPS:
            if n <= step * power:
                return step * power
        power *= 10


def _label(day: date) -> str:
    return f"{day.day} {day:%b}"


def chart_of(
    days: Sequence[Day] | None, good: str, bad: str = "", latest: str = ""
) -> Chart | None:
    """The chart of *days*; None where these could not be had."""
    if days is None:
        return None
    last = len(days) - 1
    return Chart(
        [
            Bar(_label(each.day), each.n, each.bad, (last - n) % _NAMED == 0)
            for n, each in enumerate(days)
        ],
        top_of(max(each.n for each in days)),
        top_of(max(each.bad for each in days)),
        good,
        bad,
        latest or "today so far",
    )
