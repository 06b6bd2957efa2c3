"""
Problem documents: every refusal of the API in one form (RFC 9457, features.md CR-2).

No text repeats what was sent: a field is named, a value never.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from insula.kernel.errors import Conflict, Denied, InsulaError, Invalid, NotFound, Unavailable
from insula.kernel.metrics import DATABASE_AWAY

MEDIA_TYPE: Final = "application/problem+json"

_FAMILIES: Final[tuple[tuple[type[InsulaError], int], ...]] = (
    (NotFound, 404),
    (Conflict, 409),
    (Denied, 403),
    (Invalid, 422),
    (Unavailable, 503),
)
#: Codes whose status is not their family's (features.md, Z error codes).
_STATUS_OF_CODE: Final = {
    "bad_request": 400,
    "cursor_invalid": 400,
    "step_up_required": 401,
    "version_conflict": 412,
    "too_large": 413,
    "media_type": 415,
    "quota_reached": 429,
}
_TITLES: Final = {
    400: "The request is not well formed",
    401: "Not signed in, or not well enough",
    403: "Not allowed",
    404: "Not found",
    405: "Not this way",
    409: "Not in this state",
    412: "Changed meanwhile",
    428: "Say what you read",
    413: "Too large",
    415: "Not this media type",
    422: "Some values are not valid",
    429: "Too many requests",
    500: "Something went wrong on our side",
    503: "Not available at the moment",
}
_FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}\Z")
_SEPARATORS: Final = re.compile(r"[./]")
_LONGEST_PLACE: Final = 8
#: What a caller sends that may stand in a sentence of ours: a word, as the names of settings are.
_WORD: Final = re.compile(r"[A-Za-z0-9_.:-]{0,40}\Z")


class WrongField(BaseModel):
    """One value that cannot be: which, why, and the bound that it broke."""

    field: str
    code: str
    bound: bool | float | str | list[str] | None = None
    set_by: str | None = None


class Problem(BaseModel):
    """A refusal."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": False})

    type: str = Field(examples=["urn:insula:error:not_found"])
    title: str
    status: int
    detail: str
    instance: str = Field(description="The id of the request.")
    code: str = Field(examples=["not_found"])
    errors: list[WrongField] | None = None


class Refusal(Exception):
    """A refusal of the surface itself; *headers* go with it."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        errors: Sequence[WrongField] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = tuple(headers)
        self.errors = tuple(errors)


def refusal_of(error: InsulaError, sent: object = None) -> Refusal:
    """Say what a domain refused; *sent* is the body that it must not repeat."""
    status = _STATUS_OF_CODE.get(error.code) or next(
        (number for family, number in _FAMILIES if isinstance(error, family)), 400
    )
    if isinstance(error, Unavailable):
        DATABASE_AWAY.inc()
        headers = [("Retry-After", str(error.retry_after))]
        return Refusal(503, error.code, "Try again soon.", headers=headers)
    detail = error.description
    if isinstance(error, Invalid):
        if any(value in detail for value in _remarkable(sent)):
            detail = "The value cannot be used."
        field = error.field.lstrip("-")
        if field:
            detail = f"{shown(field)}: {detail}"
            return Refusal(
                status, error.code, detail, errors=[WrongField(field=shown(field), code=error.code)]
            )
    return Refusal(status, error.code, detail)


def _remarkable(sent: object) -> Iterable[str]:
    """The texts of a body that are more than a word."""
    if isinstance(sent, str):
        if not _WORD.match(sent):
            yield sent
    elif isinstance(sent, Mapping):
        for value in sent.values():
            yield from _remarkable(value)
    elif isinstance(sent, list):
        for value in sent:
            yield from _remarkable(value)


def shown(field: str) -> str:
    """
    A field's name as it may be repeated: parts that no field of ours could have are left out.

    A place in a document has slashes. Of a long one the beginning and the end are told.
    """
    parts: list[str] = []
    for part in _SEPARATORS.split(field):
        known = _FIELD.match(part) or part.isdigit()
        if known or parts[-1:] != ["?"]:
            parts.append(part if known else "?")
    told = parts if len(parts) <= _LONGEST_PLACE else [*parts[: _LONGEST_PLACE - 2], "?", parts[-1]]
    return ".".join(told)


def wrong_fields(errors: Iterable[Mapping[str, Any]]) -> list[WrongField]:
    """What pydantic found, without the values that it found it in."""
    return [
        WrongField(
            field=shown(".".join(str(part) for part in _place(error))),
            code=str(error["type"]),
            bound=_bound(error.get("ctx") or {}),
        )
        for error in errors
    ]


def not_found() -> Refusal:
    """What is said of an address, and of an id that nothing could have."""
    return Refusal(404, "not_found", "There is nothing at this address.")


def invalid(errors: Sequence[Mapping[str, Any]]) -> Refusal:
    """Say which values cannot be; an id in the path that is none is one that nothing has."""
    if any(each["loc"][:1] == ("path",) for each in errors):
        return not_found()
    text = "Some values are not valid; `errors` names each."
    return Refusal(422, "validation_failed", text, errors=wrong_fields(errors)[:50])


def _place(error: Mapping[str, Any]) -> Sequence[object]:
    """Where it was, without the word for the part of the request."""
    where = tuple(error["loc"])
    return where[1:] or where


def _bound(context: Mapping[str, Any]) -> float | None:
    names = ("ge", "gt", "le", "lt", "max_length", "min_length")
    values = [context[name] for name in names if name in context]
    return float(values[0]) if values and isinstance(values[0], int | float) else None


def answer(refusal: Refusal, request_id: str) -> JSONResponse:
    """The refusal as it is sent."""
    says: dict[str, Any] = {
        "type": f"urn:insula:error:{refusal.code}",
        "title": _TITLES.get(refusal.status, "Refused"),
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": request_id,
        "code": refusal.code,
    }
    if refusal.errors:
        says["errors"] = [error.model_dump(exclude_none=True) for error in refusal.errors]
    response = JSONResponse(says, refusal.status, media_type=MEDIA_TYPE)
    for name, value in refusal.headers:
        response.headers.append(name, value)
    return response
