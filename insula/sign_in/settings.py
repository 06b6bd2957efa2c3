"""How long sessions live and how often somebody may try."""

from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from insula.kernel.settings import DecidedBy, Kind, Section

AtMost = Annotated[int, Kind.CEIL_MAX]
AtMostOrNever = Annotated[int, Kind.CEIL_MAX0]
AtLeast = Annotated[int, Kind.FLOOR_MIN]

#: So many failures are no limit any more, and these are the longest spans that make sense.
_MOST, _DAY, _MONTH = 1_000_000, 86_400, 2_592_000


class SessionPolicy(Section):
    """How long a person stays signed in."""

    key: ClassVar[str] = "security.session"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    absolute_timeout_hours: AtMostOrNever = Field(
        720, ge=0, le=87_600, description="A session ends after this; 0: only when it is ended."
    )
    idle_timeout_minutes: AtMostOrNever = Field(
        20160,
        ge=0,
        le=5_256_000,
        description="A session ends when unused for this; 0: it may rest as long as it lives.",
    )
    max_concurrent_sessions: AtMostOrNever = Field(
        0,
        ge=0,
        le=1000,
        description="Sessions that one person has at the same time, in all browsers; with one more"
        " the oldest ends. 0: as many as they like.",
    )
    max_accounts_per_session: AtMost = Field(
        5, ge=1, le=10, description="People who can be signed in side by side in one browser."
    )

    @property
    def absolute(self) -> timedelta | None:
        """How long a session lives, however used; None: till it is ended."""
        return timedelta(hours=self.absolute_timeout_hours) or None

    @property
    def idle(self) -> timedelta | None:
        """How long it may rest; None: as long as it lives."""
        return timedelta(minutes=self.idle_timeout_minutes) or None


class BruteForce(Section):
    """How often somebody may try a password."""

    key: ClassVar[str] = "security.brute_force"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    per_identifier_ip: AtMost = Field(
        5, ge=1, le=_MOST, description="Failures of one name from one address before waits begin."
    )
    window_seconds: AtLeast = Field(
        3600, ge=60, le=_MONTH, description="After this without a failure they are forgotten."
    )
    per_ip: AtMost = Field(
        100, ge=1, le=_MOST, description="Failures from one address, whatever the names."
    )
    per_ip_window_seconds: AtLeast = Field(
        86400, ge=60, le=_MONTH, description="The window of per_ip."
    )
    per_account: AtMost = Field(
        100,
        ge=1,
        le=_MOST,
        description="Failures of one name in a row, from anywhere, before it must wait an hour.",
    )
    per_client: AtMost = Field(
        20,
        ge=1,
        le=_MOST,
        description="Failures of an application to prove itself, from one address, before that "
        "address must wait.",
    )
    per_client_window_seconds: AtLeast = Field(
        300, ge=60, le=_MONTH, description="The window of per_client."
    )
    first_wait_seconds: AtLeast = Field(
        30, ge=1, le=_DAY, description="The first wait; each next one is twice as long."
    )
    longest_wait_seconds: AtLeast = Field(3600, ge=30, le=_DAY, description="No wait is longer.")


class ConsentLife(Section):
    """How long what somebody allowed an application is remembered."""

    key: ClassVar[str] = "oidc.consent"
    decided_by: ClassVar[DecidedBy] = DecidedBy.TENANT

    remembered_days: AtMost = Field(
        90,
        ge=1,
        le=400,
        description="After this somebody is asked again. What the application was given by then "
        "ends too.",
    )


class InteractionLife(Section):
    """How long an unfinished sign-in waits for the person."""

    key: ClassVar[str] = "security.interaction"
    decided_by: ClassVar[DecidedBy] = DecidedBy.PLATFORM

    step_seconds: int = Field(600, ge=60, le=_DAY, description="From one step to the next.")
    total_seconds: int = Field(3600, ge=60, le=_DAY, description="From the first step to the last.")
