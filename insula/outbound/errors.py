"""
What can be refused on the way out. Whose fault it is decides the family.

    OutboundError
    ├─ AddressRefused   the URL may not be asked, and nothing was sent
    ├─ TooLarge         the answer is larger than its reader takes
    ├─ BadAnswer        the host answered, and not with what was asked for
    ├─ Unreachable      no answer: the host's fault
    │  └─ TooSlow       none in time
    └─ Busy             not asked: our own limits are reached
"""

from typing import ClassVar

from insula.kernel.errors import InsulaError, Invalid, Unavailable


class OutboundError(InsulaError):
    """The description is for whoever gave the URL; host and reason are for our log."""

    outcome: ClassVar[str] = "failed"


class AddressRefused(OutboundError, Invalid):
    outcome = "address_refused"


class TooLarge(OutboundError, Invalid):
    outcome = "too_large"


class BadAnswer(OutboundError, Invalid):
    outcome = "bad_answer"


class Unreachable(OutboundError, Unavailable):
    outcome = "unreachable"


class TooSlow(Unreachable):
    outcome = "too_slow"


class Busy(OutboundError, Unavailable):
    outcome = "busy"
