"""A tenant as a line of a list, which lines are asked for, and places between them."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from insula.registry.errors import CursorInvalid
from insula.tenancy.models import Naming

Sort = Literal["attention", "slug", "newest", "users", "activity"]
STATUSES: Final = ("active", "suspended", "archived", "deleting")
#: Archived tenants are looked for by name of their status (D07).
SHOWN_BY_DEFAULT: Final = ("active", "suspended", "deleting")
_SORTS: Final[Mapping[str, Sort]] = {sort: sort for sort in get_args(Sort)}
_LONGEST_SEARCH: Final = 120


@dataclass(frozen=True, slots=True)
class TenantLine:
    """One tenant in the registry, with what is kept about it; *mark* is its place in the list."""

    id: UUID
    slug: str
    display_name: str
    status: str
    protected: bool
    created_at: datetime
    updated_at: datetime
    users: int
    last_sign_in_at: datetime | None
    mark: str
    hosts: tuple[str, ...] = ()
    primary_host: str | None = None

    @property
    def domain(self) -> str | None:
        """Its primary login domain."""
        return self.primary_host

    def issuer(self, naming: Naming) -> str:
        return naming.origin(self.domain or naming.host(self.slug))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tenants, and in which order; a search is by the beginning of slug, name or domain."""

    search: str = ""
    statuses: tuple[str, ...] = SHOWN_BY_DEFAULT
    sort: Sort = "slug"
    #: Those alone in which something is wrong.
    in_need: bool = False

    @classmethod
    def read(
        cls, search: str, statuses: list[str], sort: str, *, in_need: bool = False
    ) -> "Filter":
        """What a query says; what nobody knows is left out."""
        known = tuple(status for status in STATUSES if status in statuses)
        search = search.strip().replace("\0", "").lower()[:_LONGEST_SEARCH]
        return cls(search, known or SHOWN_BY_DEFAULT, _SORTS.get(sort, "slug"), in_need)

    @property
    def is_default(self) -> bool:
        return self.takes_all and self.statuses == SHOWN_BY_DEFAULT

    @property
    def takes_all(self) -> bool:
        """Whether the kept numbers say how many there are."""
        return not (self.search or self.in_need)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list: after or before the line with this mark."""

    mark: str
    id: UUID
    backwards: bool = False

    def write(self) -> str:
        text = f"{'b' if self.backwards else 'a'}{self.id.hex}{self.mark}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Raises `CursorInvalid`; an empty one is no place."""
        if not text:
            return None
        try:
            plain = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True).decode()
            if plain[0] not in "ab" or "\0" in plain:
                raise CursorInvalid
            return cls(plain[33:], UUID(plain[1:33]), backwards=plain[0] == "b")
        except (ValueError, IndexError, binascii.Error) as error:
            raise CursorInvalid from error


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines and the places around them; *total* when it is known without counting."""

    lines: list[TenantLine]
    previous: Cursor | None
    following: Cursor | None
    total: int | None
    #: How many tenants there are of each status.
    totals: Mapping[str, int]
    #: What it is sorted by: a search that finds very many is not sorted by what was asked for.
    sort: Sort
    #: In how many of these statuses something is wrong, as far as the order had to know: some.
    in_need: int | None = None


@dataclass(frozen=True, slots=True)
class Ailment:
    """Something that is wrong in a tenant; a *host* whose proof fails, or else a late key."""

    host: str | None
    #: It names the issuer.
    is_primary: bool = False
    #: It leads nowhere any more.
    has_lapsed: bool = False


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A signing key without anything secret."""

    tenant_id: UUID
    kid: str
    alg: str
    state: str
    due_at: datetime | None = None
    slug: str = ""
    published_at: datetime | None = None
    revoked_at: datetime | None = None
    #: Since when it would sign if these applications were not behind.
    waiting_since: datetime | None = None
    waits_for: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Rotations:
    """What happens to keys across tenants: some of each, and at most so many."""

    #: Their time came and was missed, the oldest first.
    overdue: list[KeyLine]
    #: They wait for applications, the longest first.
    waiting: list[KeyLine]
    coming: list[KeyLine]
    #: In the last 30 days, the newest first.
    revoked: list[KeyLine]


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change of status touches; counts beyond *bound* are told as the bound."""

    users: int
    sessions: int
    clients: int
    hosts: int
    bound: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All tenants at a glance; counts beyond *bound* are told as the bound."""

    totals: Mapping[str, int]
    made_this_week: int
    active_today: int
    bound: int
    largest: list[TenantLine] = field(default_factory=list)
    liveliest: list[TenantLine] = field(default_factory=list)

    @property
    def all(self) -> int:
        return sum(self.totals.values())
