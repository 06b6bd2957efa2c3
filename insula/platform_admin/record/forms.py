"""What the record is narrowed by: it stands in the address, in the words of the API (W01)."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Self, get_args
from urllib.parse import urlencode

from insula.audit.models import ActorType, Status

PATH: Final = "/platform/audit"
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
ACTORS: Final[tuple[ActorType, ...]] = get_args(ActorType)
_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a filter's form: a date, one of *options*, or else a text."""

    name: str
    label: str
    help: str = ""
    options: tuple[str, ...] = ()
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter: what it is set to, if it is, the address without it, and its form."""

    name: str
    value: str
    remove: str
    fields: tuple[Field, ...]
    is_wrong: bool


_PERSON: Final = "An id, or the user name or e-mail address of somebody of the platform."
_CHIPS: Final[tuple[tuple[str, tuple[Field, ...]], ...]] = (
    ("When", (
        Field("since", "From", is_date=True),
        Field("until", "To, that day included", "Days are those of UTC.", is_date=True),
    )),
    ("Result", (Field("status", "Result", options=STATUSES),)),
    ("Event", (
        Field("event", "Event", "Such as tenant.updated; tenant. is all that happens to tenants."),
    )),
    ("Actor", (
        Field("actor_type", "Kind of actor", options=ACTORS),
        Field("actor_id", "Who acted", f"{_PERSON} Of an application its client id."),
    )),
    ("Target", (
        Field("target_type", "Kind of target", "Such as tenant, user, client, domain or config."),
        Field("target_id", "What it was done to", "The whole id, or the slug of a tenant."),
    )),
    ("Person", (Field("user_id", "Who acted, or to whom it was done", _PERSON),)),
    ("Address", (Field("ip", "IP address"),)),
    ("Request", (Field("request_id", "Request id", "What one request did stands under one id."),)),
)  # fmt: skip
_NAMES: Final = ("q", *(field.name for _, fields in _CHIPS for field in fields))


def read_moment(text: str, *, end: bool = False) -> datetime:
    """A moment with its zone, or a day, of which it is the begin or the *end*."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("a moment without its zone is a guess") from None
        return moment.astimezone(UTC)
    return datetime.combine(day + timedelta(days=1 if end else 0), time(), UTC)


def _among(known: Sequence[str]) -> Callable[[str], object]:
    return known.index


@dataclass(frozen=True, slots=True)
class Filter:
    """What was typed, by the name of its field; what is empty is not there."""

    typed: Mapping[str, str]

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        typed = {name: query.get(name, "").strip().replace("\0", "") for name in _NAMES}
        return cls({name: text[:_LONGEST] for name, text in typed.items() if text})

    def get(self, name: str) -> str | None:
        return self.typed.get(name)

    def address(self, path: str = PATH, **other: str) -> str:
        """The filter in an address; *other* is set as well, or with nothing taken out."""
        kept = {name: text for name, text in {**self.typed, **other}.items() if text}
        return f"{path}?{urlencode(kept)}" if kept else path

    def errors(self) -> list[tuple[str, str]]:
        """Which fields cannot be, and why."""
        checks: Mapping[str, tuple[Callable[[str], object], str]] = {
            "since": (read_moment, "This must be a day, such as 2026-11-30."),
            "until": (read_moment, "This must be a day, such as 2026-11-30."),
            "ip": (ipaddress.ip_address, "This must be an IP address, such as 203.0.113.9."),
            "status": (_among(STATUSES), "There is no such result."),
            "actor_type": (_among(ACTORS), "There is no such kind of actor."),
        }
        found = []
        for name, (check, said) in checks.items():
            try:
                if name in self.typed:
                    check(self.typed[name])
            except (ValueError, OverflowError):
                found.append((name, said))
        return found

    def chips(self) -> list[Chip]:
        wrong = {name for name, _ in self.errors()}
        return [self._chip(name, fields, wrong) for name, fields in _CHIPS]

    def _chip(self, name: str, fields: tuple[Field, ...], wrong: set[str]) -> Chip:
        names = [field.name for field in fields]
        told = [(field, self.typed[field.name]) for field in fields if field.name in self.typed]
        value = " ".join(f"{f.name} {text}" if f.is_date else text for f, text in told)
        remove = self.address(**dict.fromkeys(names, ""))
        return Chip(name, value, remove, fields, not wrong.isdisjoint(names))
