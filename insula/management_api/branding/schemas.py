"""Images as they are told, and the bodies that bring one."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from insula.assets.models import KINDS
from insula.assets.models import Asset as Kept

_FILE: Final = {"type": "string", "format": "binary"}
#: The two forms in which a file comes in.
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file as a part of a form, or alone with its kind in the query.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["kind", "file"],
                    "properties": {"kind": {"type": "string", "enum": list(KINDS)}, "file": _FILE},
                }
            },
            "image/png": {"schema": _FILE},
            "image/webp": {"schema": _FILE},
            "image/svg+xml": {"schema": _FILE},
            "image/x-icon": {"schema": _FILE},
        },
    }
}


class Asset(BaseModel):
    """An image that the tenant keeps: *path* is what a field of `branding` holds."""

    id: UUID
    kind: str
    path: str = Field(examples=["/img/" + "0" * 64])
    media_type: str
    width: int
    height: int
    bytes: int
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, kept: Kept) -> "Asset":
        return cls(
            id=kept.id,
            kind=kept.kind,
            path=kept.path,
            media_type=kept.media_type,
            width=kept.width,
            height=kept.height,
            bytes=kept.size,
            created_by=kept.created_by,
            created_at=kept.created_at,
        )


class Assets(BaseModel):
    """All images of the tenant, newest first."""

    data: list[Asset]
