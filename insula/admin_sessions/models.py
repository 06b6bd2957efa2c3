"""Who is at the administrators' door, and what the roles open."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from insula.tenancy.models import PLATFORMS

_TENANT_ROLES: Final = frozenset({"superadmin", "admin", "auditor"})
_PLATFORM_ROLES: Final = frozenset({"platform_admin", "platform_viewer"})

#: Roles that open the door, the strongest first, as people read them.
_TITLES: Final = {
    "platform_admin": "Platform administrator",
    "superadmin": "Superadmin",
    "admin": "Administrator",
    "platform_viewer": "Platform viewer",
    "auditor": "Auditor",
}


def opening_roles(slug: str) -> frozenset[str]:
    """Any of these opens a tenant's door; the platform's own count on its host alone."""
    return _TENANT_ROLES | _PLATFORM_ROLES if slug == PLATFORMS else _TENANT_ROLES


@dataclass(frozen=True, slots=True)
class AdminSession:
    """An administrator, as they are at this request."""

    id: UUID
    user_id: UUID
    username: str
    email: str | None
    display_name: str | None
    roles: frozenset[str]
    #: The person proved who they are a short while ago.
    is_proved: bool
    #: The session's idle time has begun anew with this request.
    is_renewed: bool
    begun_at: datetime
    expires_at: datetime
    amr: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.display_name or self.username

    @property
    def title(self) -> str:
        """The strongest role, in words."""
        return next(text for role, text in _TITLES.items() if role in self.roles)

    @property
    def runs_platform(self) -> bool:
        """On the platform's host: may change tenants. A superadmin of it is one of them (D02)."""
        return not self.roles.isdisjoint({"platform_admin", "superadmin"})

    @property
    def sees_platform(self) -> bool:
        """On the platform's host: may look at tenants."""
        return self.runs_platform or "platform_viewer" in self.roles
