"""What can be refused about a document."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC

from insula.kernel.errors import Conflict, Invalid
from insula.tenancy.db import Row


class InvalidDocument(Invalid):
    """*field* is the place in the document."""


class DocumentChanged(Conflict):
    """The tenant is not what the caller had read; *last* is the line of who changed it last."""

    code = "version_conflict"

    def __init__(self, last: Row | None) -> None:
        said = "The configuration was changed since you read it"
        if last is not None:
            who = " ".join(part for part in (last.actor_type, last.actor_id) if part)
            said += f": {who} at {last.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} ({last.event})"
        super().__init__(f"{said}. Read it again.")


@contextmanager
def at(part: str, name: str) -> Iterator[None]:
    """Say of a value that cannot be where in the document it stands."""
    try:
        yield
    except Invalid as refusal:
        refusal.field = f"{part}/{name}/{refusal.field}"
        raise
