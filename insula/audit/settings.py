"""How long the record is kept."""

from typing import Annotated, ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Kind, Section

#: Days that nothing of the record is kept beyond, unless the installation says otherwise (W04).
LONGEST_DAYS = 180


class LogRetention(Section):
    """How long the record of what was done is kept. It is personal data: choose by law."""

    key: ClassVar[str] = "logs"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    audit_retention_days: Annotated[int, Kind.FLOOR_MIN] = Field(
        LONGEST_DAYS,
        ge=1,
        le=3650,
        description="Lines of the record that are older are deleted; those that the installation "
        "keeps no longer (INSULA_ADMIN_AUDIT_RETENTION_DAYS) go before.",
    )
