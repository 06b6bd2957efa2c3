"""What can be refused about accounts."""

from insula.kernel.errors import Conflict, Invalid, NotFound


class NoSuchUser(NotFound):
    """No user of that name in this tenant."""


class UserExists(Conflict):
    code = "name_taken"


class WeakPassword(Invalid):
    """The sentence says what a good one has."""


class InvalidUser(Invalid):
    """*field* says which."""


class SelfLockout(Conflict):
    """Nobody shuts themselves out by administering."""

    code = "self_lockout"


class LastAdmin(Conflict):
    code = "last_admin"
