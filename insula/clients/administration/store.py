"""SQL on clients and what was issued to them, as their administrators ask it."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from insula.clients.administration.models import Wanted
from insula.tenancy.db import Connection, Row

#: So many rows are looked through for one page, however seldom one matches (CR-9).
WINDOW = 10_000

_STATUS = "case when status = 'active' and paused_at is not null then 'paused' else status end"

_COLUMNS = f"""id, client_id, name, {_STATUS} as status, metadata, origin, created_at, updated_at,
    origin = 'administrator' or verified_at is not null as is_verified"""

_MATCHES = """
    (cast(:pattern as text) is null or client_id like :pattern or name ilike :pattern)
    and (cast(:status as text) is null or status = :status)
    and (cast(:origin as text) is null or origin = :origin)"""

_END = (
    # codes and pushed requests that nobody has completed
    """update insula.authorization_codes x set expires_at = now()
         from (select id from insula.authorization_codes
                where client_id = :client and consumed_at is null and expires_at > now()
                limit :batch) due where x.id = due.id""",
    """update insula.pushed_requests x set completed_at = now()
         from (select id from insula.pushed_requests
                where client_id = :client and completed_at is null limit :batch) due
        where x.id = due.id""",
    # devices that wait, or were let in and have not come back
    """update insula.device_grants x set status = 'denied'
         from (select id from insula.device_grants
                where client_id = :client and status in ('pending', 'approved')
                limit :batch) due where x.id = due.id""",
    """update insula.grants x set revoked_at = now()
         from (select id from insula.grants
                where client_id = :client and revoked_at is null limit :batch) due
        where x.id = due.id""",
    """with due as (
         select id from insula.token_issues
          where client_id = :client and revoked_at is null limit :batch
       ), families as (
         update insula.refresh_families f set revoked_at = now(), revoked_for = :why
           from due where f.id = due.id and f.revoked_at is null
       )
       update insula.token_issues x set revoked_at = now(), revoked_for = :why
         from due where x.id = due.id""",
)


def _asked(wanted: Wanted) -> dict[str, Any]:
    pattern = None
    if wanted.q:
        pattern = "%" + re.sub(r"([\\%_])", r"\\\1", wanted.q) + "%"
    return {"pattern": pattern, "status": wanted.status, "origin": wanted.origin}


def _window(*, descending: bool, begins: bool) -> str:
    beyond, order = ("<", "desc") if descending else (">", "asc")
    after = "" if begins else f"where client_id {beyond} :after"
    return f"""(select {_COLUMNS} from insula.clients {after}
                order by client_id {order} limit :window) seen"""  # noqa: S608  (names of ours)


async def search(
    db: Connection, wanted: Wanted, *, after: str | None, descending: bool, limit: int
) -> Sequence[Row]:
    """Clients by client_id among the next `WINDOW` after one."""
    window = _window(descending=descending, begins=after is None)
    order = "desc" if descending else "asc"
    return (
        await db.execute(
            text(f"""
                select * from {window} where {_MATCHES} order by client_id {order} limit :limit
            """),  # noqa: S608  (names of ours)
            {**_asked(wanted), "after": after, "window": WINDOW, "limit": limit},
        )
    ).all()


async def end_of_window(db: Connection, *, after: str | None, descending: bool) -> str | None:
    """The last client_id that `search` has looked at; None if it has come to the end."""
    window = _window(descending=descending, begins=after is None)
    worst = "min" if descending else "max"
    row = (
        await db.execute(
            text(f"select count(*) as n, {worst}(client_id) as last from {window}"),  # noqa: S608  (names of ours)
            {"after": after, "window": WINDOW},
        )
    ).one()
    last: str | None = row.last if row.n == WINDOW else None
    return last


async def count(db: Connection, wanted: Wanted, most: int) -> tuple[int, bool]:
    """How many match among the first *most*, and whether those are all."""
    window = _window(descending=False, begins=True)
    row = (
        await db.execute(
            text(f"""
                select count(*) filter (where {_MATCHES}) as n, count(*) as looked_at from {window}
            """),  # noqa: S608  (names of ours)
            {**_asked(wanted), "window": most + 1},
        )
    ).one()
    return row.n, row.looked_at <= most


async def find(db: Connection, client: UUID) -> Row | None:
    return (
        await db.execute(
            text(f"select {_COLUMNS} from insula.clients where id = :id"),  # noqa: S608  (names of ours)
            {"id": client},
        )
    ).one_or_none()


async def count_allowed(db: Connection, client: UUID, most: int) -> tuple[int, bool]:
    """How many of the first *most* grants of a client are in force, and whether those are all."""
    row = (
        await db.execute(
            text("""
                select count(*) filter (where revoked_at is null and expires_at > now()) as n,
                       count(*) as looked_at
                  from (select revoked_at, expires_at from insula.grants
                         where client_id = :client limit :most) g
            """),
            {"client": client, "most": most + 1},
        )
    ).one()
    return row.n, row.looked_at <= most


async def count_people(db: Connection, client: UUID, most: int) -> tuple[int, bool]:
    """How many people the first *most* issues of a client are of, and whether those are all."""
    row = (
        await db.execute(
            text("""
                select count(distinct user_id) as n, count(*) as looked_at
                  from (select user_id from insula.token_issues
                         where client_id = :client limit :most) i
            """),
            {"client": client, "most": most + 1},
        )
    ).one()
    return row.n, row.looked_at <= most


async def named(db: Connection, client_id: str) -> UUID | None:
    """The id of the client that calls itself so."""
    found: UUID | None = (
        await db.execute(
            text("select id from insula.clients where client_id = :client_id"),
            {"client_id": client_id},
        )
    ).scalar_one_or_none()
    return found


async def secrets(db: Connection, client: UUID) -> Sequence[Row]:
    """The live secrets of a client, newest first, without their digests."""
    rows = await db.execute(
        text("""
            select id, created_at, expires_at from insula.client_secrets
             where client_id = :client and (expires_at is null or expires_at > now())
             order by created_at desc, id
        """),
        {"client": client},
    )
    return rows.all()


async def end_secret(db: Connection, client: UUID, secret: UUID) -> bool:
    result = await db.execute(
        text("""
            update insula.client_secrets set expires_at = now()
             where client_id = :client and id = :secret
               and (expires_at is null or expires_at > now())
        """),
        {"client": client, "secret": secret},
    )
    return result.rowcount > 0


async def end_access(db: Connection, client: UUID, why: str, batch: int) -> int:
    """End some of what a client was given; how many rows at most of any kind."""
    most = 0
    for statement in _END:
        params = {"client": client, "batch": batch}
        if ":why" in statement:
            params |= {"why": why}
        result = await db.execute(text(statement), params)
        most = max(most, result.rowcount)
    return most
