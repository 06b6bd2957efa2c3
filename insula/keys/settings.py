"""How keys rotate."""

from typing import Annotated, ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Kind, Section


class KeyRotation(Section):
    """When a tenant's signing keys are replaced."""

    key: ClassVar[str] = "keys.rotation"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    interval_days: Annotated[int, Kind.CEIL_MAX] = Field(
        90,
        ge=1,
        le=400,
        description="A key signs for this long, or up to a tenth less, so that keys that were "
        "made together are not all replaced together.",
    )
    lead_seconds: Annotated[int, Kind.FLOOR_MIN] = Field(
        86400, ge=600, le=2592000, description="A key is published this long before it signs."
    )
    overlap_seconds: Annotated[int, Kind.FLOOR_MIN] = Field(
        7200,
        ge=7200,
        le=2592000,
        description="A key stays published this long after it signed, and longer where a token "
        "that it signed may live longer.",
    )
    wait_days: Annotated[int, Kind.CEIL_MAX] = Field(
        7,
        ge=0,
        le=30,
        description="A new key that is due to sign waits this long, at most, for important "
        "applications that have not been seen to know it.",
    )
