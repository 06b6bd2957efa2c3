"""
What a canary needs to be asked over HTTP, and what is issued to it for one run.

Written here and not by the acts of the engine: those write into the record, which nobody may
shorten, and the probe runs every minute. What is issued dies within minutes and is swept.

Statements name the tenant although a policy does: they must not touch the twin when it is gone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from insula.tenancy.db import Connection, Tenant, statement

#: The canaries are twins: the same application, and the same issues, so that nothing but the wall
#: tells the one's from the other's.
CLIENT: Final = UUID("ca0a2900-0000-4000-8000-000000000001")
CLIENT_ID: Final = "canary"
#: So long lives what is issued, and so long it is kept.
LIFE: Final = timedelta(minutes=3)
_KEPT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Kept:
    """Digests of what is issued for one run; *person* and *program* are ids of issues."""

    person: UUID
    program: UUID
    session: UUID
    session_hash: bytes
    code_hash: bytes
    access_hash: bytes
    refresh_hash: bytes
    redirect_uri: str
    audience: str
    scopes: tuple[str, ...]
    program_scopes: tuple[str, ...]
    acr: str


async def plant_client(db: Connection, metadata: Mapping[str, Any], digest: bytes) -> None:
    """Give the bound canary the application of that *metadata* and the secret of that *digest*."""
    client = {"id": CLIENT, "client_id": CLIENT_ID}
    await db.execute(
        text("""
            insert into insula.clients as c (id, client_id, name, metadata)
            values (:id, :client_id, 'Canary', cast(:metadata as jsonb))
            on conflict (tenant_id, id) do update set metadata = excluded.metadata
             where c.metadata <> excluded.metadata
        """),
        {**client, "metadata": json.dumps(metadata)},
    )
    await db.execute(
        text("""
            delete from insula.client_secrets
             where tenant_id = insula.current_tenant() and client_id = :id and digest <> :digest
        """),
        {"id": CLIENT, "digest": digest},
    )
    await db.execute(
        text("""
            insert into insula.client_secrets (client_id, digest) values (:id, :digest)
            on conflict do nothing
        """),
        {"id": CLIENT, "digest": digest},
    )


async def discard_false_keys(db: Connection) -> None:
    """Put away the key of the bound canary that a former release planted, which is none."""
    await db.execute(
        text("""
            update insula.signing_keys set state = 'revoked'
             where tenant_id = insula.current_tenant() and public_jwk = '{}' and state <> 'revoked'
        """)
    )


async def expect_failures(db: Connection, kind: str, subject: bytes) -> None:
    """
    Count failures of the probe's own making beyond what is recorded one by one.

    The count is the tenant's guard against floods; it writes no line for the many after the first.
    """
    await db.execute(
        text("""
            insert into insula.attempt_counters as a (kind, subject, n, window_ends_at, sweep_after)
            values (:kind, :subject, 1000, now() + :kept, now() + :kept)
            on conflict (tenant_id, kind, subject) do update
               set n = 1000, window_ends_at = excluded.window_ends_at,
                   sweep_after = excluded.sweep_after
        """),
        {"kind": kind, "subject": subject, "kept": _KEPT},
    )


_ISSUE = statement("""
    with person as materialized (
      select id from insula.users
       where tenant_id = %(tenant_id)s and username_norm = 'canary'
    ), session as (
      insert into insula.sessions
        (id, token_hash, user_id, amr, acr, idle_expires_at, absolute_expires_at, sweep_after)
      select %(session)s::uuid, %(session_hash)s::bytea, person.id, '{pwd}', %(acr)s,
             now() + %(life)s, now() + %(life)s, now() + %(kept)s
        from person
    ), code as (
      insert into insula.authorization_codes
        (id, code_hash, client_id, user_id, session_id, redirect_uri, scopes, auth_time,
         auth_time_wanted, amr, acr, expires_at, sweep_after)
      select gen_random_uuid(), %(code_hash)s::bytea, %(client)s::uuid, person.id,
             %(session)s::uuid, %(redirect_uri)s, %(scopes)s::text[],
             now(), false, '{pwd}', %(acr)s, now() + %(life)s, now() + %(kept)s
        from person
    ), issue as (
      insert into insula.token_issues
        (id, kind, client_id, user_id, session_id, scopes, auth_time, amr, acr, sweep_after)
      select %(person)s::uuid, 'code', %(client)s::uuid, person.id, %(session)s::uuid,
             %(scopes)s::text[], now(), '{pwd}'::text[], %(acr)s, now() + %(kept)s
        from person
      union all
      select %(program)s::uuid, 'client_credentials', %(client)s::uuid, null, null,
             %(program_scopes)s::text[], null, '{}', null, now() + %(kept)s
    ), opaque as (
      insert into insula.access_tokens
        (token_hash, issue_id, scopes, audience, expires_at, sweep_after)
      values (%(access_hash)s::bytea, %(person)s::uuid, %(scopes)s::text[],
              array[%(audience)s::text], now() + %(life)s, now() + %(kept)s)
    ), family as (
      insert into insula.refresh_families
        (id, client_id, current_hash, idle_expires_at, absolute_expires_at, sweep_after)
      values (%(person)s::uuid, %(client)s::uuid, %(refresh_hash)s::bytea,
              now() + %(life)s, now() + %(life)s, now() + %(kept)s)
    ), generation as (
      insert into insula.refresh_generations (token_hash, family_id, generation)
      values (%(refresh_hash)s::bytea, %(person)s::uuid, 1)
    )
    select p.id as user_id,
           (select c.id from insula.clients c
             where c.tenant_id = %(tenant_id)s and c.id <> %(client)s::uuid order by c.id limit 1) as other_client
      from person p
""")


async def issue(canary: Tenant, kept: Kept) -> tuple[UUID, UUID] | None:
    """
    Write down what is issued to the canary: its person, and a second application of it.

    None where one of them is missing.
    """
    values = {name: getattr(kept, name) for name in Kept.__slots__}
    values |= {
        "client": CLIENT,
        "life": LIFE,
        "kept": _KEPT,
        "scopes": list(kept.scopes),
        "program_scopes": list(kept.program_scopes),
    }
    rows = await canary.once(_ISSUE, values)
    if not rows or rows[0].other_client is None:
        return None
    return rows[0].user_id, rows[0].other_client


_SHORTEN = statement("""
    update insula.authorization_codes set sweep_after = now() + %(kept)s
     where tenant_id = %(tenant_id)s and client_id = %(client)s::uuid
       and sweep_after > now() + %(kept)s
    returning id
""")


async def let_go(canary: Tenant) -> None:
    """Have the codes swept soon that the engine issued in a run; it would keep them for months."""
    await canary.once(_SHORTEN, {"client": CLIENT, "kept": _KEPT})
