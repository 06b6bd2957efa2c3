"""
Whom a change of settings would shut out, counted before it is saved (BEY-3).

A domain says so beside its section: for what holds and what would, how many applications, people or
sessions could no longer do what they do. The catalogue knows who counts for which section.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from insula.tenancy.db import Connection

#: How many are looked at, and how many are named.
MOST: Final = 10_000
NAMED: Final = 100


@dataclass(frozen=True, slots=True)
class Impact:
    """
    What the change of *field* does to *affected* of *total* things of a *kind*.

    *text* ends the sentence that begins with their number. At most `MOST` are looked at, and
    *is_exact* is false where there are more. *names* has the first hundred, if they were asked for.
    """

    field: str
    kind: str
    text: str
    affected: int
    total: int
    is_exact: bool = True
    names: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Such as: 12 of 40 applications could not use the device grant any more."""
        noun = self.kind if self.total == 1 else f"{self.kind}s"
        of_all = f"{self.total:,}" if self.is_exact else f"the first {self.total:,}"
        return f"{self.affected:,} of {of_all} {noun} {self.text}"


#: Counts for the bound tenant from what holds to what would; with names, if they are asked for.
Counting = Callable[[Connection, Any, Any, bool], Awaitable[list[Impact]]]
