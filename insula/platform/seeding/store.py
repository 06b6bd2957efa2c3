"""
All SQL of seeded tenants: many in one transaction, each written while it is bound.

A connection of its own as `insula_platform`, whose statements are prepared once and sent ahead of
their answers; the policies hold it as they hold every other.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

#: What a seeded slug looks like: never a tenant that somebody called `bench-mark`.
_OURS = "^bench-[0-9]{6}$"

_ENDOW = """
    with data_key as (
      insert into insula.tenant_data_keys (wrapped) values (%(wrapped)s)
    ), signing_key as (
      insert into insula.signing_keys (kid, alg, state, public_jwk, sealed, activated_at, due_at)
      select kid, alg, 'active', jwk, sealed, now(), now() + make_interval(days => %(days)s)
        from unnest(%(kids)s::text[], %(algs)s::text[], %(jwks)s::jsonb[], %(sealed)s::bytea[])
             k (kid, alg, jwk, sealed)
    ), person as (
      insert into insula.users (id, username, username_norm, email, email_norm, display_name)
      select id, username, username, email, email, username
        from unnest(%(user_ids)s::uuid[], %(usernames)s::text[], %(emails)s::text[])
             u (id, username, email)
    ), role as (
      insert into insula.user_roles (user_id, role)
      select id, 'user' from unnest(%(user_ids)s::uuid[]) u (id)
    ), client as (
      insert into insula.clients (id, client_id, name, metadata)
      select id, client_id, client_id, %(metadata)s::jsonb
        from unnest(%(clients)s::uuid[], %(client_ids)s::text[]) c (id, client_id)
    ), secret as (
      insert into insula.client_secrets (client_id, digest)
      select id, digest from unnest(%(clients)s::uuid[], %(digests)s::bytea[]) s (id, digest)
    )
    insert into insula.audit_events (event, status, actor_type, target_type, target_id, metadata)
    select event, 'success', 'system', target_type, target_id, metadata
      from unnest(%(events)s::text[], %(types)s::text[], %(targets)s::text[], %(details)s::jsonb[])
           e (event, target_type, target_id, metadata)
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator["psycopg.AsyncConnection[Any]"]:
    """A connection whose statements are prepared at their first use."""
    async with await psycopg.AsyncConnection.connect(
        url, autocommit=True, prepare_threshold=0, application_name="insula-seed"
    ) as connection:
        yield connection


async def insert(
    connection: "psycopg.AsyncConnection[Any]", tenants: Mapping[str, tuple[UUID, str]]
) -> list[str]:
    """The slugs among these (with id and name) that were free and now are tenants."""
    found = await connection.execute(
        """
        insert into insula.tenants (id, slug, display_name)
        select * from unnest(%s::uuid[], %s::text[], %s::text[])
        on conflict (slug) do nothing returning slug
        """,
        (
            [each[0] for each in tenants.values()],
            list(tenants),
            [each[1] for each in tenants.values()],
        ),
    )
    return [row[0] for row in await found.fetchall()]


async def endow(
    connection: "psycopg.AsyncConnection[Any]", rows: Iterable[tuple[UUID, Mapping[str, Any]]]
) -> None:
    """Write what each of these tenants has, in the caller's transaction, without waiting for any."""
    async with connection.pipeline(), connection.cursor() as cursor:
        for tenant_id, values in rows:
            await _bind(cursor, tenant_id)
            await cursor.execute(_ENDOW, values)


async def _bind(cursor: "psycopg.AsyncCursor[Any]", tenant_id: UUID) -> None:
    await cursor.execute("select set_config('insula.tenant_id', %s, true)", (str(tenant_id),))


async def put_away(connection: "psycopg.AsyncConnection[Any]", limit: int) -> list[UUID]:
    """End some seeded tenants for good: their deletion has begun when this returns; their ids."""
    async with connection.transaction():
        found = await connection.execute(
            """
            select id, slug, display_name, status from insula.tenants
             where slug collate "C" >= 'bench-' and slug collate "C" < 'bench.' and slug ~ %s
               and not protected
             order by slug collate "C" limit %s for update
            """,
            (_OURS, limit),
        )
        rows = await found.fetchall()
        columns = [[row[place] for row in rows] for place in range(4)]
        await connection.execute(
            """
            insert into insula.deletions
              (subject, slug, display_name, status_before, reason, requested_by, due_at)
            select *, 'seeded for a measurement', jsonb_build_object('type', 'system', 'id', null),
                   now()
              from unnest(%s::uuid[], %s::text[], %s::text[], %s::text[])
            on conflict (subject) where undone_at is null and finished_at is null do nothing
            """,
            columns,
        )
        ids: list[UUID] = columns[0]
        await connection.execute(
            """
            update insula.deletions set started_at = coalesce(started_at, now())
             where subject = any(%s) and undone_at is null and finished_at is null
            """,
            (ids,),
        )
        await connection.execute(
            """
            update insula.tenants
               set status = 'deleting', access_ended_at = clock_timestamp(), version = version + 1,
                   changed_xid = pg_current_xact_id()
             where id = any(%s)
            """,
            (ids,),
        )
    return ids


async def take(owner: "psycopg.AsyncConnection[Any]", ids: Sequence[UUID]) -> None:
    """
    Take all rows of tenants whose deletion has begun.

    The owner becomes `insula_definer`, whose policies show it the rows of such tenants and no
    others (sql/after.sql). Tables that others point at empty themselves with what they point at.
    """
    async with owner.transaction():
        await owner.execute("set local role insula_definer")
        tables = await owner.execute("""
            select c.oid::regclass::text from pg_class c
              join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
             where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
               and not c.relispartition and not a.attisdropped
               and not exists (select from pg_constraint k
                                where k.confrelid = c.oid and k.contype = 'f')
        """)
        for (table,) in await tables.fetchall():
            await owner.execute(
                sql.SQL("delete from {} where tenant_id = any(%s)").format(sql.SQL(table)),
                (ids,),
            )
        await owner.execute("delete from insula.tenants where id = any(%s)", (ids,))


async def finish(connection: "psycopg.AsyncConnection[Any]") -> None:
    """Close the deletions of seeded tenants that are gone; their slugs are free at once."""
    await connection.execute(
        """
        update insula.deletions d set finished_at = now()
         where d.finished_at is null and d.undone_at is null and d.started_at is not null
           and d.slug ~ %s and not exists (select from insula.tenants t where t.id = d.subject)
        """,
        (_OURS,),
    )
