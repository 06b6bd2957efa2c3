"""What is measured at each number of tenants, and what it is held against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SIZES: Final = (10, 1_000, 10_000, 100_000)


@dataclass(frozen=True, slots=True)
class Series:
    """
    One figure at every size.

    *most* is a budget for the value itself, *most_ratio* one for the last against the first.
    """

    name: str
    unit: str
    most: float | None = None
    most_ratio: float | None = None
    values: dict[int, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """The largest number of tenants against the smallest."""
        return self.values[max(self.values)] / self.values[min(self.values)]

    @property
    def share(self) -> float | None:
        """What was reached at the largest size, as a share of the budget: 1 and less meets it."""
        shares = []
        if self.most is not None:
            shares.append(self.values[max(self.values)] / self.most)
        if self.most_ratio is not None:
            shares.append(self.ratio / self.most_ratio)
        return max(shares, default=None)


def catalogue() -> list[Series]:
    """Every figure, in the order of the page."""
    return [
        Series("tenant resolution, warm", "µs", most=20, most_ratio=1.1),
        Series("tenant resolution, cold", "ms", most=20),
        Series("pool miss, p50", "ms"),
        Series("pool miss, p99", "ms", most=25),
        Series("/platform/tenants, first page, p50", "ms"),
        Series("/platform/tenants, first page, p95", "ms", most=300),
        Series("/platform/tenants, from the middle, p50", "ms"),
        Series("/platform/tenants, from the middle, p95", "ms", most=300),
        Series("/platform/tenants, sorted by people, p95", "ms", most=300),
        Series("search that finds ten, p50", "ms"),
        Series("search that finds ten, p95", "ms", most=300),
        Series("search that finds all, p95", "ms", most=300),
        Series("GET /api/v1/tenants, p95", "ms", most=300),
        Series("API search that finds none, p95", "ms", most=300),
        Series("tenant creation over the API, p50", "ms", most=1000),
        Series("tenant creation over the API, slowest", "ms", most=1000),
        Series("change to effect, with events, slowest", "ms", most=1000),
        Series("change to effect, events away, slowest", "ms", most=5000),
        Series("start-up of `serve`", "s"),
        Series("start-up of `serve`, CPU", "s"),
        Series("memory after start", "MB"),
        Series("memory after 1,000 tenants", "MB"),
    ]


def by_name(found: list[Series], measured: Mapping[str, float], size: int) -> None:
    """Note what was measured at *size*."""
    for series in found:
        series.values[size] = measured[series.name]
