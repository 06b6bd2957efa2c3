"""What a line of the record says, and what it may not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

Status = Literal["success", "failed", "info", "warning"]
ActorType = Literal["user", "admin", "client", "system", "platform"]

_FORBIDDEN: Final = ("password", "token", "secret", "code", "key", "hash")
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True)
class Actor:
    """
    Who acted, and from where; all of it may be unknown.

    *by_documents* says that they apply documents, which own what they name (BEY-12). *name* is what
    a person is called now; the record keeps their id alone.
    """

    type: ActorType
    id: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    by_documents: bool = False
    name: str | None = None


SYSTEM: Final = Actor("system")


@dataclass(frozen=True, slots=True)
class Event:
    """One line: `<object>.<past tense>` of the catalogue in features.md, group W."""

    event: str
    actor: Actor
    status: Status = "success"
    target_type: str | None = None
    target_id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for; None asks nothing. Moments are a half-open range."""

    event: str | None = None
    status: Status | None = None
    actor_type: ActorType | None = None
    actor_id: str | None = None
    target_type: str | None = None
    target_id: str | None = None
    user: str | None = None
    ip: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the record, as it was written."""

    id: UUID
    at: datetime
    event: str
    status: Status
    actor_type: ActorType
    actor_id: str | None
    on_behalf_of: str | None
    target_type: str | None
    target_id: str | None
    ip: str | None
    user_agent: str | None
    request_id: str | None
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """Lines of one page, newest first; *place* is where the next one begins, if there is one."""

    lines: Sequence[Line]
    place: tuple[datetime, UUID] | None


@dataclass(frozen=True, slots=True)
class Lines:
    """
    Which lines of the record are asked for, within *span* of now.

    *words* is the beginning of an event's name, or the whole of an actor's, target's or request's
    id. *after* is the last line that was seen: its moment and its id.
    """

    span: timedelta
    words: str = ""
    statuses: tuple[Status, ...] = ()
    after: tuple[str, str] | None = None


_ADDRESS: Final = re.compile(r"([^\s@<>\"']{1,64})@([^\s@<>\"']{1,255})")


def masked(text: str) -> str:
    """A text whose e-mail addresses keep their first letters: `a•••@e•••.com` (W03)."""

    def mask(found: re.Match[str]) -> str:
        name, domain = found.groups()
        rest = domain.rpartition(".")[2] if "." in domain else ""
        return f"{name[0]}•••@{domain[0]}•••{'.' if rest else ''}{rest}"

    return _ADDRESS.sub(mask, text)


def scrub(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata without anything that is named like a secret, strings cut at 512 characters."""
    clean: dict[str, Any] = {}
    for name, value in metadata.items():
        if any(word in name.lower() for word in _FORBIDDEN):
            continue
        if isinstance(value, Mapping):
            clean[name] = scrub(value)
        elif isinstance(value, list | tuple):
            clean[name] = [plain(v) if isinstance(v, str) else v for v in value][:100]
        else:
            clean[name] = plain(value) if isinstance(value, str) else value
    return clean


def plain(text: str, longest: int = _LONGEST) -> str:
    """A text as the database takes it: cut, without NUL and half characters."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\0", "")[:longest]
