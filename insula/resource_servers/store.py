"""All SQL on resource_servers, scopes and claim_mappings."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError

from insula.tenancy.db import Connection, Row, Tenant, statement

_LOAD = statement("""
    select coalesce((select jsonb_agg(jsonb_build_object(
                       'id', r.id, 'identifier', r.identifier, 'name', r.name, 'settings', r.settings,
                       'created_at', r.created_at))
                       from insula.resource_servers r where r.tenant_id = %(tenant_id)s), '[]') as servers,
           coalesce((select jsonb_agg(jsonb_build_object(
                       'resource_server_id', s.resource_server_id, 'name', s.name, 'title', s.title,
                       'description', s.description, 'claims', s.claims, 'created_at', s.created_at))
                       from insula.scopes s where s.tenant_id = %(tenant_id)s), '[]') as scopes,
           coalesce((select jsonb_agg(jsonb_build_object('claim', m.claim, 'attribute', m.attribute))
                       from insula.claim_mappings m where m.tenant_id = %(tenant_id)s), '[]') as mappings
""")


async def load(tenant: Tenant) -> Row:
    """Everything of a tenant, as lists of rows in JSON."""
    return (await tenant.once(_LOAD, {}))[0]


async def _insert(db: Connection, statement: TextClause, values: Mapping[str, Any]) -> bool:
    """Whether there was room for it."""
    try:
        async with db.begin_nested():
            await db.execute(statement, values)
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return False
    return True


async def insert_server(
    db: Connection, identifier: str, name: str, settings: Mapping[str, Any]
) -> bool:
    return await _insert(
        db,
        text("""
            insert into insula.resource_servers (identifier, name, settings)
            values (:identifier, :name, cast(:settings as jsonb))
        """),
        {"identifier": identifier, "name": name, "settings": json.dumps(settings)},
    )


async def lock_server(db: Connection, identifier: str) -> Row | None:
    return (
        await db.execute(
            text("""
                select id, identifier, name, settings from insula.resource_servers
                 where identifier = :identifier for update
            """),
            {"identifier": identifier},
        )
    ).one_or_none()


async def update_server(
    db: Connection, server: UUID, name: str, settings: Mapping[str, Any]
) -> None:
    await db.execute(
        text("""
            update insula.resource_servers
               set name = :name, settings = cast(:settings as jsonb), updated_at = now()
             where id = :server
        """),
        {"server": server, "name": name, "settings": json.dumps(settings)},
    )


async def identifier_of(db: Connection, server: UUID) -> str | None:
    identifier: str | None = await db.scalar(
        text("select identifier from insula.resource_servers where id = :id"), {"id": server}
    )
    return identifier


async def delete_server(db: Connection, server: UUID) -> None:
    """Delete a resource server; its scopes go with it."""
    await db.execute(
        text("delete from insula.resource_servers where id = :server"), {"server": server}
    )


async def servers(db: Connection) -> Sequence[Row]:
    """Every resource server by identifier, with the names of its scopes."""
    return (
        await db.execute(
            text("""
                select r.id, r.identifier, r.name, r.settings, r.created_at, r.updated_at,
                       array(select s.name from insula.scopes s
                              where s.resource_server_id = r.id order by s.name) as scopes
                  from insula.resource_servers r order by r.identifier
            """)
        )
    ).all()


async def insert_scope(db: Connection, values: Mapping[str, Any]) -> bool:
    return await _insert(
        db,
        text("""
            insert into insula.scopes (resource_server_id, name, title, description, claims)
            values (:server, :name, :title, :description, :claims)
        """),
        values,
    )


async def lock_scope(db: Connection, name: str) -> Row | None:
    return (
        await db.execute(
            text("""
                select id, resource_server_id, name, title, description, claims
                  from insula.scopes where name = :name for update
            """),
            {"name": name},
        )
    ).one_or_none()


async def update_scope(
    db: Connection, scope: UUID, title: str, description: str, claims: Sequence[str]
) -> None:
    await db.execute(
        text("""
            update insula.scopes set title = :title, description = :description, claims = :claims
             where id = :scope
        """),
        {"scope": scope, "title": title, "description": description, "claims": list(claims)},
    )


async def delete_scope(db: Connection, scope: UUID) -> None:
    await db.execute(text("delete from insula.scopes where id = :scope"), {"scope": scope})


async def scopes(db: Connection) -> Sequence[Row]:
    """Every scope by name, with the identifier of its resource server."""
    return (
        await db.execute(
            text("""
                select s.id, s.name, r.identifier as resource_server, s.title, s.description, s.claims
                  from insula.scopes s
                  left join insula.resource_servers r on r.id = s.resource_server_id
                 order by s.name
            """)
        )
    ).all()


async def scopes_with(db: Connection, claim: str) -> Sequence[str]:
    """Names of the scopes that stand for a claim."""
    rows = await db.execute(
        text("select name from insula.scopes where :claim = any(claims) order by name"),
        {"claim": claim},
    )
    return [row.name for row in rows]


async def put_mapping(db: Connection, claim: str, attribute: str) -> None:
    await db.execute(
        text("""
            insert into insula.claim_mappings (claim, attribute) values (:claim, :attribute)
            on conflict (tenant_id, claim) do update set attribute = excluded.attribute
        """),
        {"claim": claim, "attribute": attribute},
    )


async def lock_mappings(db: Connection) -> Sequence[Row]:
    """Every mapping by claim; none of them goes before the transaction ends."""
    return (
        await db.execute(
            text("select claim, attribute from insula.claim_mappings order by claim for share")
        )
    ).all()


async def mappings(db: Connection) -> Sequence[Row]:
    return (
        await db.execute(text("select claim, attribute from insula.claim_mappings order by claim"))
    ).all()


async def lock_mapping(db: Connection, claim: str) -> bool:
    """Whether there is such a mapping; held, nobody builds on it before the transaction ends."""
    found = await db.execute(
        text("select 1 from insula.claim_mappings where claim = :claim for update"),
        {"claim": claim},
    )
    return found.first() is not None


async def delete_mapping(db: Connection, claim: str) -> None:
    await db.execute(
        text("delete from insula.claim_mappings where claim = :claim"), {"claim": claim}
    )
