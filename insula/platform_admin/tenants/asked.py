"""What the address of the list asks for, and the addresses that ask for something else."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from insula.platform_admin.navigation import TENANTS
from insula.registry.models import SHOWN_BY_DEFAULT, STATUSES, Cursor, Filter, Sort

_COLUMNS: Final[tuple[Sort, ...]] = ("attention", "slug", "newest", "users", "activity")
#: Chips and their addresses: what it is, whether the list is narrowed to it, what turns that round.
Chip = tuple[str, bool, str]


def read(search: str, statuses: list[str], sort: str, *, in_need: bool) -> Filter:
    order = sort or _usual(search.strip())
    return Filter.read(search, statuses, order, in_need=in_need)


def _usual(search: str) -> Sort:
    """Who looks for a name wants that name first; who looks around, what is wrong."""
    return "slug" if search else "attention"


def chosen_sort(wanted: Filter) -> str:
    """The order that the address has to name."""
    return "" if wanted.sort == _usual(wanted.search) else wanted.sort


def address(wanted: Filter, cursor: Cursor | None = None, path: str = TENANTS) -> str:
    """The list of a filter: everything stands in the URL."""
    pairs = [("q", wanted.search)] if wanted.search else []
    if wanted.statuses != SHOWN_BY_DEFAULT:
        pairs += [("status", status) for status in wanted.statuses]
    if wanted.in_need:
        pairs.append(("attention", "1"))
    if sort := chosen_sort(wanted):
        pairs.append(("sort", sort))
    if cursor is not None:
        pairs.append(("at", cursor.write()))
    return f"{path}?{urlencode(pairs)}" if pairs else path


def chips(wanted: Filter, totals: Mapping[str, int]) -> list[Chip]:
    """One for each status."""
    chosen = () if wanted.statuses == SHOWN_BY_DEFAULT else wanted.statuses
    return [
        (status, status in chosen, address(replace(wanted, statuses=_turned(chosen, status))))
        for status in STATUSES
        if status != "deleting" or status in chosen or totals.get(status)
    ]


def _turned(chosen: tuple[str, ...], status: str) -> tuple[str, ...]:
    return tuple(s for s in STATUSES if (s in chosen) != (s == status)) or SHOWN_BY_DEFAULT


def need_chip(wanted: Filter) -> Chip:
    return "attention", wanted.in_need, address(replace(wanted, in_need=not wanted.in_need))


def sorts(wanted: Filter) -> dict[str, tuple[str, str]]:
    """For each column that can be sorted by: the address, and how it is sorted now."""
    return {
        sort: (
            address(replace(wanted, sort=sort)),
            ("ascending" if sort == "slug" else "descending") if sort == wanted.sort else "none",
        )
        for sort in _COLUMNS
    }
