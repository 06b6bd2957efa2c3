"""A section on a page: as it was just read, with what can be done to it and what that would do."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from insula.audit.models import Actor
from insula.config_overrides import plans
from insula.config_overrides.impacts import Impact
from insula.config_overrides.marks import PlanScope, Version
from insula.config_overrides.models import Layers, Values
from insula.config_overrides.platform import Reach
from insula.config_overrides.reach import Sum
from insula.config_overrides.saving import Saving, last_of
from insula.kernel.settings import Section
from insula.platform_admin.configuration.changes import meanwhile, read, told_moves
from insula.platform_admin.configuration.controls import Errors, label, moves, typed
from insula.platform_admin.configuration.lines import Line
from insula.platform_admin.configuration.planned import Planned, of_plan
from insula.platform_admin.people import Names
from insula.registry.heirs import Heirs
from insula.tenancy.db import Connection


@dataclass(frozen=True, slots=True)
class Desk:
    """
    A section that is being edited, as it was just read.

    *scope* says whose; *address* is its form's, *template* and *frame* are the page around it.
    *whole* is what typed values are judged together with. *opened* is a transaction of whose it is.
    """

    scope: PlanScope
    section: type[Section]
    address: str
    template: str
    current: str
    frame: Mapping[str, Any]
    layers: Layers
    lines: list[Line]
    etag: str
    known: Names
    whole: Values
    opened: Callable[[], AbstractAsyncContextManager[Connection]]
    #: Of bounds: whom they would clamp, and whom that shuts out there.
    reach: Callable[[Values], Awaitable[tuple[Reach, list[Sum]]]] | None = None
    #: Of defaults and bounds: who inherits what would change; of bounds, beside whom they clamp.
    heirs: Callable[[Values, Reach | None], Awaitable[Heirs]] | None = None
    #: Whom changes would shut out; named for an actor, that they looked is recorded.
    impacts: Callable[[Values, Actor | None], Awaitable[list[Impact]]] | None = None
    #: What the page may load, where that is more than usual.
    policy: str = ""
    #: Values with the secrets among them sealed, so that a page can carry them to the save.
    seal: Callable[[Values], Awaitable[Values]] | None = None

    async def save(self, changes: Values, saving: Saving, days: int) -> None:
        """Save, or plan to where *days* are given."""
        async with self.opened() as db:
            await plans.save(db, self.scope, self.section, changes, saving, days)

    async def last(self) -> Version | None:
        """The last save that concerns it, or what is planned if that is newer."""
        async with self.opened() as db:
            return await last_of(db, self.scope, self.layers.plan(self.scope, self.section.key))

    async def meanwhile(self) -> str:
        """Who saved what since a form was shown."""
        return meanwhile(await self.last(), self.known)

    def typed(self, form: Mapping[str, list[str]]) -> tuple[dict[str, Any], Errors]:
        """What a form says of the fields that may be changed, and what is wrong with that."""
        values, errors = typed(self.section, form, may_be_empty=self.scope == "bounds")
        free = [line.control.name for line in self.lines if not line.is_fixed]
        return {name: values[name] for name in free if name in values}, errors

    def reviewed(self, changes: str) -> dict[str, Any]:
        """What a review was to save, as a form shows it; what it takes back is no value there."""
        return {
            name: value
            for name, value in read(changes).items()
            if name in self.section.model_fields and (value is not None or self.scope == "bounds")
        }

    @property
    def planned(self) -> Planned | None:
        """What is planned for the section."""
        plan = self.layers.plan(self.scope, self.section.key)
        if plan is None:
            return None
        tenant = self.frame.get("tenant")
        status = tenant.status if self.scope == "tenant" and tenant else "active"
        return of_plan(self.section, plan, self.lines, self.known, status)

    async def foreseen(self, changed: Values, looking: Actor | None) -> dict[str, Any]:
        """
        Whom *changed* would touch as things are now, for a page.

        With *looking* they are named to somebody, which is recorded.
        """
        set_here = {name: value for name, value in changed.items() if value is not None}
        reach, sums = await self.reach(set_here) if self.reach else (None, [])
        heirs = await self.heirs(changed, reach) if self.heirs else None
        return {
            "reach": reach,
            "sums": sums,
            "heirs": heirs,
            "held_too": told_moves(self.section, heirs.moved) if heirs and reach else [],
            "impacts": await self.impacts(changed, looking) if self.impacts else [],
            "is_named": looking is not None,
            "label": label,
            "moves": partial(moves, self.section),
        }
