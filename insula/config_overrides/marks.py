"""What is remembered of saves, of those that are planned, and of what a bound forbids."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from insula.kernel.settings import Kind

#: Whose a plan is: a tenant's own values, what all inherit, or the floors and ceilings.
PlanScope = Literal["tenant", "defaults", "bounds"]


def called(by: Mapping[str, Any]) -> str:
    """What somebody was called, or their id, or what they are."""
    return str(by.get("name") or by.get("id") or by["type"])


def in_words(by: Mapping[str, Any]) -> str:
    """Who did something, such as `platform Olga Operator`, `client ins_cl_…` or `system`."""
    return str(by["type"]) if called(by) == by["type"] else f"{by['type']} {called(by)}"


def identity(by: Mapping[str, Any]) -> dict[str, Any]:
    """Who it is, without what they were called."""
    return {part: by.get(part) for part in ("type", "id")}


@dataclass(frozen=True, slots=True)
class Release:
    """Who gave a field back to people's hands, when and why."""

    by: Mapping[str, Any]
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """
    Whose documents decide a field (BEY-12), since when, and the *source* that they named.

    With *released* the field is in people's hands, until the owner claims it anew.
    """

    by: Mapping[str, Any]
    at: datetime
    source: str = ""
    released: Release | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Who set a value or a bound (type, id and perhaps name of an audit actor), and when.

    *used_at* is when a secret was last opened, to the hour. *owned* is of documents that claim the
    field. *template* names the template, with its version, that the value came from.
    """

    by: Mapping[str, Any]
    at: datetime | None = None
    used_at: datetime | None = None
    owned: Ownership | None = None
    template: str = ""

    @property
    def owner(self) -> Ownership | None:
        """Whose the field is now; None: anybody's who may."""
        return None if self.owned is None or self.owned.released else self.owned


@dataclass(frozen=True, slots=True)
class Violation:
    """A value beyond a bound of some *kind*."""

    field: str
    value: Any
    bound: Any
    mark: Mark | None = None
    kind: Kind = Kind.FREE

    @property
    def is_unlimited(self) -> bool:
        """Whether it is too much by having no limit."""
        return self.kind is Kind.CEIL_MAX0 and self.value == 0

    @property
    def too_many(self) -> tuple[str, ...]:
        """What of a list the bound does not hold."""
        if self.kind is not Kind.SUBSET:
            return ()
        return tuple(str(each) for each in self.value if each not in self.bound)


@dataclass(frozen=True, slots=True)
class Version:
    """A save: *number* counts from 1 in each scope, *snapshot* is everything as it then was."""

    number: int
    at: datetime
    act: str
    by: Mapping[str, Any]
    reason: str
    changed: tuple[str, ...]
    snapshot: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A change of a section that is put into effect at *due_at* (BEY-3).

    *changes* are as they are stored, secrets sealed; None takes a field back. With *failed_at* it
    could not be, because of *failure*, and waits for somebody who plans anew or takes it back.
    """

    id: UUID
    scope: PlanScope
    section: str
    changes: Mapping[str, Any]
    by: Mapping[str, Any]
    reason: str
    planned_at: datetime
    due_at: datetime
    failed_at: datetime | None = None
    failure: str = ""
