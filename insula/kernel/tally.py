"""
What happened how often on which day: counted in memory, and taken from here to be written down.

Like the metrics these are the process's own. Nothing waits for them: a process that is killed
loses what it counted since they were last taken, so they are figures for people and no evidence.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from insula.kernel import clock

_DAY: Final = 86_400
#: So many different lines wait at most; what is new beyond them is not counted.
_MOST: Final = 50_000

SIGN_IN: Final = "sign_in"
SIGN_IN_FAILED: Final = "sign_in_failed"


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """
    What is counted for a tenant on a day.

    *client* is the id of the application that it is about; empty where it is about none.
    """

    day: date
    client: str
    what: str


#: How often and when last, in seconds since 1970, by line.
Lines = Mapping[Line, tuple[int, float]]


class Tally:
    """Counts until somebody takes what was counted."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._counts: dict[tuple[UUID, int, str, str], tuple[int, float]] = {}

    def __len__(self) -> int:
        """How many different lines wait."""
        return len(self._counts)

    def count(self, tenant: UUID, what: str, client: UUID | None = None) -> None:
        """Once more, today; *what* is one of few words of ours."""
        now = clock.now()
        self._add((tenant, int(now // _DAY), str(client or ""), what), 1, now)

    def _add(self, key: tuple[UUID, int, str, str], n: int, at: float) -> None:
        before = self._counts.get(key)
        if before is not None:
            self._counts[key] = (before[0] + n, max(before[1], at))
        elif len(self._counts) < self._most:
            self._counts[key] = (n, at)

    def take(self) -> dict[UUID, Lines]:
        """Everything since the last time, by tenant; it is counted no more."""
        taken, self._counts = self._counts, {}
        found: dict[UUID, dict[Line, tuple[int, float]]] = defaultdict(dict)
        for (tenant, day, client, what), counted in taken.items():
            line = Line(datetime.fromtimestamp(day * _DAY, UTC).date(), client, what)
            found[tenant][line] = counted
        return dict(found)

    def give_back(self, taken: Mapping[UUID, Lines]) -> None:
        """What could not be written down is counted on."""
        for tenant, lines in taken.items():
            for line, (n, at) in lines.items():
                day = line.day.toordinal() - date(1970, 1, 1).toordinal()
                self._add((tenant, day, line.client, line.what), n, at)


TALLY: Final = Tally()
