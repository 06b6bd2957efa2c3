"""All SQL on tenant_settings, platform_settings, config_versions and config_plans."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from insula.config_overrides.marks import Plan
from insula.tenancy.db import Connection, Platform, Row, Tenant, statement

#: How many saves are kept of each scope (features.md J03).
KEPT = 50

_LAYERS = """
    select (select coalesce(jsonb_object_agg(s.section, jsonb_build_object('value', s.value, 'marks', s.marks)), '{}')
              from insula.tenant_settings s where s.tenant_id = insula.current_tenant()) as own,
           (select coalesce(jsonb_object_agg(p.section, jsonb_build_object(
                     'value', p.value, 'bounds', p.bounds, 'marks', p.marks, 'bound_marks', p.bound_marks)), '{}')
              from insula.platform_settings p) as platform,
           (select coalesce(jsonb_agg(to_jsonb(c)), '[]')
              from insula.config_plans c where c.tenant_id = insula.current_tenant()) as plans,
           (select coalesce(jsonb_agg(c.value order by c.value ->> 'due_at'), '[]')
              from insula.platform_settings p cross join lateral jsonb_each(p.coming) c) as coming
"""
_LOAD = statement(_LAYERS)


async def load(tenant: Tenant) -> Row:
    """*own*, *platform*, *plans* and what is *coming* for a tenant, in one trip."""
    return (await tenant.once(_LOAD, {}))[0]


async def load_in(db: Connection) -> Row:
    """The same in a transaction, where the bound tenant is."""
    return (await db.execute(text(_LAYERS))).one()


async def hold(db: Connection) -> None:
    """Nobody else saves the bound tenant's configuration before the transaction ends."""
    await db.execute(
        text("select from insula.tenants where id = insula.current_tenant() for no key update")
    )


async def write(
    db: Connection, section: str, value: Mapping[str, Any], marks: Mapping[str, Any]
) -> None:
    """Store the bound tenant's section; an empty one leaves no row."""
    if not value:
        await db.execute(
            text("delete from insula.tenant_settings where section = :section"),
            {"section": section},
        )
        return
    await db.execute(
        text("""
            insert into insula.tenant_settings as s (section, value, marks)
            values (:section, cast(:value as jsonb), cast(:marks as jsonb))
            on conflict (tenant_id, section) do update
               set value = excluded.value, marks = excluded.marks, updated_at = now()
        """),
        {"section": section, "value": json.dumps(value), "marks": json.dumps(marks)},
    )


async def note_use(db: Connection, section: str, field: str) -> None:
    """That a secret of the bound tenant was used, once an hour at most; it changes no setting."""
    await db.execute(
        text("""
            update insula.tenant_settings
               set marks = jsonb_set(marks, array[cast(:field as text), 'used_at'], to_jsonb(now()))
             where section = :section and marks ? cast(:field as text)
               and coalesce(cast(marks -> cast(:field as text) ->> 'used_at' as timestamptz), '-infinity')
                   < now() - interval '1 hour'
        """),
        {"section": section, "field": field},
    )


async def write_platform(db: Connection, section: str, row: Mapping[str, Any]) -> None:
    """Store a section of the platform: *row* has value, marks, bounds and bound_marks."""
    await db.execute(
        text("""
            insert into insula.platform_settings (section, value, marks, bounds, bound_marks)
            values (:section, cast(:value as jsonb), cast(:marks as jsonb),
                    cast(:bounds as jsonb), cast(:bound_marks as jsonb))
            on conflict (section) do update
               set value = excluded.value, marks = excluded.marks, bounds = excluded.bounds,
                   bound_marks = excluded.bound_marks, updated_at = now()
        """),
        {"section": section, **{name: json.dumps(part) for name, part in row.items()}},
    )


async def add_version(  # noqa: PLR0913  (each by its name)
    db: Connection,
    scope: str,
    *,
    act: str,
    actor: Mapping[str, Any],
    reason: str,
    changed: Sequence[str],
    snapshot: Mapping[str, Any],
) -> int:
    """Write down a save that is held, and forget the oldest; its number."""
    number: int = (
        await db.execute(
            text("""
                insert into insula.config_versions (scope, number, act, actor, reason, changed, snapshot)
                values (:scope, 1 + (select coalesce(max(v.number), 0) from insula.config_versions v
                                      where v.tenant_id = insula.current_tenant() and v.scope = :scope),
                        :act, cast(:actor as jsonb), :reason, :changed, cast(:snapshot as jsonb))
                returning number
            """),
            {
                "scope": scope,
                "act": act,
                "actor": json.dumps(actor),
                "reason": reason,
                "changed": list(changed),
                "snapshot": json.dumps(snapshot),
            },
        )
    ).scalar_one()
    await db.execute(
        text("""
            delete from insula.config_versions
             where tenant_id = insula.current_tenant() and scope = :scope and number <= :oldest
        """),
        {"scope": scope, "oldest": number - KEPT},
    )
    return number


_VERSION = "select number, at, act, actor, reason, changed, snapshot from insula.config_versions"


async def versions(db: Connection, scope: str, before: int | None, limit: int) -> Sequence[Row]:
    """Saves of the bound tenant, newest first, with numbers below *before*."""
    return (
        await db.execute(
            text(f"""
                {_VERSION}
                 where tenant_id = insula.current_tenant() and scope = :scope
                   and (cast(:before as bigint) is null or number < :before)
                 order by number desc limit :limit
            """),
            {"scope": scope, "before": before, "limit": limit},
        )
    ).all()


async def version(db: Connection, scope: str, number: int) -> Row | None:
    return (
        await db.execute(
            text(
                f"{_VERSION} where tenant_id = insula.current_tenant()"
                " and scope = :scope and number = :number"
            ),
            {"scope": scope, "number": number},
        )
    ).one_or_none()


async def of_tenants(
    platform: Platform, section: str, after: UUID | None, batch: int
) -> Sequence[Row]:
    """What tenants stored of a section: tenant_id, slug, value; a page in the order of ids."""
    return await platform.fetch(
        "select tenant_id, slug, value from insula.settings_of_tenants("
        "%(section)s, cast(%(after)s as uuid), %(batch)s)",
        {"section": section, "after": after, "batch": batch},
    )


async def how_many_decide(platform: Platform, section: str, fields: Sequence[str]) -> int:
    """How many tenants have stored all these fields of a section."""
    rows = await platform.fetch(
        "select insula.tenants_that_decide(%(section)s, cast(%(fields)s as text[])) as n",
        {"section": section, "fields": list(fields)},
    )
    n: int = rows[0].n
    return n


async def write_plan(  # noqa: PLR0913  (each by its name)
    db: Connection,
    scope: str,
    section: str,
    *,
    changes: Mapping[str, Any],
    actor: Mapping[str, Any],
    reason: str,
    days: int,
) -> Row:
    """Plan a change of the bound tenant's section, in the place of one that was."""
    await delete_plan(db, scope, section)
    row = (
        await db.execute(
            text("""
                insert into insula.config_plans (scope, section, changes, actor, reason, due_at)
                values (:scope, :section, cast(:changes as jsonb), cast(:actor as jsonb), :reason,
                        now() + make_interval(days => :days))
                returning id, planned_at, due_at
            """),
            {
                "scope": scope,
                "section": section,
                "changes": json.dumps(changes),
                "actor": json.dumps(actor),
                "reason": reason,
                "days": days,
            },
        )
    ).one()
    if scope != "tenant":
        await _announce(db, row.id)
    return row


async def _announce(db: Connection, plan_id: UUID) -> None:
    """Let every tenant see a plan of the platform, without why."""
    await db.execute(
        text("""
            insert into insula.platform_settings as s (section, coming)
            select c.section, jsonb_build_object(c.scope, to_jsonb(c) - 'tenant_id' || '{"reason": ""}')
              from insula.config_plans c where c.id = :id
            on conflict (section) do update set coming = s.coming || excluded.coming
        """),
        {"id": plan_id},
    )


async def _announce_no_more(db: Connection, scope: str, section: str) -> None:
    await db.execute(
        text("""
            update insula.platform_settings set coming = coming - cast(:scope as text)
             where section = :section
        """),
        {"scope": scope, "section": section},
    )


async def delete_plan(db: Connection, scope: str, section: str) -> None:
    await db.execute(
        text("delete from insula.config_plans where scope = :scope and section = :section"),
        {"scope": scope, "section": section},
    )
    if scope != "tenant":
        await _announce_no_more(db, scope, section)


async def fail_plan(db: Connection, plan: Plan, failure: str) -> None:
    """Note why a plan of the bound tenant could not be put into effect."""
    await db.execute(
        text("update insula.config_plans set failed_at = now(), failure = :failure where id = :id"),
        {"id": plan.id, "failure": failure},
    )
    if plan.scope != "tenant":
        await _announce_no_more(db, plan.scope, plan.section)


async def due_plans(platform: Platform, batch: int) -> Sequence[Row]:
    """Plans whose time has come: tenant_id, id."""
    return await platform.fetch(
        "select tenant_id, id from insula.config_plans_due(%(batch)s)", {"batch": batch}
    )
