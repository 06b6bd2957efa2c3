"""Lines of the record as they are told."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, JsonValue

from insula.audit.models import Line

Status = Literal["success", "failed", "info", "warning"]
ActorType = Literal["user", "admin", "client", "system", "platform"]


class Actor(BaseModel):
    """Who acted; the system has no id."""

    type: ActorType
    id: str | None


class AuditLine(BaseModel):
    """One line."""

    id: UUID
    at: datetime
    event: str
    status: Status
    actor: Actor
    on_behalf_of: str | None
    target_type: str | None
    target_id: str | None
    ip: str | None
    user_agent: str | None
    request_id: str | None
    metadata: dict[str, JsonValue]

    @classmethod
    def of(cls, line: Line) -> "AuditLine":
        return cls(
            id=line.id,
            at=line.at,
            event=line.event,
            status=line.status,
            actor=Actor(type=line.actor_type, id=line.actor_id),
            on_behalf_of=line.on_behalf_of,
            target_type=line.target_type,
            target_id=line.target_id,
            ip=line.ip,
            user_agent=line.user_agent,
            request_id=line.request_id,
            metadata=dict(line.metadata),
        )
