"""What can be refused about jobs."""

from insula.kernel.errors import Conflict, NotFound


class NoSuchJob(NotFound):
    pass


class NotFailed(Conflict):
    """Only what was given up is tried again or forgotten by hand."""

    code = "conflict"
