"""All SQL on tenant_settings."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text

from insula.tenancy.db import Connection, Row, Tenant, statement

_LOAD = statement("""
    select s.section, s.value from insula.tenant_settings s where s.tenant_id = %(tenant_id)s
""")


async def load(tenant: Tenant) -> Sequence[Row]:
    return await tenant.once(_LOAD, {})


async def hold(db: Connection, section: str) -> dict[str, Any]:
    """What is stored of a section; nobody else changes it before the transaction ends."""
    value: dict[str, Any] = (
        await db.execute(
            text("""
                insert into insula.tenant_settings as s (section, value) values (:section, '{}')
                on conflict (tenant_id, section) do update set value = s.value
                returning value
            """),
            {"section": section},
        )
    ).scalar_one()
    return value


async def write(db: Connection, section: str, value: Mapping[str, Any]) -> None:
    """Store a section that is held; an empty one leaves no row."""
    if not value:
        await db.execute(
            text("delete from insula.tenant_settings where section = :section"),
            {"section": section},
        )
        return
    await db.execute(
        text("""
            update insula.tenant_settings
               set value = cast(:value as jsonb), updated_at = now() where section = :section
        """),
        {"section": section, "value": json.dumps(value)},
    )
