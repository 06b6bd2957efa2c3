"""What can be refused about clients."""

from insula.kernel.errors import Conflict, Invalid, NotFound


class NoSuchClient(NotFound):
    """No client of that id in this tenant."""


class ClientExists(Conflict):
    code = "name_taken"


class NoSharedSecret(Conflict):
    """The client proves itself in another way than by a secret of ours."""

    code = "no_shared_secret"


class InvalidClientMetadata(Invalid):
    """*field* says which member."""
