"""How much may be registered without an administrator."""

from typing import Annotated, ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Kind, Section


class RegistrationLimits(Section):
    """How many applications may register themselves, where `oidc.features` lets them."""

    key: ClassVar[str] = "oidc.registration"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    clients: Annotated[int, Kind.CEIL_MAX] = Field(
        100, ge=0, le=10000, description="Applications that registered themselves, in all."
    )
    attempts_per_address: Annotated[int, Kind.CEIL_MAX] = Field(
        30, ge=1, le=10000, description="Attempts from one address within the window."
    )
    window_seconds: Annotated[int, Kind.FLOOR_MIN] = Field(
        3600, ge=60, le=86400, description="The window in which attempts are counted."
    )
