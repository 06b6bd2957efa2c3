"""What can be refused about a document."""

from insula.kernel.errors import Conflict, Invalid


class InvalidDocument(Invalid):
    """*field* is the place in the document."""


class DocumentChanged(Conflict):
    """The tenant is not what the caller had read."""

    code = "version_conflict"
