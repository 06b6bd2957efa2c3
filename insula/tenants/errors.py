"""What can be refused about tenants."""

from insula.kernel.errors import Conflict, Invalid, NotFound


class NoSuchTenant(NotFound):
    code = "tenant_not_found"


class NoSuchDomain(NotFound):
    """The tenant has no such domain, whoever else may have it."""


class SlugTaken(Conflict):
    code = "slug_taken"


class DomainTaken(Conflict):
    code = "domain_taken"


class TenantProtected(Conflict):
    code = "tenant_protected"


class ChangedMeanwhile(Conflict):
    """Somebody else saved first; *present* is what they saved."""

    code = "version_conflict"

    def __init__(self, present: str) -> None:
        super().__init__("Somebody else has changed this meanwhile.")
        self.present = present


class SlugReserved(Invalid):
    code = "slug_reserved"


class SlugNotHostSafe(Invalid):
    code = "slug_not_host_safe"


class InvalidTenant(Invalid):
    """*field* says which."""
