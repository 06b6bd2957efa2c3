"""
Making a link and using it up.

A link lives 24 hours, belongs to one person, and is the only one of theirs: a new one ends the one
before. It dies with whatever ends the person's access or all of the tenant's, with a change of
their address, and with a role that is given to them: its bearer was trusted with who they were.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from insula.accounts import service as accounts
from insula.accounts import store as people
from insula.accounts.activation import store
from insula.accounts.activation.errors import LinkGone, NoLinkForThem
from insula.accounts.activation.models import LIFE, Link
from insula.accounts.errors import NoSuchUser
from insula.accounts.models import User
from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.kernel.ids import Kind, digest, new_secret
from insula.tenancy.db import Connection, Row, Tenant


async def issue(  # noqa: PLR0913  (each by its name)
    db: Connection,
    tenant_id: UUID,
    user_id: UUID,
    actor: Actor = SYSTEM,
    *,
    mailed: bool = False,
    pending_only: bool = False,
) -> Link:
    """
    Make somebody's link, in a transaction that is bound to their tenant; it is shown here only.

    *mailed* says that it goes to their address and to nobody else. With *pending_only* it is
    refused to who has a password. Raises `NoSuchUser`, `NoLinkForThem`.
    """
    found = await accounts.credentials(db, user_id, hold=True)
    if found.user is None:
        raise NoSuchUser("No such user in this tenant.")
    if found.user.status != "active" or found.locked:
        raise NoLinkForThem("Somebody who is disabled or locked gets no link.")
    if pending_only and found.password_hash is not None:
        raise NoLinkForThem("They have a password already.")
    token = new_secret(Kind.ACTIVATION_LINK)
    await store.end(db, user_id, "replaced")
    row = await store.insert(db, _digest(tenant_id, token), user_id, LIFE, mailed=mailed)
    purpose = "activation" if found.password_hash is None else "reset"
    details = {"link": str(row.id), "purpose": purpose, "mailed": mailed}
    await audit.record(db, _event("user.password_reset_sent", user_id, actor, **details))
    return Link(user_id, row.expires_at, token)


async def find(tenant: Tenant, token: str) -> User:
    """Whose living link this is; looking uses nothing up. Raises `LinkGone`."""
    user_id = await store.find(tenant, _digest(tenant.id, token))
    if user_id is None:
        raise LinkGone
    async with tenant.transaction() as db:
        found = await accounts.credentials(db, user_id)
    if found.user is None:
        raise LinkGone
    return found.user


async def use(db: Connection, tenant_id: UUID, token: str, hashed: str, actor: Actor) -> User:
    """
    Use a link up for the password that was chosen, in the caller's transaction.

    The address counts as verified only where the link went there and to nobody else: one that an
    administrator was shown proves that they trust its bearer, and nothing about the address. What
    else was open to the person ends, as with every new password. Raises `LinkGone`.
    """
    token_hash = _digest(tenant_id, token)
    spent = await _spend(db, token_hash)
    found = await accounts.credentials(db, spent.user_id)
    user = found.user
    if user is None or user.status != "active" or found.locked:
        raise LinkGone
    actor = replace(actor, type="user", id=str(user.id))
    await accounts.change_password(db, user.id, hashed, actor=actor)
    details = {"link": str(spent.id), "purpose": "reset" if found.password_hash else "activation"}
    await audit.record(db, _event("user.password_reset_completed", user.id, actor, **details))
    if spent.mailed and not user.email_verified:
        await people.verify_email(db, user.id)
        await audit.record(db, _event("user.email_verified", user.id, actor))
    return user


async def _spend(db: Connection, token_hash: bytes) -> Row:
    """The person is held before their link is, as whoever shuts them out does."""
    owner = await store.owner(db, token_hash)
    if owner is not None:
        await accounts.credentials(db, owner, hold=True)
        spent = await store.spend(db, token_hash)
        if spent is not None:
            return spent
    raise LinkGone


async def end(db: Connection, user_id: UUID, why: str) -> None:
    """Let somebody's link, if they have one, lead nowhere."""
    await store.end(db, user_id, why)


async def end_of_role(db: Connection, role: str, why: str) -> None:
    """Let the links of all who hold a role lead nowhere."""
    await store.end_of_role(db, role, why)


async def pending(db: Connection, user_ids: Collection[UUID]) -> dict[UUID, datetime | None]:
    """Who of these has yet to choose a password, and until when their link lives, if one does."""
    return await store.pending(db, user_ids)


def _digest(tenant_id: UUID, token: str) -> bytes:
    return digest(Kind.ACTIVATION_LINK, tenant_id, token)


def _event(name: str, user_id: UUID, actor: Actor, **details: object) -> Event:
    return Event(name, actor, target_type="user", target_id=str(user_id), metadata=details)
