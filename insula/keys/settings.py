"""How keys rotate."""

from typing import ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Section


class KeyRotation(Section):
    """When a tenant's signing keys are replaced."""

    key: ClassVar[str] = "keys.rotation"
    decided_by: ClassVar[DecidedBy] = DecidedBy.PLATFORM
    settable: ClassVar[bool] = False  # the jobs of a process are made with it

    interval_days: int = Field(90, ge=1, le=400, description="A key signs for this long.")
    lead_seconds: int = Field(
        86400, ge=600, description="A key is published this long before it signs."
    )
    longest_token_life_seconds: int = Field(
        86400,
        ge=60,
        description="The longest life that any token kind of the platform may have; keys stay "
        "published for it after they stop signing.",
    )
