"""One measured thing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """The note says against what it is held."""

    name: str
    value: float
    unit: str
    note: str = ""
