"""What administrators ask about people, and what they may do to which of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from insula.accounts.errors import InvalidUser
from insula.accounts.models import Role, Status
from insula.tenancy.models import PLATFORMS

_OF_THE_PLATFORM: Final[frozenset[str]] = frozenset({"platform_admin", "platform_viewer"})

Change = Literal["enable", "disable", "lock", "unlock"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the tenant, as their administrators see them."""

    id: UUID
    username: str
    email: str | None
    email_verified: bool
    name: str | None
    given_name: str | None
    family_name: str | None
    locale: str | None
    zoneinfo: str | None
    phone_number: str | None
    attributes: Mapping[str, Any]
    status: Status
    locked_until: datetime | None
    must_change_password: bool
    has_password: bool
    roles: Sequence[str]
    created_at: datetime
    updated_at: datetime
    last_login_at: datetime | None

    @property
    def is_enabled(self) -> bool:
        return self.status != "disabled"


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    Whom a list is about; None asks nothing.

    *q* is part of a user name, an address or a name.
    """

    q: str | None = None
    enabled: bool | None = None
    locked: bool | None = None
    email_verified: bool | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """People of one page; *place* is where the next one begins, None where there is none."""

    people: Sequence[Person]
    place: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one of many; *refused* is the code of why nothing did."""

    id: UUID
    refused: str | None = None
    description: str = field(default="")


def check_role(tenant_slug: str, role: Role) -> None:
    """Allow a role that there is in the tenant. Raises `InvalidUser`."""
    if role in _OF_THE_PLATFORM and tenant_slug != PLATFORMS:
        raise InvalidUser("a role of the platform alone", field="role")
