"""What can be refused about clients."""

from insula.kernel.errors import Conflict, Invalid, NotFound


class NoSuchClient(NotFound):
    """No client of that id in this tenant."""


class ClientExists(Conflict):
    code = "name_taken"


class InvalidClientMetadata(Invalid):
    """*field* says which member."""
