"""Templates as they are told, and what may be asked of them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from insula.management_api.sections.told import SetBy, Value
from insula.tenant_templates import models

Settings = dict[str, dict[str, Value]]


class Template(BaseModel):
    """A template as a version of it is, by section and field."""

    name: str
    version: int
    description: str
    settings: Settings
    saved_by: SetBy
    saved_at: datetime

    @classmethod
    def of(cls, found: models.Template) -> "Template":
        return cls(
            name=found.name,
            version=found.version,
            description=found.description,
            settings={key: dict(values) for key, values in found.settings.items()},
            saved_by=SetBy(**SetBy.facts(found.by, found.at)),
            saved_at=found.at,
        )


class Templates(BaseModel):
    """Every template, by name; there are at most 200."""

    data: list[Template]


class TemplateValues(BaseModel):
    """What a template says from now on: its own *settings*, or those of a tenant as it is."""

    model_config = ConfigDict(extra="forbid")

    description: str = Field("", max_length=500)
    settings: Settings | None = Field(
        None, max_length=200, examples=[{"oidc.ttl": {"id_token": 300}}]
    )
    from_tenant: str | None = Field(
        None, max_length=63, description="The slug of a tenant; images and secrets stay with it."
    )


class NewTemplate(TemplateValues):
    """A template to be made."""

    name: str = Field(min_length=1, max_length=63, examples=["enterprise"])
