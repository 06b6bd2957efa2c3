"""
Changes of settings that are planned for a later day (BEY-3): made, taken back, put into effect.

One for each section of a tenant, and for each section's defaults and bounds of the platform, whose
plans are bound to `_platforms`. A plan is checked like a save when it is made, and goes the way of
one when its time comes; what is refused then is not done at all, and waits for somebody.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event, Status
from insula.config_overrides import store
from insula.config_overrides.catalogue import Catalogue
from insula.config_overrides.errors import InvalidSetting, PlanUnknown, VersionConflict
from insula.config_overrides.marks import Plan, PlanScope, identity
from insula.config_overrides.masks import mask
from insula.config_overrides.models import Layers, Values
from insula.config_overrides.platform import (
    change_bounds,
    change_values,
    judged_bounds,
    judged_values,
)
from insula.config_overrides.resolution import resolve
from insula.config_overrides.saving import Saving, compare_section, held, last_of, merged
from insula.config_overrides.service import (
    change_in,
    check_own,
    judged,
    load_in,
    reset_in,
    wanted_of,
)
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Conflict, InsulaError, Invalid, NotFound
from insula.kernel.settings import Section
from insula.tenancy.db import Connection, Platform, Row

#: Days that a change may be put off.
MOST_DAYS: Final = 30
_BATCH: Final = 1000
_PARTS: Final[Mapping[PlanScope, str]] = {
    "tenant": "own", "defaults": "platform", "bounds": "bounds",
}  # fmt: skip


async def make(  # noqa: PLR0913  (each by its name)
    db: Connection,
    scope: PlanScope,
    section: type[Section],
    changes: Values,
    saving: Saving,
    days: int,
    *,
    replaces: bool = False,
) -> Plan:
    """
    Plan *changes* of a section for so many days from now, in the place of what was planned.

    Of them only what differs from what is stored; None takes a field back. With *replaces* what is
    not mentioned is taken back too. Raises what a save of them raises, and `InvalidSetting` where
    nothing would change.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidSetting(f"From 1 to {MOST_DAYS} days", field="grace_days", example="7")
    layers = await held(db)
    await compare_section(db, layers, scope, section.key, saving)
    fresh = await _fresh(db, layers, scope, section, changes, saving, replaces=replaces)
    if not fresh:
        raise InvalidSetting("Nothing would change, so there is nothing to plan", field=section.key)
    reason = saving.reason.strip()[:500]
    row = await store.write_plan(
        db, scope, section.key, changes=fresh, actor=saving.signed(), reason=reason, days=days
    )
    plan = Plan(
        row.id, scope, section.key, fresh, saving.signed(), reason, row.planned_at, row.due_at
    )
    former = layers.plan(scope, section.key)
    details: dict[str, Any] = {"replaced": sorted(former.changes)} if former else {}
    if reason:
        details["reason"] = reason
    await _record(db, "config.change_planned", plan, saving.actor, details)
    return plan


async def _fresh(  # noqa: PLR0913  (each by its name)
    db: Connection,
    layers: Layers,
    scope: PlanScope,
    section: type[Section],
    changes: Values,
    saving: Saving,
    *,
    replaces: bool,
) -> dict[str, Any]:
    """What a save would store anew, None for what it takes back; secrets are sealed."""
    if scope == "tenant":
        check_own(section, changes)
        wanted = wanted_of(section, layers, changes, replace=replaces)
        own, changed = await judged(db, layers, {section: wanted}, saving)
        after: Values = own.get(section.key, {})
        names = changed.get(section.key, [])
    elif scope == "defaults":
        after, names = await judged_values(db, layers, section, changes, saving, replace=replaces)
    else:
        after, names = judged_bounds(layers, section, changes, replace=replaces)
    return {name: after.get(name) for name in names}


async def save(  # noqa: PLR0913  (each by its name)
    db: Connection,
    scope: PlanScope,
    section: type[Section],
    changes: Values | None,
    saving: Saving,
    days: int = 0,
    *,
    replace: bool = False,
) -> Plan | None:
    """
    Change a section at once, or plan to where *days* are given; the plan, if it is one.

    None takes everything back; in a tenant's record that is a reset. With *replace* what is not
    mentioned is taken back too. Raises what a save of them raises, and as `make`.
    """
    everything = replace or changes is None
    fresh = changes or {}
    if days:
        return await make(db, scope, section, fresh, saving, days, replaces=everything)
    if scope == "defaults":
        await change_values(db, section, fresh, saving, replace=everything)
    elif scope == "bounds":
        await change_bounds(db, section, fresh, saving, replace=everything)
    elif changes is None:
        await reset_in(db, section, saving)
    else:
        await change_in(db, section, fresh, saving, replace=replace)
    return None


async def find(db: Connection, scope: PlanScope, section: str) -> tuple[Plan, Layers]:
    """What is planned for a section, and what it would change. Raises `PlanUnknown`."""
    layers = await load_in(db)
    return _found(layers, scope, section), layers


def _found(layers: Layers, scope: PlanScope, section: str) -> Plan:
    plan = layers.plan(scope, section)
    if plan is None:
        raise PlanUnknown("Nothing is planned for this section.")
    return plan


async def _claimed(
    db: Connection, scope: PlanScope, section: str, saving: Saving
) -> tuple[Plan, Layers]:
    """The plan that *saving* is about, held. Raises `PlanUnknown`, `VersionConflict`."""
    layers = await held(db)
    plan = _found(layers, scope, section)
    if saving.expected not in (None, str(plan.id)):
        raise VersionConflict(await last_of(db, scope, plan))
    return plan, layers


async def withdraw(db: Connection, scope: PlanScope, section: str, saving: Saving) -> Plan:
    """
    Take back what is planned for a section; what it was. *saving.expected* is the plan's id.

    Raises `PlanUnknown`, `VersionConflict`.
    """
    plan, _ = await _claimed(db, scope, section, saving)
    await store.delete_plan(db, scope, section)
    details = {"planned_by": identity(plan.by)}
    await _record(db, "config.plan_withdrawn", plan, saving.actor, details)
    return plan


async def apply(db: Connection, scope: PlanScope, section: type[Section], saving: Saving) -> Layers:
    """
    Put into effect at once what is planned for a section; the layers then.

    Raises as `withdraw`, and what a save raises: then it stays planned.
    """
    plan, layers = await _claimed(db, scope, section.key, saving)
    return await _put(db, section, plan, layers, saving)


async def _put(
    db: Connection, section: type[Section], plan: Plan, layers: Layers, saving: Saving
) -> Layers:
    """Save what was planned, as the plan's fields alone; the layers then."""
    how = replace(saving, expected=None, plan=plan, reason=saving.reason.strip() or plan.reason)
    await save(db, plan.scope, section, plan.changes, how)
    await store.delete_plan(db, plan.scope, plan.section)
    after = await load_in(db)
    if after.stored(plan.scope, plan.section) == layers.stored(plan.scope, plan.section):
        # somebody saved the same meanwhile: no version tells that the plan is over
        details = {"changed": [], "planned_by": identity(plan.by)}
        await _record(db, "config.updated", plan, saving.actor, details, status="info")
    return after


async def due(platform: Platform) -> list[Row]:
    """Plans of active tenants whose time has come: tenant_id, id."""
    return list(await store.due_plans(platform, _BATCH))


async def carry_out(
    platform: Platform, catalogue: Catalogue, envelope: Envelope, tenant_id: UUID, plan_id: UUID
) -> Plan | None:
    """
    Put a plan into effect whose time has come; it as it was, or as it failed.

    None if it is gone or has failed before: of two that try, one finds it.
    """
    try:
        async with platform.within(tenant_id) as db:
            layers = await held(db)
            plan = _waiting(layers, plan_id)
            if plan is None:
                return None
            section = catalogue.of_scope(plan.scope, plan.section)
            await _put(db, section, plan, layers, Saving(SYSTEM, envelope=envelope))
            return plan
    except (Conflict, Invalid, NotFound) as refusal:
        async with platform.within(tenant_id) as db:
            return await _fail(db, plan_id, refusal)


def _waiting(layers: Layers, plan_id: UUID) -> Plan | None:
    return next(
        (p for p in layers.plans.values() if p.id == plan_id and p.failed_at is None), None
    )  # fmt: skip


async def _fail(db: Connection, plan_id: UUID, refusal: InsulaError) -> Plan | None:
    plan = _waiting(await held(db), plan_id)
    if plan is None:
        return None
    place = f"{refusal.field}: " if isinstance(refusal, Invalid) and refusal.field else ""
    failure = f"{place}{refusal.description}"[:500]
    await store.fail_plan(db, plan, failure)
    details = {"why": failure, "planned_by": identity(plan.by)}
    await _record(db, "config.plan_failed", plan, SYSTEM, details, status="failed")
    return replace(plan, failure=failure)


async def _record(  # noqa: PLR0913  (each by its name)
    db: Connection,
    event: str,
    plan: Plan,
    actor: Actor,
    details: Mapping[str, Any],
    *,
    status: Status = "success",
) -> None:
    kind = "config" if plan.scope == "tenant" else "platform_config"
    metadata = {
        "planned": sorted(plan.changes), "due_at": plan.due_at.isoformat(), "part": plan.scope,
        **details,
    }  # fmt: skip
    await audit.record(
        db,
        Event(event, actor, status, target_type=kind, target_id=plan.section, metadata=metadata),
    )


def in_effect(layers: Layers, plan: Plan) -> Layers:
    """The layers as they would be if a plan were in effect."""
    part = _PARTS[plan.scope]
    after = merged(layers.stored(plan.scope, plan.section), plan.changes)
    stored: Mapping[str, Values] = getattr(layers, part)
    changed: dict[str, Any] = {part: {**stored, plan.section: after}}
    return replace(layers, **changed)


def differences_of(
    section: type[Section], layers: Layers, plan: Plan
) -> list[tuple[str, Any, Any]]:
    """Each field of a plan: what holds now, and what would then; secrets are masked."""
    before, after = (
        _holding(section, each, plan.scope) for each in (layers, in_effect(layers, plan))
    )
    return [(name, mask(before.get(name)), mask(after.get(name))) for name in sorted(plan.changes)]


def effects_of(section: type[Section], layers: Layers, plan: Plan) -> list[tuple[str, Any, Any]]:
    """What a plan of the platform changes in force for the tenant of *layers*; masked."""
    before, after = (
        resolve(section, each).model_dump(mode="json") for each in (layers, in_effect(layers, plan))
    )
    return [
        (name, mask(before[name]), mask(after[name]))
        for name in before
        if before[name] != after[name]
    ]


def _holding(section: type[Section], layers: Layers, scope: PlanScope) -> Values:
    if scope == "bounds":
        return layers.stored(scope, section.key)
    own = layers.own if scope == "tenant" else {}
    return resolve(section, replace(layers, own=own)).model_dump(mode="json")
