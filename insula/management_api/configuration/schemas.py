"""The answer to a document."""

from typing import Any

from pydantic import BaseModel, Field

from insula.configuration.applying import Applied
from insula.configuration.models import Document


class Line(BaseModel):
    """One value that changed, or would; null where there is none."""

    path: str
    before: Any
    after: Any


class Outcome(BaseModel):
    """What changed, or would; the secrets of clients that were given one, shown here only."""

    changes: list[Line]
    secrets: dict[str, str] = Field(default_factory=dict)
    document: Document

    @classmethod
    def of(cls, applied: Applied) -> "Outcome":
        return cls(
            changes=[
                Line(path=each.path, before=each.before, after=each.after)
                for each in applied.differences
            ],
            secrets=dict(applied.secrets),
            document=applied.document.masked(),
        )
