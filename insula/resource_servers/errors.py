"""What can be refused about APIs, scopes and claims."""

from insula.kernel.errors import Conflict, Denied, Invalid, NotFound


class NoSuchResourceServer(NotFound):
    """No resource server of that identifier in this tenant."""


class NoSuchScope(NotFound):
    """No scope of that name in this tenant."""


class NoSuchMapping(NotFound):
    """No mapping of that claim in this tenant."""


class NameTaken(Conflict):
    """An identifier or a scope is there once in a tenant."""

    code = "name_taken"


class InUse(Conflict):
    """Something depends on what was to go; the sentence says what."""

    code = "has_children"


class ScopesNotHeld(Denied):
    """Whoever calls the management API has less of it than the client that it is about."""

    code = "scope_not_allowed"


class InvalidResource(Invalid):
    """*field* says which member."""
