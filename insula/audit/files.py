"""The record as a file, for a spreadsheet or for a program (features.md L03)."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from insula.audit.models import Line
from insula.kernel.spreadsheets import csv_lines

Batches = AsyncIterator[Sequence[Line]]

_COLUMNS = (
    "id", "at", "event", "status", "actor_type", "actor_id", "on_behalf_of", "target_type",
    "target_id", "ip", "user_agent", "request_id", "metadata",
)  # fmt: skip


async def csv_of(batches: Batches) -> AsyncIterator[str]:
    """A line of CSV for each of the record, with what is told of it as JSON."""
    yield csv_lines([_COLUMNS])
    async for lines in batches:
        yield csv_lines(
            [
                line.id, line.at.isoformat(), line.event, line.status, line.actor_type,
                line.actor_id, line.on_behalf_of, line.target_type, line.target_id, line.ip,
                line.user_agent, line.request_id, json.dumps(dict(line.metadata)),
            ]
            for line in lines
        )  # fmt: skip


async def json_of(batches: Batches) -> AsyncIterator[str]:
    """An array with an object for each line, as the API tells it."""
    before = "["
    async for lines in batches:
        for line in lines:
            yield before + json.dumps(_object(line))
            before = ",\n"
    yield "[]\n" if before == "[" else "]\n"


def _object(line: Line) -> dict[str, Any]:
    return {
        "id": str(line.id),
        "at": line.at.isoformat().replace("+00:00", "Z"),
        "event": line.event,
        "status": line.status,
        "actor": {"type": line.actor_type, "id": line.actor_id},
        "on_behalf_of": line.on_behalf_of,
        "target_type": line.target_type,
        "target_id": line.target_id,
        "ip": line.ip,
        "user_agent": line.user_agent,
        "request_id": line.request_id,
        "metadata": dict(line.metadata),
    }
