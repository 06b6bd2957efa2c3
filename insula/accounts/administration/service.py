"""What administrators do to people: each in the caller's transaction, guarded and recorded."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from insula.accounts import service as accounts
from insula.accounts import store as people
from insula.accounts.activation import service as activation
from insula.accounts.activation.models import Link
from insula.accounts.administration import store
from insula.accounts.administration.models import (
    Change,
    Found,
    Outcome,
    Person,
    Wanted,
    check_role,
)
from insula.accounts.attributes import merged, read_changes
from insula.accounts.errors import InvalidUser, NoSuchUser, SelfLockout, UserExists
from insula.accounts.models import (
    FOR_EVER,
    PRIVILEGED,
    Role,
    check_email,
    check_username,
    normalise_name,
)
from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.kernel.errors import Conflict, Denied, InsulaError
from insula.tenancy.db import Connection, Row, Tenant

_FIELDS: Final = tuple(Person.__dataclass_fields__)
#: Roles that give more than an administrator has: they are handed on by their like alone.
_HIGHEST: Final[frozenset[str]] = frozenset({"superadmin", "platform_admin"})
_NOT_YOURSELF: Final = "This would shut you out; somebody else must do it."


def _person(row: Row) -> Person:
    values = row._mapping  # noqa: SLF001  (how a row is read by name)
    return Person(**{name: values[name] for name in _FIELDS})


async def search(
    db: Connection,
    wanted: Wanted,
    *,
    after: str | None = None,
    descending: bool = False,
    limit: int = 25,
) -> Found:
    """
    People by user name, from *after* on.

    A page may hold fewer than *limit* and still not be the last: so many rows are looked through
    for one page and no more.
    """
    rows = await store.search(db, wanted, after=after, descending=descending, limit=limit + 1)
    shown = [_person(row) for row in rows[:limit]]
    if len(rows) > limit:
        return Found(shown, rows[limit - 1].username_norm)
    return Found(shown, await store.end_of_window(db, after=after, descending=descending))


async def count(db: Connection, wanted: Wanted, *, most: int) -> tuple[int, bool]:
    """How many such people there are among the first *most*, and whether that is all."""
    return await store.count(db, wanted, most)


async def get(db: Connection, user_id: UUID) -> Person:
    """Raises `NoSuchUser`."""
    return _person(_there(await store.find(db, user_id)))


def _there(row: Row | None) -> Row:
    if row is None:
        raise NoSuchUser("No such user in this tenant.")
    return row


async def _held(db: Connection, user_id: UUID) -> Person:
    return _person(_there(await store.find(db, user_id, hold=True)))


async def create(
    db: Connection, values: Mapping[str, Any], roles: Collection[Role], actor: Actor
) -> Person:
    """
    Make a person without a password; *values* are those of `update`, `email` is needed.

    Without a `username` it is made of the address. Raises `UserExists`, `InvalidUser`.
    """
    given = dict(values)
    email = given.pop("email")
    username = given.pop("username", None) or username_of(email)
    enabled = given.pop("enabled", True)
    user_id = await accounts.create(
        db, username=username, email=email, profile=_told(given), roles=roles, actor=actor
    )
    if not enabled:
        await accounts.disable(db, user_id, actor)
    return await get(db, user_id)


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def username_of(email: str) -> str:
    """A user name out of an address: what of its first part may stand in one."""
    local = email.partition("@")[0]
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in local)
    return kept.strip("._-")[:120]


async def update(
    db: Connection,
    user_id: UUID,
    changes: Mapping[str, Any],
    *,
    expected: datetime | None = None,
    actor: Actor,
) -> Person:
    """
    Change a person: `username`, `email`, `enabled`, and claims and attributes by their names.

    A new address is not verified. Raises `NoSuchUser`, `UserExists`, `InvalidUser`, `LastAdmin`,
    `SelfLockout`, and `Conflict` when it was saved since *expected*.
    """
    if changes.get("enabled") is False:
        await accounts.hold_admins(db)
    before = await _held(db, user_id)
    if expected is not None and before.updated_at != expected:
        raise Conflict("It was changed meanwhile.", code="version_conflict")
    rest = dict(changes)
    enabled = rest.pop("enabled", None)
    columns = _names(before, rest)
    profile, attributes = read_changes(rest)
    if columns or profile or attributes:
        kept = merged(before.attributes, attributes)
        if not await store.update(db, user_id, columns):
            raise UserExists("A user of that name or address exists.")
        await people.set_profile(db, user_id, profile, kept)
        await _audit(db, "user.updated", user_id, actor, changed=sorted({*columns, *rest}))
        if "email" in columns:
            await activation.end(db, user_id, "email_changed")
            await _audit(db, "user.email_changed", user_id, actor)
    if enabled is not None and enabled != before.is_enabled:
        await (enable if enabled else disable)(db, user_id, actor)
    return await get(db, user_id)


def _names(before: Person, changes: dict[str, Any]) -> dict[str, Any]:
    """Take the names out of *changes*; the columns that they are kept in."""
    columns: dict[str, Any] = {}
    username = changes.pop("username", None)
    if username is not None:
        check_username(username)
        columns |= {"username": username, "username_norm": normalise_name(username)}
    email = changes.pop("email", None)
    if email is not None and email != before.email:
        check_email(email)
        columns |= {"email": email, "email_norm": normalise_name(email), "email_verified": False}
    return columns


def refuse_oneself(user_id: UUID, actor: Actor) -> None:
    """Raise `SelfLockout` where somebody would do to themselves what shuts them out."""
    if actor.id == str(user_id):
        raise SelfLockout(_NOT_YOURSELF)


async def disable(db: Connection, user_id: UUID, actor: Actor) -> None:
    """Raises `NoSuchUser`, `LastAdmin`, `SelfLockout`."""
    refuse_oneself(user_id, actor)
    await accounts.hold_admins(db)
    await accounts.disable(db, user_id, actor)


async def enable(db: Connection, user_id: UUID, actor: Actor) -> None:
    """Let a disabled person in again; a lock stays. Raises `NoSuchUser`."""
    before = await _held(db, user_id)
    if not before.is_enabled:
        await store.activate(db, user_id)
        await _audit(db, "user.enabled", user_id, actor)


async def lock(
    db: Connection,
    user_id: UUID,
    *,
    until: datetime | None = None,
    reason: str = "",
    actor: Actor,
) -> Person:
    """
    Lock a person, for good or *until* a moment; all access ends at once.

    Raises `NoSuchUser`, `LastAdmin`, `SelfLockout`, and `InvalidUser` for a moment that is over.
    """
    refuse_oneself(user_id, actor)
    if until is not None and until <= datetime.now(UTC):
        raise InvalidUser("is over already", field="until")
    await accounts.hold_admins(db)
    before = await _held(db, user_id)
    if before.is_enabled:
        await accounts.keep_an_admin(db, user_id)
    await store.lock_until(db, user_id, min(until or FOR_EVER, FOR_EVER))
    await people.end_access(db, user_id, "user_locked")
    ends = None if until is None else until.isoformat()
    await _audit(db, "user.locked", user_id, actor, reason=reason, until=ends)
    return await get(db, user_id)


async def unlock(db: Connection, user_id: UUID, actor: Actor) -> Person:
    """End a lock; somebody who is disabled stays so. Raises `NoSuchUser`."""
    before = await _held(db, user_id)
    if before.status == "locked" or before.locked_until is not None:
        await store.lock_until(db, user_id, None)
        await _audit(db, "user.unlocked", user_id, actor)
    return await get(db, user_id)


async def grant_role(  # noqa: PLR0913  (each by its name)
    db: Connection,
    tenant: Tenant,
    user_id: UUID,
    role: Role,
    *,
    held: Collection[str] | None,
    actor: Actor,
) -> Person:
    """
    Give a tenant role; *held* are those of the person who gives it, None for a program.

    Raises `NoSuchUser`, `InvalidUser`, and `Denied` for a role above the giver's.
    """
    _check_giving(tenant, role, held)
    before = await _held(db, user_id)
    if role not in before.roles:
        await accounts.grant_role(db, user_id, role, actor)
        await store.update(db, user_id, {})
    return await get(db, user_id)


async def revoke_role(  # noqa: PLR0913  (each by its name)
    db: Connection,
    tenant: Tenant,
    user_id: UUID,
    role: Role,
    *,
    held: Collection[str] | None,
    actor: Actor,
) -> Person:
    """
    Take a tenant role; what was issued to who loses more than `user` ends.

    Raises as `grant_role` does, and `LastAdmin`, `SelfLockout`.
    """
    _check_giving(tenant, role, held)
    await accounts.hold_admins(db)
    before = await _held(db, user_id)
    if role in before.roles:
        if role in PRIVILEGED:
            refuse_oneself(user_id, actor)
        await accounts.revoke_role(db, user_id, role, actor)
        await store.update(db, user_id, {})
    return await get(db, user_id)


def _check_giving(tenant: Tenant, role: Role, held: Collection[str] | None) -> None:
    check_role(tenant.slug, role)
    if held is not None and role in _HIGHEST and not _HIGHEST & set(held):
        raise Denied("Only somebody who holds such a role may give or take it.")


async def force_new_password(db: Connection, user_id: UUID, actor: Actor) -> None:
    """Let a person choose a new password at the next sign-in (G06). Raises `NoSuchUser`."""
    await _held(db, user_id)
    await store.update(db, user_id, {"must_change_password": True})
    await _audit(db, "user.password_reset_forced", user_id, actor)


async def send_link(
    db: Connection, tenant: Tenant, user_id: UUID, *, held: Collection[str] | None, actor: Actor
) -> Link:
    """
    Make a link by which a person chooses a new password (G06); *held* as in `grant_role`.

    Who bears it becomes that person, so nobody gets one of somebody above themselves. Raises
    `NoSuchUser`, `NoLinkForThem`, `Denied`.
    """
    before = await _held(db, user_id)
    above = _HIGHEST & set(before.roles)
    if held is not None and above and not _HIGHEST & set(held):
        raise Denied("Only somebody who holds such a role may give them a link.")
    return await activation.issue(db, tenant.id, user_id, actor)


async def end_everything(db: Connection, user_id: UUID, actor: Actor) -> None:
    """
    End all sessions and tokens of a person (G12, G21); who may sign in may do so again.

    Raises `NoSuchUser`, `SelfLockout`.
    """
    refuse_oneself(user_id, actor)
    await _held(db, user_id)
    await people.end_access(db, user_id, "revoked_by_admin")
    await _audit(db, "session.bulk_revoked", user_id, actor)


async def change_many(
    tenant: Tenant, ids: Collection[UUID], change: Change, *, reason: str, actor: Actor
) -> list[Outcome]:
    """Do the same to many, each in a transaction of its own and guarded alone (G21)."""
    return [await _change_one(tenant, each, change, reason, actor) for each in ids]


async def _change_one(
    tenant: Tenant, user_id: UUID, change: Change, reason: str, actor: Actor
) -> Outcome:
    try:
        async with tenant.transaction() as db:
            if change == "lock":
                await lock(db, user_id, reason=reason, actor=actor)
            else:
                acts = {"enable": enable, "disable": disable, "unlock": unlock}
                await acts[change](db, user_id, actor)
    except InsulaError as refusal:
        return Outcome(user_id, refusal.code, refusal.description)
    return Outcome(user_id)


async def _audit(
    db: Connection,
    event: str,
    user_id: UUID,
    actor: Actor,
    **metadata: Any,  # noqa: ANN401  (values of any kind)
) -> None:
    line = Event(event, actor, target_type="user", target_id=str(user_id), metadata=metadata)
    await audit.record(db, line)
