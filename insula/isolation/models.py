"""What one run of the probe asked and found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

Door = Literal["app_once", "app_transaction", "platform", "http"]
Bound = Literal["other", "nobody"]
Result = Literal["passed", "incomplete", "failed"]

#: A run is begun every minute; after this long without one, nobody can say how it stands.
STALE_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Table:
    """A table with rows of tenants; *key* is the column that says whose."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Cell:
    """
    One question: a canary's rows of *table*, by *door*, with another or nobody bound.

    By the door `http` the host of another is asked, and *table* is what was brought there.
    """

    door: Door
    bound: Bound
    table: str

    def __str__(self) -> str:
        return f"{self.table} by {self.door}, {self.bound} bound"


@dataclass(frozen=True, slots=True)
class Found:
    """
    What a run came to.

    *failures* are cells that showed a row or let something in; *unproved* are tables in which a
    canary has no row, so that nothing is proved by seeing none, and what is not good even at home.
    """

    tables: Sequence[str]
    #: What was brought to the other's host.
    brought: Sequence[str]
    cells: int
    failures: Sequence[Cell]
    unproved: Sequence[str]

    @property
    def result(self) -> Result:
        if self.failures:
            return "failed"
        return "incomplete" if self.unproved else "passed"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is kept; *report* is a JWS of the tenant `_platforms` that says the same."""

    id: UUID
    at: datetime
    release: str
    result: Result
    cells: int
    failures: Sequence[Cell]
    unproved: Sequence[str]
    failures_so_far: int
    passed_at: datetime | None
    report: str
