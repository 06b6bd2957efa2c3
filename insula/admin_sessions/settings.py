"""How long administrators stay signed in, and how long a proof counts."""

from typing import Annotated, ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Kind, Section


class AdminSessionLife(Section):
    """How long an administrator stays signed in."""

    key: ClassVar[str] = "security.admin_session"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    idle_minutes: Annotated[int, Kind.CEIL_MAX] = Field(
        60, ge=5, le=60, description="A session ends when unused for this."
    )
    absolute_hours: Annotated[int, Kind.CEIL_MAX] = Field(
        8, ge=1, le=24, description="A session ends after this."
    )


class Sudo(Section):
    """How long the proof of who somebody is counts for acts that ask for it."""

    key: ClassVar[str] = "security.sudo"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    ttl_minutes: Annotated[int, Kind.CEIL_MAX] = Field(
        5, ge=1, le=60, description="For this long the password is not asked for again."
    )
