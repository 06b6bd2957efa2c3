"""
The five families of refusal. They know nothing of HTTP; each surface maps them once.

    InsulaError
    ├─ NotFound      there is none, or it is not yours: the same answer
    ├─ Conflict      true of the request, false of the present state
    ├─ Denied        known, and not allowed
    ├─ Invalid       names the field, the bound, and who set it
    └─ Unavailable   try again; carries when
"""

from collections.abc import Callable, Iterator
from typing import ClassVar


class InsulaError(Exception):
    """
    A refusal. *description* is for the caller, *detail* for our log only.

    `code` is one of the error codes of the management API.
    """

    code: ClassVar[str] = "bad_request"

    def __init__(self, description: str, *, code: str = "", detail: str = "") -> None:
        super().__init__(detail or description)
        self.description = description
        self.detail = detail
        if code:
            self.__dict__["code"] = code  # an instance may say it more exactly than its class


class NotFound(InsulaError):
    code = "not_found"


class Conflict(InsulaError):
    code = "duplicate"


class Denied(InsulaError):
    code = "forbidden"


class Invalid(InsulaError):
    """*field* is what was wrong; *example* a value that would be right."""

    code = "validation_failed"

    def __init__(
        self,
        description: str,
        *,
        field: str = "",
        example: str = "",
        code: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(description, code=code, detail=detail)
        self.field = field
        self.example = example


class Unavailable(InsulaError):
    """Something we depend on is away; *retry_after* in seconds."""

    code = "busy"

    def __init__(self, description: str, *, retry_after: int = 2, detail: str = "") -> None:
        super().__init__(description, detail=detail)
        self.retry_after = retry_after


def refusals(*checks: Callable[[], object]) -> Iterator[Invalid]:
    """What each of *checks* refuses, for whoever is to hear all of it at once."""
    for check in checks:
        try:
            check()
        except Invalid as refusal:
            yield refusal
