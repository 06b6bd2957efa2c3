"""How long a deletion can be undone."""

from typing import ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Section


class Deployment(Section):
    """What holds for the installation as a whole."""

    key: ClassVar[str] = "deployment"
    decided_by: ClassVar[DecidedBy] = DecidedBy.PLATFORM

    tenant_delete_grace_days: int = Field(
        30, ge=1, le=365, description="A deletion can be undone for this long; then it is purged."
    )
