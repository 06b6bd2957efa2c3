"""What can be refused about a deletion."""

from insula.kernel.errors import Conflict, NotFound


class NoDeletion(NotFound):
    """The tenant is not being deleted, nor was it."""


class TooLate(Conflict):
    """The purge has begun: there is nothing whole to go back to."""

    code = "conflict"
