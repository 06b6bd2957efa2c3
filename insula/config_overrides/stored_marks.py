"""Marks and plans as they are stored beside the values, and back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from insula.config_overrides.marks import Mark, Ownership, Plan, PlanScope, Release


def read_marks(sections: Mapping[str, Mapping[str, Any]], kind: str) -> dict[str, Mark]:
    """The marks of all sections by `section.field`."""
    return {
        f"{key}.{name}": _mark(mark)
        for key, part in sections.items()
        for name, mark in part[kind].items()
    }


def read_plans(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[PlanScope, str], Plan]:
    """Plans by their scope and section."""
    return {
        (row["scope"], row["section"]): Plan(
            UUID(row["id"]),
            row["scope"],
            row["section"],
            row["changes"],
            row["actor"],
            row["reason"],
            datetime.fromisoformat(row["planned_at"]),
            datetime.fromisoformat(row["due_at"]),
            datetime.fromisoformat(row["failed_at"]) if row["failed_at"] else None,
            row["failure"],
        )
        for row in rows
    }


def _mark(stored: Mapping[str, Any]) -> Mark:
    owned = stored.get("owned")
    return Mark(
        stored["by"],
        datetime.fromisoformat(stored["at"]),
        datetime.fromisoformat(stored["used_at"]) if "used_at" in stored else None,
        read_ownership(owned) if owned else None,
        stored.get("template", ""),
    )


def read_ownership(stored: Mapping[str, Any]) -> Ownership:
    """An ownership, from what a stored mark has."""
    released = stored.get("released")
    return Ownership(
        stored["by"],
        datetime.fromisoformat(stored["at"]),
        stored.get("source", ""),
        Release(released["by"], datetime.fromisoformat(released["at"]), released["reason"])
        if released
        else None,
    )


def write_mark(mark: Mark) -> dict[str, Any]:
    """A mark with a time, as it is stored."""
    stored: dict[str, Any] = {"by": dict(mark.by), "at": mark.at.isoformat() if mark.at else None}
    if mark.used_at:
        stored["used_at"] = mark.used_at.isoformat()
    if mark.owned:
        stored["owned"] = write_ownership(mark.owned)
    if mark.template:
        stored["template"] = mark.template
    return stored


def write_ownership(owned: Ownership) -> dict[str, Any]:
    """An ownership as a stored mark has it."""
    stored: dict[str, Any] = {"by": dict(owned.by), "at": owned.at.isoformat()}
    if owned.source:
        stored["source"] = owned.source
    if owned.released:
        stored["released"] = {
            "by": dict(owned.released.by),
            "at": owned.released.at.isoformat(),
            "reason": owned.released.reason,
        }
    return stored
