"""Who calls, proven; what a route knows of them."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from insula.audit.models import Actor
from insula.management_api.parts import Parts
from insula.oidc.artefacts import ActiveToken
from insula.oidc.models import Client
from insula.oidc.provider import Provider
from insula.tenancy.db import Tenant


@dataclass(frozen=True, slots=True)
class Caller:
    """
    Who calls, proven; *user* and *roles* are there when a client acts for a person.

    *proven* gathers what the act has asked for beyond its rule.
    """

    tenant: Tenant
    parts: Parts
    provider: Provider
    client: Client
    token: ActiveToken
    user: UUID | None
    roles: frozenset[str]
    actor: Actor
    proven: set[Literal["step_up"]] = field(default_factory=set, compare=False)

    @property
    def scopes(self) -> frozenset[str]:
        return self.token.scopes

    @property
    def held_roles(self) -> frozenset[str] | None:
        """What the person may hand on; None where no person acts, who would have a role."""
        return None if self.user is None else self.roles

    @property
    def name(self) -> str:
        """Who it is, as a key of ours."""
        return f"{self.client.id}\0{self.user or ''}"
