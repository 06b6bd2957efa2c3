"""Versions of objects: what a caller saw is what it changes, or it hears of it (CR-4)."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import Header, Response

from insula.audit import service as audit
from insula.kernel.errors import Conflict
from insula.management_api.problems import Refusal
from insula.tenancy.db import Connection

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=100, description="The ETag that was seen."),
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
#: What no object was ever saved at.
_NEVER: Final = _EPOCH


def tag(response: Response, saved_at: datetime) -> None:
    """Give an answer the ETag of an object that was last saved then."""
    response.headers["ETag"] = etag(saved_at)


def etag(saved_at: datetime) -> str:
    return f'"{(saved_at - _EPOCH) // _MICROSECOND:x}"'


def seen(if_match: str | None) -> datetime | None:
    """When the object that a caller saw was saved; None if it does not say."""
    if if_match is None or if_match.strip() == "*":
        return None
    try:
        return _EPOCH + int(if_match.strip().strip('"'), 16) * _MICROSECOND
    except (ValueError, OverflowError):
        return _NEVER


@asynccontextmanager
async def naming_who(
    record: AbstractAsyncContextManager[Connection], kind: str, name: str
) -> AsyncIterator[None]:
    """
    Say who saved an object last, where a change is refused because somebody has.

    *record* is a transaction that is opened only then, to read it.
    """
    try:
        yield
    except Conflict as refusal:
        if refusal.code != "version_conflict":
            raise
        async with record as db:
            last = await audit.last_about(db, kind, name)
        who = "somebody" if last is None else f"{last.actor_type} {last.actor_id or ''}".strip()
        when = "" if last is None else f" at {last.at.astimezone(UTC).isoformat()}"
        raise Refusal(
            412, "version_conflict", f"It was saved by {who}{when}; look at it again."
        ) from refusal
