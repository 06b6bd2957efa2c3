"""Runs of the probe as they are told."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from insula.isolation import models


class Cell(BaseModel):
    """One question that was answered with something of another tenant."""

    table: str = Field(
        description="The table whose row was seen; by the door `http`, what was brought to the "
        "other's host and let in."
    )
    door: models.Door
    bound: models.Bound = Field(description="Whether the other canary was bound, or nobody.")


class Run(BaseModel):
    """One run of the probe."""

    id: UUID
    at: datetime
    release: str
    result: models.Result
    cells: int = Field(description="Questions that were asked.")
    failures: list[Cell]
    unproved: list[str] = Field(
        description="Tables in which there was nothing to see, and what was no good even at home."
    )
    report: str = Field(description="The same as a JWS, signed by a key of `_platforms`.")

    @classmethod
    def of(cls, run: models.Run) -> "Run":
        return cls(
            id=run.id,
            at=run.at,
            release=run.release,
            result=run.result,
            cells=run.cells,
            failures=[Cell(table=c.table, door=c.door, bound=c.bound) for c in run.failures],
            unproved=list(run.unproved),
            report=run.report,
        )


class Isolation(BaseModel):
    """How the wall between tenants stands."""

    standing: str = Field(description="In words, as readiness has it: `ok`, `degraded: …`.")
    passed_at: datetime | None = Field(description="When a run passed last.")
    failures_so_far: int = Field(description="Cells that failed, of all runs there were.")
    newest: Run | None
    failed: list[Run] = Field(description="The newest runs that failed, at most ten.")
