"""SQL on users and user_roles, as their administrators ask it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from insula.accounts.administration.models import Wanted
from insula.accounts.models import FOR_EVER
from insula.tenancy.db import Connection, Row

#: So many rows are looked through for one page, however seldom one matches (CR-9).
WINDOW = 10_000

_COLUMNS = f"""u.id, u.username, u.username_norm, u.email, u.email_norm, u.email_verified,
    u.display_name as name, u.given_name, u.family_name, u.locale, u.zoneinfo, u.phone_number,
    u.attributes, u.status, u.must_change_password, u.password_hash is not null as has_password,
    case when u.locked_until > now()
         then least(u.locked_until, timestamptz '{FOR_EVER.isoformat()}') end as locked_until,
    u.created_at, u.updated_at, u.last_login_at"""

_ROLES = """array(select r.role from insula.user_roles r
                   where r.user_id = {id} order by r.role) as roles"""

_MATCHES = """
    (cast(:pattern as text) is null or username_norm like :pattern or email_norm like :pattern
     or name ilike :pattern)
    and (cast(:enabled as boolean) is null or (status <> 'disabled') = :enabled)
    and (cast(:locked as boolean) is null or (status = 'locked' or locked_until is not null) = :locked)
    and (cast(:email_verified as boolean) is null or email_verified = :email_verified)
    and (cast(:role as text) is null
         or exists (select from insula.user_roles r where r.user_id = seen.id and r.role = :role))"""


def _asked(wanted: Wanted) -> dict[str, Any]:
    pattern = None
    if wanted.q:
        pattern = "%" + re.sub(r"([\\%_])", r"\\\1", wanted.q) + "%"
    return {
        "pattern": pattern,
        "enabled": wanted.enabled,
        "locked": wanted.locked,
        "email_verified": wanted.email_verified,
        "role": wanted.role,
    }


def _window(*, descending: bool, begins: bool) -> str:
    beyond, order = ("<", "desc") if descending else (">", "asc")
    after = "" if begins else f"where u.username_norm {beyond} :after"
    return f"""(select {_COLUMNS} from insula.users u {after}
                order by u.username_norm {order} limit :window) seen"""  # noqa: S608  (names of ours)


async def search(
    db: Connection, wanted: Wanted, *, after: str | None, descending: bool, limit: int
) -> Sequence[Row]:
    """People by user name among the next `WINDOW` after one."""
    window = _window(descending=descending, begins=after is None)
    order = "desc" if descending else "asc"
    return (
        await db.execute(
            text(f"""
                select seen.*, {_ROLES.format(id="seen.id")} from {window}
                 where {_MATCHES} order by username_norm {order} limit :limit
            """),  # noqa: S608  (names of ours)
            {**_asked(wanted), "after": after, "window": WINDOW, "limit": limit},
        )
    ).all()


async def end_of_window(db: Connection, *, after: str | None, descending: bool) -> str | None:
    """The last user name that `search` has looked at; None if it has come to the end."""
    window = _window(descending=descending, begins=after is None)
    worst = "min" if descending else "max"
    row = (
        await db.execute(
            text(f"select count(*) as n, {worst}(username_norm) as last from {window}"),  # noqa: S608  (names of ours)
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


async def find(db: Connection, user_id: UUID, *, hold: bool = False) -> Row | None:
    lock = "for no key update of u" if hold else ""
    return (
        await db.execute(
            text(f"""
                select {_COLUMNS}, {_ROLES.format(id="u.id")} from insula.users u
                 where u.id = :id {lock}
            """),  # noqa: S608  (names of ours)
            {"id": user_id},
        )
    ).one_or_none()


async def update(db: Connection, user_id: UUID, columns: Mapping[str, Any]) -> bool:
    """Set some columns; False if a name or address is somebody else's."""
    names = "".join(f"{name} = :{name}, " for name in columns)
    try:
        async with db.begin_nested():
            await db.execute(
                text(f"update insula.users set {names} updated_at = now() where id = :id"),  # noqa: S608  (names of ours)
                {**columns, "id": user_id},
            )
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return False
    return True


async def lock_until(db: Connection, user_id: UUID, until: datetime | None) -> None:
    """A lock beside the status; None ends it."""
    await db.execute(
        text("""
            update insula.users set locked_until = :until, updated_at = now(),
                   status = case when cast(:until as timestamptz) is null and status = 'locked' then 'active' else status end
             where id = :id
        """),
        {"until": until, "id": user_id},
    )


async def activate(db: Connection, user_id: UUID) -> None:
    """Let a disabled person in again; a lock beside it stays."""
    await db.execute(
        text("""
            update insula.users set status = 'active', updated_at = now()
             where id = :id and status = 'disabled'
        """),
        {"id": user_id},
    )
