"""What can be refused to clients that register themselves."""

from insula.kernel.errors import Conflict, Denied, NotFound


class NotAdmitted(Denied):
    """No such initial access token: unknown, foreign, revoked, expired or used up alike."""


class TooManyClients(Conflict):
    """The tenant takes no more of them."""

    code = "quota_exceeded"


class TooManyAttempts(Denied):
    """Somebody has to wait, *seconds* long."""

    code = "too_many_attempts"

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many attempts from one address.")
        self.seconds = seconds


class Adopted(Denied):
    """An administrator has taken the client over (DR-13)."""


class NoSuchInitialToken(NotFound):
    """No initial access token of that id in this tenant."""
