"""What a check found: a line for each question, with its remedy."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One question and its answer; *remedy* where something must be done."""

    check: str
    state: State
    found: str
    remedy: str = ""
