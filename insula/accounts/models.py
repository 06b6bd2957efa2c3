"""A user, and the pure rules about names and passwords."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from insula.accounts.attributes import STANDARD
from insula.accounts.errors import InvalidUser, WeakPassword
from insula.accounts.settings import PasswordPolicy

Status = Literal["active", "disabled", "locked"]
Role = Literal["user", "auditor", "admin", "superadmin", "platform_admin", "platform_viewer"]
#: Losing one of these ends what was issued under it (features.md G11).
PRIVILEGED: Final[frozenset[Role]] = frozenset(
    {"auditor", "admin", "superadmin", "platform_admin", "platform_viewer"}
)

LONGEST_PASSWORD = 128
#: A lock that does not end by itself, beside a status that says something else.
FOR_EVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
#: A lock that is to end by itself ends within ten years.
LONGEST_LOCK: Final = timedelta(days=3650)

_USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,118}[A-Za-z0-9])?\Z")
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f<>()\[\]\\,;:\"]{1,64}@[^@\s]{1,189}\Z")

#: The most common long passwords, as lower-case words; the breached list comes with recovery.
_COMMON = frozenset(
    {
        "passwordpassword", "password1234567", "123456789012345", "1234567890123456",
        "qwertyuiopasdfg", "qwertyuiopasdfgh", "aaaaaaaaaaaaaaa", "correcthorsebatterystaple",
        "passwordpassword1", "iloveyouiloveyou", "changemechangeme", "letmeinletmeinletmein",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class User:
    """A person of a tenant, without what proves them."""

    id: UUID
    username: str
    email: str | None
    email_verified: bool
    display_name: str | None
    status: Status
    must_change_password: bool
    created_at: datetime
    last_login_at: datetime | None

    @property
    def label(self) -> str:
        """What people recognise themselves by."""
        return self.display_name or self.username


def normalise_name(text: str) -> str:
    """A user name or address in the form it is looked up by."""
    return unicodedata.normalize("NFKC", text.strip()).casefold()


def check_username(username: str) -> None:
    if not _USERNAME.match(username):
        raise InvalidUser(
            "letters, digits, dots, hyphens and underscores, 1 to 120 of them",
            field="username",
            example="ada.lovelace",
        )


def check_email(email: str) -> None:
    if not _EMAIL.match(email):
        raise InvalidUser("is not an e-mail address", field="email", example="ada@acme.example")


def check_password(password: str, policy: PasswordPolicy, context: Iterable[str]) -> None:
    """
    Refuse a password that is short, common, or made of what everybody knows about the person.

    No rules about kinds of characters, no truncation (security rows 52 to 55). *context* are
    words like the tenant's name and the person's address.
    """
    plain = unicodedata.normalize("NFC", password)
    if len(plain) < policy.min_length:
        raise WeakPassword(f"Use at least {policy.min_length} characters.", field="new_password")
    if len(plain) > LONGEST_PASSWORD:
        raise WeakPassword(f"Use at most {LONGEST_PASSWORD} characters.", field="new_password")
    folded = normalise_name(plain)
    if folded in _COMMON or len(set(folded)) < 4:  # noqa: PLR2004  (clearer than a name)
        raise WeakPassword("This password is too common.", field="new_password")
    rest = folded
    for word in sorted({normalise_name(w) for w in context if w}, key=len, reverse=True):
        if len(word) >= 3:  # noqa: PLR2004  (shorter words are everywhere)
            rest = rest.replace(word, "")
    if len(rest) < policy.min_length // 2:
        raise WeakPassword(
            "This password is mostly your name, your address or the organisation's name.",
            field="new_password",
        )


def standard_claims(row: Mapping[str, Any]) -> dict[str, Any]:
    """The standard claims of a stored user; absent values are left out (OIDCC-5.1)."""
    name = row.get("display_name") or " ".join(
        part for part in (row.get("given_name"), row.get("family_name")) if part
    )
    claims: dict[str, Any] = {
        "name": name or row["username"],
        "given_name": row.get("given_name"),
        "family_name": row.get("family_name"),
        "preferred_username": row["username"],
        "email": row.get("email"),
        "email_verified": row.get("email_verified") if row.get("email") else None,
        "phone_number": row.get("phone_number"),
        "phone_number_verified": row.get("phone_verified") if row.get("phone_number") else None,
        "locale": row.get("locale"),
        "zoneinfo": row.get("zoneinfo"),
        "updated_at": row.get("updated_at"),
    }
    attributes = row.get("attributes") or {}
    claims |= {name: attributes.get(name) for name in STANDARD}
    return {name: value for name, value in claims.items() if value not in (None, "", {})}


def mapped_claims(attributes: Mapping[str, Any], mappings: Mapping[str, str]) -> dict[str, Any]:
    """
    The claims of a tenant's own, by *mappings* of claim to attribute.

    Who does not have the attribute does not get the claim (UI-5).
    """
    return {
        claim: attributes[attribute]
        for claim, attribute in mappings.items()
        if attributes.get(attribute) is not None
    }
