"""All SQL of the probe: what there is to ask for, the questions, the canaries' rows, the runs."""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from insula.isolation.models import Cell, Found, Run, Table
from insula.tenancy.db import Connection, Row, Statement, statement

_COLUMNS: Final = """
    id, at, release, result, cells, failures, unproved, failures_so_far, passed_at, report"""
_PLAIN: Final = re.compile(r"[a-z_]+\Z")


async def tables(db: Connection, *, registry: bool) -> list[Table]:
    """
    Every table of tenants that the role of *db* may read, as the catalogue has them.

    With *registry* also the lines of the registry, of which a tenant's role sees its own alone.
    """
    rows = await db.execute(
        text("""
            select c.relname as name, a.attname as key
              from pg_class c
              join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
             where c.relnamespace = 'insula'::regnamespace and c.relkind in ('r', 'p')
               and not c.relispartition
               and (a.attname = 'tenant_id'
                    or :registry and a.attname = 'id' and c.relname in ('tenants', 'tenant_counters'))
               and has_column_privilege(c.oid, a.attnum, 'select')
             order by c.relname
        """),
        {"registry": registry},
    )
    found = [Table(row.name, row.key) for row in rows]
    assert all(_PLAIN.match(each.name) for each in found)  # noqa: S101  (names become SQL below)
    return found


@lru_cache(16)
def _question(asked: tuple[Table, ...], whom: str) -> str:
    return " union all ".join(
        f"select '{each.name}' as name,"  # noqa: S608  (plain names of the catalogue)
        f" exists (select from insula.{each.name} where {each.key} = {whom}) as seen"
        for each in asked
    )


def question(asked: Sequence[Table]) -> str:
    """In which tables a row of a tenant is seen, in one statement; its parameter is *whom*."""
    return _question(tuple(asked), "%(whom)s")


@lru_cache(16)
def _compiled(asked: tuple[Table, ...]) -> Statement:
    return statement(question(asked))


def one_trip(asked: Sequence[Table]) -> Statement:
    """The same question for the door of one trip."""
    return _compiled(tuple(asked))


def seen_in(rows: Sequence[Row]) -> set[str]:
    return {row.name for row in rows if row.seen}


async def seen(db: Connection, asked: Sequence[Table], whom: UUID) -> set[str]:
    """In which tables a transaction sees a row of *whom*."""
    rows = await db.execute(
        text(_question(tuple(asked), "cast(:whom as uuid)")), {"whom": str(whom)}
    )
    return seen_in(rows.all())


_BYTES: Final = "sha256(convert_to(cast(gen_random_uuid() as text), 'UTF8'))"
_NAME: Final = "'canary-' || replace(cast(gen_random_uuid() as text), '-', '')"
_NEVER: Final = "timestamptz '2999-01-01'"
_USER: Final = "(select min(cast(id as text))::uuid from insula.users)"
_CLIENT: Final = "(select min(cast(id as text))::uuid from insula.clients)"
_SERVER: Final = "(select min(cast(id as text))::uuid from insula.resource_servers)"
_FAMILY: Final = "(select min(cast(id as text))::uuid from insula.refresh_families)"
_ID: Final = "gen_random_uuid()"

#: One row of each table, in the order of their references. None of them opens anything: digests
#: are of values that nobody kept.
_PLANTS: Final[dict[str, dict[str, str]]] = {
    "audit_events": {
        "event": "'maintenance.run'", "status": "'info'", "actor_type": "'system'",
    },
    "users": {"id": _ID, "username": "'canary'", "username_norm": "'canary'"},
    "user_roles": {"user_id": _USER, "role": "'user'"},
    "clients": {"id": _ID, "client_id": _NAME, "name": "'Canary'"},
    "client_secrets": {"client_id": _CLIENT, "digest": _BYTES},
    "key_adoption": {
        "client_id": _CLIENT, "how": "'used'", "alg": "'ES256'", "kid": "'canary'",
        "last_seen": "now()",
    },
    "client_logos": {"client_id": _CLIENT, "digest": _BYTES, "image": _BYTES},
    "assets": {
        "kind": "'favicon'", "media_type": "'image/png'", "digest": _BYTES, "image": _BYTES,
        "width": "1", "height": "1", "kept_until": _NEVER,
    },
    "sessions": {
        "token_hash": _BYTES, "user_id": _USER, "amr": "'{pwd}'", "acr": "'1'",
        "idle_expires_at": _NEVER, "absolute_expires_at": _NEVER, "sweep_after": _NEVER,
    },
    "admin_sessions": {
        "token_hash": _BYTES, "user_id": _USER, "amr": "'{pwd}'",
        "idle_expires_at": _NEVER, "absolute_expires_at": _NEVER, "sweep_after": _NEVER,
    },
    "activation_links": {
        "token_hash": _BYTES, "user_id": _USER, "expires_at": _NEVER, "sweep_after": _NEVER,
    },
    "session_clients": {
        "sid": _ID, "client_id": _CLIENT, "user_id": _USER, "sweep_after": _NEVER,
    },
    "interactions": {
        "browser_hash": _BYTES, "kind": "'authorize'", "client_id": _CLIENT, "parameters": "'{}'",
        "prompt": "'{}'", "step_expires_at": _NEVER, "expires_at": _NEVER, "sweep_after": _NEVER,
    },
    "grants": {
        "user_id": _USER, "client_id": _CLIENT, "scopes": "'{openid}'", "expires_at": _NEVER,
    },
    "attempt_counters": {
        "kind": "'canary'", "subject": _BYTES, "n": "0", "window_ends_at": _NEVER,
        "sweep_after": _NEVER,
    },
    "authorization_codes": {
        "id": _ID, "code_hash": _BYTES, "client_id": _CLIENT, "user_id": _USER,
        "session_id": _ID, "redirect_uri": "'https://canary.invalid'", "scopes": "'{openid}'",
        "auth_time": _NEVER, "auth_time_wanted": "false", "amr": "'{pwd}'", "acr": "'1'",
        "expires_at": _NEVER, "sweep_after": _NEVER,
    },
    "token_issues": {
        "id": _ID, "kind": "'code'", "client_id": _CLIENT, "scopes": "'{openid}'",
        "sweep_after": _NEVER,
    },
    "access_tokens": {
        "token_hash": _BYTES, "issue_id": _ID, "scopes": "'{openid}'", "expires_at": _NEVER,
        "sweep_after": _NEVER,
    },
    "revoked_jtis": {"jti_hash": _BYTES, "sweep_after": _NEVER},
    "refresh_families": {
        "id": _ID, "client_id": _CLIENT, "current_hash": _BYTES, "idle_expires_at": _NEVER,
        "absolute_expires_at": _NEVER, "sweep_after": _NEVER,
    },
    "refresh_generations": {"token_hash": _BYTES, "family_id": _FAMILY, "generation": "1"},
    "tenant_settings": {"section": "'canary'", "value": "'{}'"},
    "config_versions": {
        "scope": "'tenant'", "number": "1", "act": "'canary'", "actor": "'{}'",
        "changed": "'{}'", "snapshot": "'{}'",
    },
    "config_plans": {
        "scope": "'tenant'", "section": "'canary'", "changes": "'{}'", "actor": "'{}'",
        "due_at": _NEVER,
    },
    "resource_servers": {
        "id": _ID, "identifier": "'https://canary.invalid'", "name": "'Canary'",
    },
    "scopes": {"resource_server_id": _SERVER, "name": "'canary'"},
    "claim_mappings": {"claim": "'canary'", "attribute": "'canary'"},
    "owned_objects": {"part": "'claims'", "name": "'canary'", "owned": "'{}'"},
    "initial_access_tokens": {
        "token_hash": _BYTES, "uses_left": "0", "expires_at": _NEVER, "sweep_after": _NEVER,
    },
    "pushed_requests": {
        "request_hash": _BYTES, "client_id": _CLIENT, "parameters": "'{}'",
        "expires_at": _NEVER, "sweep_after": _NEVER,
    },
    "seen_once": {"value_hash": _BYTES, "sweep_after": _NEVER},
    "device_grants": {
        "device_code_hash": _BYTES, "user_code_hash": _BYTES, "client_id": _CLIENT,
        "scopes": "'{openid}'", "expires_at": _NEVER, "sweep_after": _NEVER,
    },
    "tenant_days": {
        "day": "date '2999-01-01'", "what": "'canary'", "n": "1", "last_at": _NEVER,
        "sweep_after": _NEVER,
    },
    "idempotency_keys": {
        "key_hash": _BYTES, "request_hash": _BYTES, "expires_at": _NEVER, "sweep_after": _NEVER,
    },
}  # fmt: skip


async def plant(db: Connection, missing: set[str]) -> dict[str, str]:
    """
    Give the bound canary a row in each of these tables; those that refuse it, with why.

    Those that need more than a row of their own come by `plant_host`, `plant_proof` and with the
    keys.
    """
    refused: dict[str, str] = {}
    for table, values in _PLANTS.items():
        if table not in missing:
            continue
        sql = (
            f"insert into insula.{table} ({', '.join(values)})"  # noqa: S608  (words of this module)
            f" values ({', '.join(values.values())})"
        )
        try:
            async with db.begin_nested():
                await db.execute(text(sql))
        except DBAPIError as error:
            refused[table] = str(error.orig)
    return refused


async def plant_data_key(db: Connection, wrapped: bytes) -> None:
    """Give the bound canary a data key; one that was made by another process stays."""
    await db.execute(
        text("""
            insert into insula.tenant_data_keys (wrapped)
            select :wrapped where not exists (select from insula.tenant_data_keys)
        """),
        {"wrapped": wrapped},
    )


async def plant_host(db: Connection, host: str) -> None:
    """Give the bound canary a domain, over the platform's door."""
    await db.execute(
        text("""
            insert into insula.tenant_hosts (host, is_primary) values (:host, false)
            on conflict do nothing
        """),
        {"host": host},
    )


async def plant_proof(db: Connection, host: str) -> None:
    """Give the bound canary a domain that it is proving, likewise."""
    await db.execute(
        text("""
            insert into insula.host_proofs (host, method, token)
            values (:host, 'dns', replace(cast(gen_random_uuid() as text), '-', ''))
            on conflict do nothing
        """),
        {"host": host},
    )


# --- the runs


def _run(row: Row) -> Run:
    facts: dict[str, Any] = row._asdict()
    return Run(**{**facts, "failures": tuple(Cell(**each) for each in row.failures)})


async def insert(db: Connection, run_id: UUID, release: str, found: Found, report: str) -> None:
    """Keep a run; its counts go on from the one before."""
    failures = [{"door": c.door, "bound": c.bound, "table": c.table} for c in found.failures]
    await db.execute(
        text("""
            insert into insula.isolation_runs
              (id, release, result, cells, failures, unproved, failures_so_far, passed_at, report)
            select :id, :release, :result, :cells, cast(:failures as jsonb), :unproved,
                   coalesce(l.failures_so_far, 0) + :n,
                   case when :result = 'passed' then now() else l.passed_at end, :report
              from (select 1) one
              left join (select failures_so_far, passed_at from insula.isolation_runs
                          order by at desc, id desc limit 1) l on true
        """),
        {
            "id": run_id,
            "release": release,
            "result": found.result,
            "cells": found.cells,
            "failures": json.dumps(failures),
            "unproved": list(found.unproved),
            "n": len(failures),
            "report": report,
        },
    )


async def forget(db: Connection, batch: int) -> None:
    """Let go runs that found nothing after a day, the others after a year; never the newest."""
    await db.execute(
        text("""
            delete from insula.isolation_runs where id in (
              select id from insula.isolation_runs
               where at < now() - case result when 'passed' then interval '1 day'
                                              else interval '1 year' end
                 and id <> (select id from insula.isolation_runs order by at desc, id desc limit 1)
               order by at limit :batch)
        """),
        {"batch": batch},
    )


async def newest(db: Connection, limit: int, *, failed: bool = False) -> list[Run]:
    """The newest runs, or those of them that failed."""
    where = "where result = 'failed'" if failed else ""
    rows = await db.execute(
        text(
            f"select {_COLUMNS} from insula.isolation_runs {where}"  # noqa: S608  (words of this module)
            " order by at desc, id desc limit :limit"
        ),
        {"limit": limit},
    )
    return [_run(row) for row in rows]
