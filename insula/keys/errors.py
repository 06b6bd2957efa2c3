"""What can be refused about keys."""

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


class AlreadyPublished(Conflict):
    """There is a next key for this algorithm already."""
