"""What can be refused about a link."""

from insula.kernel.errors import Conflict, NotFound


class LinkGone(NotFound):
    """Used, expired, replaced, another tenant's or never made: the same page for all."""

    code = "link_expired"

    def __init__(self) -> None:
        super().__init__(
            "It may have been used, replaced or withdrawn, or its time is over. "
            "Ask whoever gave it to you for another."
        )


class NoLinkForThem(Conflict):
    """The person is shut out, or needs none."""
