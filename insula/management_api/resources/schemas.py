"""APIs of the tenant's own, as they are told, and what may be asked of them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from insula.resource_servers.models import ServerSettings
from insula.tenancy.db import Row

Scope = Annotated[str, Field(min_length=1, max_length=200, examples=["reports:read"])]


class Resource(BaseModel):
    """An API that tokens are for."""

    id: UUID
    identifier: str
    name: str
    scopes: list[str]
    settings: ServerSettings
    created_at: datetime

    @classmethod
    def of(cls, row: Row) -> "Resource":
        return cls(
            id=row.id,
            identifier=row.identifier,
            name=row.name,
            scopes=list(row.scopes),
            settings=row.settings,
            created_at=row.created_at,
        )


class Resources(BaseModel):
    """All of them by identifier: a tenant has a handful."""

    data: list[Resource]


class NewResource(ServerSettings):
    """An API, its scopes and its settings."""

    identifier: str = Field(min_length=1, max_length=500, examples=["https://api.example.com"])
    name: str = Field(min_length=1, max_length=120, examples=["Reports"])
    scopes: list[Scope] = Field(default_factory=list, max_length=200)


class ResourceChanges(ServerSettings):
    """What is left out stays; `scopes` are all that it will have."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", min_length=1, max_length=120)
    scopes: list[Scope] = Field(default_factory=list, max_length=200)

    def settings(self) -> dict[str, Any]:
        return self.model_dump(include=self.model_fields_set & ServerSettings.model_fields.keys())
