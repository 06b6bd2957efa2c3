"""What is stored of settings, and what a value is made of."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from insula.config_overrides.marks import Mark, Plan, PlanScope

#: Values of one section by field, as JSON has them.
Values = Mapping[str, Any]
#: The same, by the section's key.
Stored = Mapping[str, Values]

#: Where a value in force comes from (features.md C11).
Source = Literal["default", "platform", "tenant", "template", "git", "clamped"]


@dataclass(frozen=True, slots=True)
class Layers:
    """
    All that is stored and bears on one tenant.

    *own* is what it has decided, *platform* what it inherits, *bounds* the floors and ceilings.
    The marks of each stand beside it, by the name `section.field`. *plans* are the changes that are
    planned, by scope and section; those of the platform are with its own tenant alone, where they
    can be acted on. To all it tells what is *coming*, without why.
    """

    own: Stored = field(default_factory=dict)
    platform: Stored = field(default_factory=dict)
    bounds: Stored = field(default_factory=dict)
    own_marks: Mapping[str, Mark] = field(default_factory=dict)
    platform_marks: Mapping[str, Mark] = field(default_factory=dict)
    bound_marks: Mapping[str, Mark] = field(default_factory=dict)
    plans: Mapping[tuple[PlanScope, str], Plan] = field(default_factory=dict)
    coming: tuple[Plan, ...] = ()

    def under(self, platform: Mapping[str, Mapping[str, Values]]) -> "Layers":
        """The same tenant where the platform decides this: `value` and `bounds` by section."""
        return replace(
            self,
            platform={key: part["value"] for key, part in platform.items()},
            bounds={key: part["bounds"] for key, part in platform.items()},
            platform_marks={},
            bound_marks={},
        )

    def plan(self, scope: PlanScope, section: str) -> Plan | None:
        return self.plans.get((scope, section))

    def stored(self, scope: PlanScope, section: str) -> Values:
        """What is decided of a section in one of the three scopes."""
        part = {"tenant": self.own, "defaults": self.platform, "bounds": self.bounds}[scope]
        return part.get(section, {})

    def seen(self, scope: PlanScope, section: str) -> object:
        """What the ETag of a section is made of: what is stored, and what is planned for it."""
        plan, stored = self.plan(scope, section), self.stored(scope, section)
        return stored if plan is None else [stored, str(plan.id)]


@dataclass(frozen=True, slots=True)
class Explained:
    """
    One field as it holds for a tenant, and why.

    *own* is what the tenant stored (None: nothing), *inherited* what would hold without it, *bound*
    the platform's floor or ceiling (None: only what is built in). *mark* is of *source*'s value;
    of a clamped one, the bound's. *own_mark* is of what the tenant stored.
    """

    name: str
    effective: Any
    source: Source
    own: Any
    inherited: Any
    default: Any
    bound: Any
    mark: Mark | None
    bound_mark: Mark | None
    own_mark: Mark | None = None


def canonical(value: object) -> str:
    """JSON with one spelling: what is equal is the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def etag(value: object) -> str:
    """A name for a stored value: another value has another name."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:20]
