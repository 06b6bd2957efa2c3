"""What can be refused about tenants."""

from datetime import UTC, datetime

from insula.kernel.errors import Conflict, Invalid, NotFound


class NoSuchTenant(NotFound):
    code = "tenant_not_found"


class NoSuchDomain(NotFound):
    """The tenant has no such domain, whoever else may have it."""


class SlugTaken(Conflict):
    """A tenant has it; or one had it that is deleted, and it is free again at *free_at*."""

    code = "slug_taken"

    def __init__(self, free_at: datetime | None = None) -> None:
        said = "A tenant of that slug exists."
        if free_at is not None:
            moment = f"{free_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
            said = f"The tenant of that slug is deleted. The slug is free again from {moment}."
        super().__init__(said)
        self.free_at = free_at


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
