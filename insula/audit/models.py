"""What a line of the record says, and what it may not."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from insula.kernel.errors import Invalid

Status = Literal["success", "failed", "info", "warning"]
ActorType = Literal["user", "admin", "client", "system", "platform"]
#: A line that was seen, after which others are asked for: its moment and its id.
Place = tuple[datetime, UUID]

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
    """
    Which lines are asked for; None asks nothing. Moments are a half-open range.

    *event* is one, or with a dot at its end all that begin so. Of *words* one is the beginning of
    an event, the whole id of an actor, a target or a request, or an address.
    """

    words: tuple[str, ...] = ()
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
    place: Place | None


def write_place(place: Place) -> str:
    """A place as it stands in a link."""
    return f"{place[0].isoformat()}|{place[1]}"


def read_place(text: str) -> Place | None:
    """The place that a link names, if it does. Raises `Invalid`."""
    if not text:
        return None
    at, _, line = text.partition("|")
    try:
        place = (datetime.fromisoformat(at), UUID(line))
        place[0].astimezone()
    except (ValueError, OverflowError) as error:
        raise Invalid("The link leads to no page of this list.", code="cursor_invalid") from error
    return place


_ADDRESS: Final = re.compile(r"([^\s@<>\"']{1,64})@([^\s@<>\"']{1,255})")


def masked(text: str) -> str:
    """A text whose e-mail addresses keep their first letters: `a•••@e•••.com` (W03)."""

    def mask(found: re.Match[str]) -> str:
        name, domain = found.groups()
        rest = domain.rpartition(".")[2] if "." in domain else ""
        return f"{name[0]}•••@{domain[0]}•••{'.' if rest else ''}{rest}"

    return _ADDRESS.sub(mask, text)


def masked_line(line: Line) -> Line:
    """A line as people see it, who need no whole address."""
    return replace(
        line,
        actor_id=_masked(line.actor_id),
        target_id=_masked(line.target_id),
        user_agent=_masked(line.user_agent),
        metadata=_masked(line.metadata),
    )


def _masked(value: Any) -> Any:  # noqa: ANN401  (a value of a line, or within one)
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {name: _masked(each) for name, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value


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
