"""How often the proof of a login domain is looked at again."""

from typing import Annotated, ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Kind, Section

AtMost = Annotated[int, Kind.CEIL_MAX]


class DomainRules(Section):
    """How login domains stay proven."""

    key: ClassVar[str] = "domains"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    reverify_interval_days: AtMost = Field(
        30, ge=1, le=365, description="A proof that is older is looked at again."
    )
    failure_grace_checks: AtMost = Field(
        0,
        ge=0,
        le=10,
        description="Checks, one every six hours, that may fail before a domain stops answering.",
    )
