"""Making people, finding them, and ending their access."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from insula.accounts import store
from insula.accounts.attributes import merged, read_changes
from insula.accounts.errors import InvalidUser, LastAdmin, NoSuchUser, UserExists
from insula.accounts.hashing import Passwords
from insula.accounts.models import (
    LONGEST_LOCK,
    PRIVILEGED,
    Role,
    User,
    check_email,
    check_password,
    check_username,
    mapped_claims,
    normalise_name,
    standard_claims,
)
from insula.accounts.settings import PasswordPolicy
from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.tenancy.db import Connection, Row, Tenant

#: Somebody active must be left in each of these groups where there is anybody.
_ADMINS = (frozenset({"admin", "superadmin"}), frozenset({"platform_admin"}))
_FIELDS = tuple(field.name for field in fields(User))


def _user(row: Row) -> User:
    return User(**{name: getattr(row, name) for name in _FIELDS})


@dataclass(frozen=True, slots=True)
class Credentials:
    """A person as sign-in needs them: found or not, the same shape of answer."""

    user: User | None
    password_hash: str | None
    locked: bool


async def find(db: Connection, name: str) -> Credentials:
    """Look a person up by user name or address. Never raises for an unknown one."""
    return _credentials(await store.by_name(db, normalise_name(name)))


async def credentials(db: Connection, user_id: UUID, *, hold: bool = False) -> Credentials:
    """
    The same of a person who is known by id.

    With *hold* nobody else changes them before the caller's transaction ends.
    """
    return _credentials(await store.credentials(db, user_id, hold=hold))


def _credentials(row: Row | None) -> Credentials:
    if row is None:
        return Credentials(None, None, locked=False)
    return Credentials(
        _user(row), row.password_hash, locked=row.locked_now or row.status == "locked"
    )


async def get(db: Connection, user_id: UUID) -> User:
    """Raises `NoSuchUser`."""
    row = await store.by_id(db, user_id)
    if row is None:
        raise NoSuchUser("No such user in this tenant.")
    return _user(row)


async def create(  # noqa: PLR0913  (a person has many facts, all by name)
    db: Connection,
    *,
    username: str,
    email: str | None = None,
    password_hash: str | None = None,
    display_name: str | None = None,
    given_name: str | None = None,
    family_name: str | None = None,
    email_verified: bool = False,
    must_change_password: bool = False,
    profile: Mapping[str, Any] | None = None,
    roles: Iterable[Role] = ("user",),
    actor: Actor = SYSTEM,
) -> UUID:
    """
    Make a person in the caller's bound transaction; *profile* is as for `set_attributes`.

    Hash the password before: no hash inside a transaction. Raises `UserExists`, `InvalidUser`.
    """
    check_username(username)
    if email is not None:
        check_email(email)
    user_id = await store.insert(
        db,
        {
            "username": username,
            "username_norm": normalise_name(username),
            "email": email,
            "email_norm": normalise_name(email) if email else None,
            "email_verified": email_verified,
            "display_name": display_name,
            "given_name": given_name,
            "family_name": family_name,
            "password_hash": password_hash,
            "password_changed_at": datetime.now(UTC) if password_hash else None,
            "must_change_password": must_change_password,
        },
    )
    if user_id is None:
        raise UserExists("A user of that name or address exists.")
    if profile:
        columns, changes = read_changes(profile)
        await store.set_profile(db, user_id, columns, merged({}, changes))
    await _audit(db, "user.created", user_id, actor)
    for role in roles:
        await grant_role(db, user_id, role, actor)
    return user_id


async def set_attributes(
    db: Connection, user_id: UUID, changes: Mapping[str, Any], actor: Actor = SYSTEM
) -> None:
    """
    Change what is known of a person, by claim or attribute; None takes a value away.

    A new telephone number is not verified unless *changes* say so. Raises `NoSuchUser`,
    `InvalidUser`.
    """
    columns, attributes = read_changes(changes)
    row = await store.profile(db, user_id, hold=True)
    if row is None:
        raise NoSuchUser("No such user in this tenant.")
    await store.set_profile(db, user_id, columns, merged(row.attributes, attributes))
    await _audit(db, "user.updated", user_id, actor, changed=sorted(changes))


async def claims(db: Connection, user_id: UUID, mappings: Mapping[str, str]) -> dict[str, Any]:
    """
    Everything that can be told of a person: standard claims, and those of *mappings*.

    Raises `NoSuchUser`.
    """
    row = await store.profile(db, user_id)
    if row is None:
        raise NoSuchUser("No such user in this tenant.")
    return {**standard_claims(row._asdict()), **mapped_claims(row.attributes, mappings)}


async def grant_role(db: Connection, user_id: UUID, role: Role, actor: Actor = SYSTEM) -> None:
    """
    Give a tenant role; giving it again changes nothing.

    One that is more than `user` ends the person's link: who bears it is not trusted with the role.
    They are held, so that nobody makes a link for who they were meanwhile.
    """
    if role in PRIVILEGED:
        await store.credentials(db, user_id, hold=True)
    if await store.grant_role(db, user_id, role):
        if role in PRIVILEGED:
            await store.end_links(db, user_id, "role_granted")
        await _audit(db, "user.role_granted", user_id, actor, role=role)


async def revoke_role(db: Connection, user_id: UUID, role: Role, actor: Actor = SYSTEM) -> None:
    """
    Take a tenant role; what was issued to who loses more than `user` ends.

    Raises `LastAdmin`.
    """
    await keep_an_admin(db, user_id, set(await roles_of(db, user_id)) - {role})
    if await store.revoke_role(db, user_id, role):
        if role in PRIVILEGED:
            await store.end_access(db, user_id, "role_revoked")
        await _audit(db, "user.role_revoked", user_id, actor, role=role)


async def keep_an_admin(db: Connection, user_id: UUID, keeps: Collection[str] = ()) -> None:
    """
    Raise `LastAdmin` if a person left with the roles *keeps* leaves nobody who administers.

    Decided under locks (CR-8): two administrators who demote each other at once meet here.
    """
    for group in _ADMINS:
        if group.isdisjoint(keeps) and await store.lock_active_admins(db, group) == [user_id]:
            raise LastAdmin("This is the last active administrator.")


async def hold_admins(db: Connection) -> None:
    """
    Hold all who administer until the transaction ends.

    Whoever may take one of them away does this before holding anybody else: in another order two
    who demote each other would wait for each other.
    """
    await store.lock_active_admins(db, [role for group in _ADMINS for role in group])


async def roles_of(db: Connection, user_id: UUID) -> list[str]:
    return await store.roles(db, user_id)


async def has_admin(db: Connection, roles: Collection[str]) -> bool:
    """Whether anybody active holds one of *roles*; locks them."""
    return bool(await store.lock_active_admins(db, roles))


async def disable(db: Connection, user_id: UUID, actor: Actor = SYSTEM) -> None:
    """
    Disable a person: sessions and tokens end at once; a lock stays beside it.

    Raises `NoSuchUser`, `LastAdmin`.
    """
    await get(db, user_id)
    await keep_an_admin(db, user_id)
    await store.disable(db, user_id)
    await store.end_access(db, user_id, "user_disabled")
    await _audit(db, "user.disabled", user_id, actor)


async def enable(db: Connection, user_id: UUID, actor: Actor = SYSTEM) -> None:
    """Let a person in again, whether disabled, locked or both. Raises `NoSuchUser`."""
    user = await get(db, user_id)
    locked = (await credentials(db, user_id, hold=True)).locked
    await store.let_in(db, user_id)
    if locked:
        await _audit(db, "user.unlocked", user_id, actor)
    if user.status == "disabled" or not locked:
        await _audit(db, "user.enabled", user_id, actor)


async def lock(
    db: Connection, user_id: UUID, span: timedelta | None = None, actor: Actor = SYSTEM
) -> None:
    """
    Lock a person until unlocked, or for *span*; who is disabled stays so, a longer lock too.

    Raises `NoSuchUser`, `LastAdmin`, and `InvalidUser` for a span that is too long.
    """
    if span is not None and span > LONGEST_LOCK:
        raise InvalidUser(
            f"a lock that ends by itself ends within {LONGEST_LOCK.days} days", field="span"
        )
    await get(db, user_id)
    await keep_an_admin(db, user_id)
    await store.lock(db, user_id, span)
    await store.end_access(db, user_id, "user_locked")
    await _audit(db, "user.locked", user_id, actor)


async def prepare_password(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    passwords: Passwords,
    policy: PasswordPolicy,
    password: str,
    *,
    username: str = "",
    email: str | None = None,
) -> str:
    """
    Check a new password and hash it, outside any transaction.

    Raises `WeakPassword`, `Unavailable`.
    """
    context = (username, *(email or "").split("@"), tenant.slug, tenant.display_name)
    check_password(password, policy, context)
    return await passwords.hash(tenant.id, password)


async def change_password(
    db: Connection, user_id: UUID, hashed: str, *, actor: Actor, must_change: bool = False
) -> None:
    """Set a prepared password in the caller's transaction; other access ends (RT-10)."""
    await store.set_password(db, user_id, hashed, must_change=must_change)
    await store.end_access(db, user_id, "password_changed")
    event = "user.password_changed" if actor.type == "user" else "user.password_reset_forced"
    await _audit(db, event, user_id, actor)


async def renew_hash(db: Connection, user_id: UUID, before: str, after: str) -> None:
    """Keep a password under today's cost (rehash on drift)."""
    await store.rehash(db, user_id, before, after)


async def note_login(db: Connection, user_id: UUID) -> None:
    await store.note_login(db, user_id)


async def count(db: Connection, *, most: int) -> int:
    """How many there are in the bound tenant; counting stops at *most*."""
    return await store.count(db, most)


async def list_users(db: Connection, *, after: str = "", limit: int = 100) -> list[User]:
    """A page of people by user name; `locked` is said of who is not disabled and locked now."""
    return [replace(_user(row), status=row.standing) for row in await store.page(db, after, limit)]


async def names_of(db: Connection, user_ids: Collection[UUID]) -> dict[UUID, str]:
    """What people are called, by id; those who are gone are left out."""
    rows = await store.names(db, user_ids)
    return {row.id: row.display_name or row.username for row in rows}


async def count_active(db: Connection, roles: Collection[str], most: int = 10) -> int:
    """How many active people hold one of *roles*, counted to *most*."""
    return await store.count_active(db, roles, most)


async def _audit(
    db: Connection,
    event: str,
    user_id: UUID,
    actor: Actor,
    **metadata: Any,  # noqa: ANN401  (values of any kind)
) -> None:
    details: Mapping[str, Any] = metadata
    await audit.record(
        db, Event(event, actor, target_type="user", target_id=str(user_id), metadata=details)
    )
