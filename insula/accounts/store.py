"""All SQL on users and user_roles."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from insula.accounts.models import FOR_EVER
from insula.tenancy.db import Connection, Row

_COLUMNS = """id, username, email, email_verified, display_name, status, must_change_password,
    created_at, last_login_at"""

_CREDENTIALS = f"""{_COLUMNS}, password_hash,
    (locked_until is not null and locked_until > now()) as locked_now"""

_END_LINKS = text("""
    update insula.activation_links set ended_at = now(), ended_for = :why
     where user_id = :id and used_at is null and ended_at is null
""")

_END_ACCESS = (
    text("""
        update insula.admin_sessions set ended_at = now(), ended_for = :why
         where user_id = :id and ended_at is null
    """),
    text("""
        update insula.sessions set ended_at = now(), ended_for = :why
         where user_id = :id and ended_at is null
    """),
    text("""
        update insula.token_issues set revoked_at = now(), revoked_for = :why
         where user_id = :id and revoked_at is null
    """),
    text("""
        update insula.refresh_families f set revoked_at = now(), revoked_for = :why
          from insula.token_issues i
         where i.tenant_id = f.tenant_id and i.id = f.id and i.user_id = :id
           and f.revoked_at is null
    """),
    _END_LINKS,
    # a device that was let in and has not come back: the session that it hangs on may have ended
    text("""
        update insula.device_grants set status = 'redeemed'
         where user_id = :id and status = 'approved' and cast(:why as text) is not null
    """),
    # clients that want to hear of the end are told (protocol.md LO-12)
    text("""
        select insula.announce_logout(coalesce(array_agg(sid), '{}')), cast(:why as text)
          from insula.sessions where user_id = :id and ended_at = now()
    """),
)


async def insert(db: Connection, values: Mapping[str, Any]) -> UUID | None:
    """The new user's id; None if the name or the address is taken."""
    names = ", ".join(values)
    binds = ", ".join(f":{name}" for name in values)
    try:
        async with db.begin_nested():
            new: UUID = (
                await db.execute(
                    text(f"insert into insula.users ({names}) values ({binds}) returning id"),  # noqa: S608  (names of ours)
                    dict(values),
                )
            ).scalar_one()
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return None
    return new


async def by_name(db: Connection, name_norm: str) -> Row | None:
    """A user by normalised user name or address, with the password hash."""
    return (
        await db.execute(
            text(
                f"select {_CREDENTIALS} from insula.users where username_norm = :name"  # noqa: S608  (names of ours)
                f" union all select {_CREDENTIALS}"
                " from insula.users where email_norm = :name and username_norm <> :name limit 1"
            ),
            {"name": name_norm},
        )
    ).one_or_none()


async def by_id(db: Connection, user_id: UUID) -> Row | None:
    return (
        await db.execute(
            text(f"select {_COLUMNS} from insula.users where id = :id"),  # noqa: S608  (names of ours)
            {"id": user_id},
        )
    ).one_or_none()


async def profile(db: Connection, user_id: UUID, *, hold: bool = False) -> Row | None:
    """What claims are made of; held, nobody else changes it before the transaction ends."""
    lock = "for no key update" if hold else ""
    return (
        await db.execute(
            text(f"""
                select id, username, email, email_verified, display_name, given_name, family_name,
                       locale, zoneinfo, phone_number, phone_verified, attributes,
                       cast(extract(epoch from updated_at) as bigint) as updated_at
                  from insula.users where id = :id {lock}
            """),  # noqa: S608  (words of ours)
            {"id": user_id},
        )
    ).one_or_none()


async def set_profile(
    db: Connection, user_id: UUID, columns: Mapping[str, Any], attributes: Mapping[str, Any]
) -> None:
    """Set some columns, and all attributes."""
    names = "".join(f"{name} = :{name}, " for name in columns)
    await db.execute(
        text(
            f"update insula.users set {names} attributes = cast(:attributes as jsonb),"  # noqa: S608  (names of ours)
            " updated_at = now() where id = :user_id"
        ),
        {**columns, "attributes": json.dumps(attributes), "user_id": user_id},
    )


async def credentials(db: Connection, user_id: UUID, *, hold: bool) -> Row | None:
    """A user with the password hash; held, nobody changes them before the transaction ends."""
    lock = " for no key update" if hold else ""
    return (
        await db.execute(
            text(f"select {_CREDENTIALS} from insula.users where id = :id{lock}"),  # noqa: S608  (names of ours)
            {"id": user_id},
        )
    ).one_or_none()


async def set_password(db: Connection, user_id: UUID, hashed: str, *, must_change: bool) -> None:
    await db.execute(
        text("""
            update insula.users
               set password_hash = :hashed, password_changed_at = now(), updated_at = now(),
                   must_change_password = :must_change
             where id = :id
        """),
        {"hashed": hashed, "must_change": must_change, "id": user_id},
    )


async def verify_email(db: Connection, user_id: UUID) -> None:
    await db.execute(
        text("update insula.users set email_verified = true, updated_at = now() where id = :id"),
        {"id": user_id},
    )


async def rehash(db: Connection, user_id: UUID, before: str, after: str) -> None:
    """Replace a hash by one of today's cost, unless the password changed meanwhile."""
    await db.execute(
        text(
            "update insula.users set password_hash = :after"
            " where id = :id and password_hash = :before"
        ),
        {"after": after, "id": user_id, "before": before},
    )


async def note_login(db: Connection, user_id: UUID) -> None:
    await db.execute(
        text("update insula.users set last_login_at = now() where id = :id"), {"id": user_id}
    )


async def disable(db: Connection, user_id: UUID) -> None:
    """Disabled beside a lock; one that was kept in the status goes on for ever."""
    await db.execute(
        text("""
            update insula.users
               set status = 'disabled', updated_at = now(),
                   locked_until = case when status = 'locked' then cast(:for_ever as timestamptz)
                                       else locked_until end
             where id = :id
        """),
        {"for_ever": FOR_EVER, "id": user_id},
    )


async def let_in(db: Connection, user_id: UUID) -> None:
    """Neither disabled nor locked."""
    await db.execute(
        text("""
            update insula.users
               set status = 'active', locked_until = null, updated_at = now() where id = :id
        """),
        {"id": user_id},
    )


async def lock(db: Connection, user_id: UUID, span: timedelta | None) -> None:
    """A lock beside whatever the status is, for *span* or for ever; it shortens none."""
    await db.execute(
        text("""
            update insula.users
               set locked_until = greatest(locked_until, coalesce(now() + cast(:span as interval),
                                                          cast(:for_ever as timestamptz))),
                   updated_at = now()
             where id = :id
        """),
        {"span": span, "for_ever": FOR_EVER, "id": user_id},
    )


async def end_access(db: Connection, user_id: UUID, why: str) -> None:
    """Everything that was issued to a person ends, in the act's own transaction (CR-7)."""
    for statement in _END_ACCESS:
        await db.execute(statement, {"id": user_id, "why": why})


async def end_links(db: Connection, user_id: UUID, why: str) -> None:
    """Links by which a person chooses a password lead nowhere from now on."""
    await db.execute(_END_LINKS, {"id": user_id, "why": why})


async def grant_role(db: Connection, user_id: UUID, role: str) -> bool:
    result = await db.execute(
        text(
            "insert into insula.user_roles (user_id, role) values (:id, :role)"
            " on conflict do nothing"
        ),
        {"id": user_id, "role": role},
    )
    return result.rowcount > 0


async def revoke_role(db: Connection, user_id: UUID, role: str) -> bool:
    result = await db.execute(
        text("delete from insula.user_roles where user_id = :id and role = :role"),
        {"id": user_id, "role": role},
    )
    return result.rowcount > 0


async def roles(db: Connection, user_id: UUID) -> list[str]:
    rows = await db.execute(
        text("select role from insula.user_roles where user_id = :id order by role"),
        {"id": user_id},
    )
    return [row.role for row in rows]


async def lock_active_admins(db: Connection, wanted: Collection[str]) -> list[UUID]:
    """
    Active holders of one of *wanted*, locked until the end of the transaction (CR-8).

    Who waited for a lock still holds the list of before it, so the list is read again after it.
    """
    holders = """
        select u.id from insula.users u
         where u.status = 'active' and u.password_hash is not null
           and (u.locked_until is null or u.locked_until <= now())
           and u.id in (select r.user_id from insula.user_roles r where r.role = any(:roles))
         order by u.id
    """
    await db.execute(text(f"{holders} for no key update"), {"roles": list(wanted)})
    rows = await db.execute(text(holders), {"roles": list(wanted)})
    return [row.id for row in rows]


async def count(db: Connection, most: int) -> int:
    n: int = (
        await db.execute(
            text("select count(*) from (select from insula.users limit :most) found"),
            {"most": most},
        )
    ).scalar_one()
    return n


async def page(db: Connection, after: str, limit: int) -> Sequence[Row]:
    return (
        await db.execute(
            text(f"""
                select {_COLUMNS},
                       case when status = 'active' and locked_until > now() then 'locked'
                            else status end as standing
                  from insula.users where username_norm > :after
                 order by username_norm limit :limit
            """),  # noqa: S608  (names of ours)
            {"after": after, "limit": limit},
        )
    ).all()


async def names(db: Connection, user_ids: Collection[UUID]) -> Sequence[Row]:
    rows = await db.execute(
        text("select id, username, display_name from insula.users where id = any(:ids)"),
        {"ids": list(user_ids)},
    )
    return rows.all()


async def count_active(db: Connection, wanted: Collection[str], most: int) -> int:
    n: int | None = await db.scalar(
        text("""
            select count(*) from (
              select distinct u.id from insula.user_roles r
                join insula.users u on u.tenant_id = r.tenant_id and u.id = r.user_id
               where r.role = any(:roles) and u.status = 'active' and u.password_hash is not null
                 and (u.locked_until is null or u.locked_until <= now())
               limit :most) x
        """),
        {"roles": list(wanted), "most": most},
    )
    return n or 0
