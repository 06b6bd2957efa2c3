"""What can be refused to clients that register themselves."""

from insula.kernel.errors import Conflict, Denied, NotFound


class NotAdmitted(Denied):
    """No such initial access token: unknown, foreign, revoked, expired or used up alike."""


class TooManyClients(Conflict):
    """The tenant takes no more of them."""

    code = "quota_exceeded"


class Adopted(Denied):
    """An administrator has taken the client over (DR-13)."""


class NoSuchInitialToken(NotFound):
    """No initial access token of that id in this tenant."""
