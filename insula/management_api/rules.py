"""What a route needs, as its description says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from insula.management_api.rates import Tier

#: Scopes begin so; the descriptions of routes leave it out.
PREFIX: Final = "insula:"

MAY_SEE: Final = frozenset({"admin", "superadmin", "auditor"})
_MAY_ACT: Final = frozenset({"admin", "superadmin"})
MAY_SEE_ACROSS: Final = frozenset({"platform_admin", "platform_viewer"})
_MAY_ACT_ACROSS: Final = frozenset({"platform_admin"})


@dataclass(frozen=True, slots=True)
class Rule:
    """What a route needs. Without *scope* any token of the tenant will do."""

    scope: str | None
    tier: Tier
    dangerous: bool
    takes_file: bool = False

    @property
    def across(self) -> bool:
        """Whether it reaches beyond the tenant, so that only `_platforms` has it."""
        return self.scope is not None and self.scope.startswith(("tenants:", "cross-tenant:"))

    @property
    def roles(self) -> frozenset[str]:
        """Of which roles a person needs one."""
        reads = self.scope is not None and self.scope.endswith(":read")
        if self.across:
            return MAY_SEE_ACROSS if reads else _MAY_ACT_ACROSS
        return MAY_SEE if reads else _MAY_ACT


def needs(
    scope: str | None,
    *,
    tier: Tier | None = None,
    dangerous: bool = False,
    takes_file: bool = False,
) -> dict[str, Any]:
    """
    Say in a route's description what it needs: a *scope* without its prefix, and more.

    The *tier* follows from the scope unless it is named; *dangerous* asks for step-up (CR-6);
    *takes_file*: the body is not JSON, and the route reads it itself.
    """
    verb = "read" if scope is None else scope.rpartition(":")[2]
    usual: dict[str, Tier] = {"read": "read", "write": "write", "delete": "delete"}
    return {
        "security": [{"insula": [] if scope is None else [PREFIX + scope]}],
        "x-insula-tier": tier or usual[verb],
        "x-insula-step-up": dangerous,
        **({"x-insula-takes-file": True} if takes_file else {}),
    }


def rule_of(description: Mapping[str, Any]) -> Rule:
    """Read a route's rule out of its description."""
    (scopes,) = description["security"][0].values()
    scope = scopes[0].removeprefix(PREFIX) if scopes else None
    return Rule(
        scope,
        description["x-insula-tier"],
        description["x-insula-step-up"],
        description.get("x-insula-takes-file", False),
    )
