"""
What is known of a person beyond name and address: the standard claims, and attributes of a tenant.

The usual standard claims have a column each; the rarer ones and a tenant's own attributes stand
side by side in one object. Rules of a value are those of its claim (OIDCC-5.1).
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from insula.accounts.errors import InvalidUser

#: Columns by the claim that they are told as, and set by.
COLUMNS: Final[Mapping[str, str]] = {
    "name": "display_name",
    "given_name": "given_name",
    "family_name": "family_name",
    "locale": "locale",
    "zoneinfo": "zoneinfo",
    "phone_number": "phone_number",
    "phone_number_verified": "phone_verified",
}
ADDRESS_MEMBERS: Final = (
    "formatted", "street_address", "locality", "region", "postal_code", "country",
)  # fmt: skip
_TEXTS: Final = ("middle_name", "nickname", "gender")
_URLS: Final = ("profile", "picture", "website")
#: Standard claims that live among the attributes.
STANDARD: Final = (*_TEXTS, *_URLS, "birthdate", "address")
#: Names with a meaning of their own, which no attribute may take.
_TAKEN: Final = frozenset(
    {"sub", "email", "email_verified", "preferred_username", "username", "updated_at", "password"}
)

_LONGEST_TEXT, _LONGEST_URL, _LONGEST_VALUE = 200, 2000, 1000
_MOST_ATTRIBUTES, _MOST_VALUES, _MOST_BYTES = 50, 50, 12_000

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+\Z")
_LINES = re.compile(r"[^\x00-\x09\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]+\Z")
_BIRTHDATE = re.compile(r"(\d{4})(?:-(\d{2})-(\d{2}))?\Z", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")
_ZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}\Z")
_PHONE = re.compile(r"\+[0-9]{1,15}\Z")  # E.164, as OIDCC-5.1 recommends


def read_changes(changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Check *changes* by claim or attribute; None takes a value away.

    What goes into columns, by column, and what goes into the attributes. Raises `InvalidUser`.
    """
    columns: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    for name, value in changes.items():
        if value is not None:
            _CHECKS.get(name, _check_own)(name, value)
        if name in COLUMNS:
            columns[COLUMNS[name]] = value
        else:
            attributes[name] = value
    if "phone_number" in columns or columns.get("phone_verified", False) is None:
        columns["phone_verified"] = bool(columns.get("phone_verified"))
    return columns, attributes


def merged(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge checked *changes* into stored attributes. Raises `InvalidUser` if it is too much."""
    after = {name: value for name, value in {**stored, **changes}.items() if value is not None}
    if len(after) > _MOST_ATTRIBUTES + len(STANDARD):
        raise InvalidUser(f"at most {_MOST_ATTRIBUTES} attributes", field="attributes")
    if len(json.dumps(after, ensure_ascii=False).encode()) > _MOST_BYTES:
        raise InvalidUser(f"at most {_MOST_BYTES} bytes in all", field="attributes")
    return after


def is_own_name(name: str) -> bool:
    """Whether a tenant may give this name to an attribute of its people."""
    return bool(_NAME.match(name)) and name not in _CHECKS and name not in _TAKEN


def _refuse(field: str, why: str, example: str = "") -> InvalidUser:
    return InvalidUser(why, field=field, example=example)


def _is_text(value: Any, longest: int, allowed: re.Pattern[str] = _PRINTABLE) -> bool:  # noqa: ANN401  (whatever came from outside)
    return isinstance(value, str) and len(value) <= longest and bool(allowed.match(value))


def _check_text(name: str, value: Any) -> None:  # noqa: ANN401  (whatever came from outside)
    if not _is_text(value, _LONGEST_TEXT) or not value.strip():
        raise _refuse(name, f"is a text of 1 to {_LONGEST_TEXT} characters")


def _check_url(name: str, value: Any) -> None:  # noqa: ANN401  (as above)
    example = "https://www.example.com/ada"
    if not _is_text(value, _LONGEST_URL) or not value.isascii() or " " in value:
        raise _refuse(name, "is an address", example)
    try:
        parts = urlsplit(value)
    except ValueError:
        raise _refuse(name, "is an address", example) from None
    if parts.scheme not in {"https", "http"} or not parts.hostname or "@" in parts.netloc:
        raise _refuse(name, "is an https or http address", example)


def _check_birthdate(name: str, value: Any) -> None:  # noqa: ANN401  (as above)
    """Allow a day, a day without its year (0000), or a year (OIDCC-5.1)."""
    found = _BIRTHDATE.match(value) if isinstance(value, str) else None
    if found is None or not _is_date(*(int(part) if part else None for part in found.groups())):
        raise _refuse(name, "is YYYY-MM-DD, 0000-MM-DD or YYYY", "1815-12-10")


def _is_date(year: int | None, month: int | None, day: int | None) -> bool:
    if month is None or day is None:
        return bool(year)
    try:
        date(year or 2000, month, day)  # a leap year where there is none
    except ValueError:
        return False
    return True


def _check_address(name: str, value: Any) -> None:  # noqa: ANN401  (as above)
    example = '{"locality": "London", "country": "UK"}'
    if not isinstance(value, Mapping) or not value:
        raise _refuse(name, "is an object with members", example)
    for member, text in value.items():
        if member not in ADDRESS_MEMBERS:
            raise _refuse(f"{name}.{member}", f"there are {', '.join(ADDRESS_MEMBERS)}", example)
        if not _is_text(text, _LONGEST_VALUE, _LINES):
            raise _refuse(f"{name}.{member}", "is a text", example)


def _check_pattern(pattern: re.Pattern[str], example: str) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:  # noqa: ANN401  (as above)
        if not _is_text(value, _LONGEST_TEXT) or not pattern.match(value):
            raise _refuse(name, "is not in the form of this claim", example)

    return check


def _check_flag(name: str, value: Any) -> None:  # noqa: ANN401  (as above)
    if not isinstance(value, bool):
        raise _refuse(name, "is true or false", "true")


def _check_own(name: str, value: Any) -> None:  # noqa: ANN401  (as above)
    """Check an attribute of the tenant's own."""
    if name in _TAKEN:
        raise _refuse(name, "is no attribute; it is set in another way")
    if not _NAME.match(name):
        raise _refuse(name, "is no name of an attribute", "department")
    values = value if isinstance(value, list | tuple) else [value]
    if len(values) > _MOST_VALUES or not all(map(_is_plain, values)):
        raise _refuse(
            name,
            f"is a text of 1 to {_LONGEST_VALUE} characters, a number, true or false, "
            f"or a list of at most {_MOST_VALUES} of them",
        )


def _is_plain(value: Any) -> bool:  # noqa: ANN401  (as above)
    if isinstance(value, bool | int):
        return abs(value) < 2**53  # what JSON carries unchanged
    if isinstance(value, float):
        return math.isfinite(value)
    return _is_text(value, _LONGEST_VALUE)


_CHECKS: Final[Mapping[str, Callable[[str, Any], None]]] = {
    **dict.fromkeys(("name", "given_name", "family_name", *_TEXTS), _check_text),
    **dict.fromkeys(_URLS, _check_url),
    "birthdate": _check_birthdate,
    "address": _check_address,
    "locale": _check_pattern(_LOCALE, "en-GB"),
    "zoneinfo": _check_pattern(_ZONE, "Europe/London"),
    "phone_number": _check_pattern(_PHONE, "+442071234567"),
    "phone_number_verified": _check_flag,
}
