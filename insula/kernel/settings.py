"""`Section`: one typed group of settings, declared next to the domain that obeys it."""

from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class DecidedBy(StrEnum):
    """Who may change a section."""

    PLATFORM = "platform"
    TENANT = "tenant"


class Section(BaseModel):
    """
    Settings that belong together.

    A subclass says what they are for, gives each its default and its bounds, and who decides.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: ClassVar[str]
    decided_by: ClassVar[DecidedBy]
