"""What can be refused about keys."""

from collections.abc import Sequence

from insula.kernel.errors import Conflict, NotFound


class NoSuchKey(NotFound):
    """No key of that id in this tenant."""


class AlreadyRetired(Conflict):
    code = "already_retired"


class LastSigningKey(Conflict):
    code = "last_signing_key"


class TooEarly(Conflict):
    """A key may not sign before everybody can have seen it."""

    code = "adoption_behind"


class AdoptionBehind(Conflict):
    """Important applications have not been seen to know the key; *behind* are their client_ids."""

    code = "adoption_behind"

    def __init__(self, behind: Sequence[str]) -> None:
        super().__init__(
            f"Important applications have not been seen to know the key: {', '.join(behind)}."
            " Say why it must sign all the same, or wait."
        )
        self.behind = tuple(behind)


class AlreadyPublished(Conflict):
    """There is a next key for this algorithm already."""
