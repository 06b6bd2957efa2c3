"""Opening, reading and closing administrators' sessions."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from insula.accounts import service as accounts
from insula.accounts.hashing import Passwords
from insula.accounts.models import User
from insula.admin_sessions import store
from insula.admin_sessions.errors import NotAdmin
from insula.admin_sessions.models import AdminSession, opening_roles
from insula.admin_sessions.settings import AdminSessionLife, Sudo
from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.config_overrides.service import of
from insula.kernel.ids import Kind, digest, new_id, new_secret
from insula.kernel.metrics import SIGN_INS
from insula.kernel.tally import SIGN_IN, SIGN_IN_FAILED, TALLY
from insula.sign_in import proof
from insula.sign_in.attempts import service as attempts
from insula.sign_in.models import PASSWORD_AMR
from insula.sign_in.proof import InvalidCredentials, Proof
from insula.sign_in.settings import BruteForce
from insula.tenancy.db import Tenant

_LOGIN_FAILED = "admin.login_failed"
_STEP_UP_FAILED = "step_up.failed"


@dataclass(frozen=True, slots=True)
class Opened:
    """A right password: the new session's token, or who must replace theirs before."""

    token: str = ""
    must_change: Proof | None = None


def _hash(tenant: Tenant, token: str) -> bytes:
    return digest(Kind.ADMIN_SESSION, tenant.id, token)


async def read(tenant: Tenant, token: str) -> AdminSession | None:
    """
    The administrator whose cookie this is, as they are now; one trip.

    None for a session that has ended, and for whoever has lost status or every role.
    """
    row = await store.read(
        tenant,
        _hash(tenant, token),
        idle=timedelta(minutes=of(tenant, AdminSessionLife).idle_minutes),
        sudo=timedelta(minutes=of(tenant, Sudo).ttl_minutes),
    )
    if row is None or opening_roles(tenant.slug).isdisjoint(row.roles):
        return None
    return AdminSession(
        id=row.id,
        user_id=row.user_id,
        username=row.username,
        email=row.email,
        display_name=row.display_name,
        roles=frozenset(row.roles) & opening_roles(tenant.slug),
        is_proved=row.is_proved,
        is_renewed=row.is_renewed,
        begun_at=row.created_at,
        expires_at=row.idle_expires_at,
        amr=tuple(row.amr),
    )


async def sign_in(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    actor: Actor,
    passwords: Passwords,
    *,
    name: str,
    password: str,
    former: str | None = None,
) -> Opened:
    """
    Check a name and a password and open a session for whoever has a role; *former* ends.

    Counted and answered as at the ordinary door. Raises `InvalidCredentials`, `TooManyAttempts`,
    `NotAdmin`, `Unavailable`.
    """
    attempt, left = await proof.count(
        tenant, actor, of(tenant, BruteForce), name=name, failed=_LOGIN_FAILED
    )
    judged = await proof.check(
        tenant, actor, passwords, name=name, password=password, failed=_LOGIN_FAILED
    )
    if judged is None:
        raise InvalidCredentials(left)
    async with tenant.transaction() as db:
        await attempts.forget(db, attempt)
        roles = await accounts.roles_of(db, judged.user.id)
    if opening_roles(tenant.slug).isdisjoint(roles):
        await _not_an_admin(tenant, actor, judged.user)
    if judged.user.must_change_password:
        return Opened(must_change=judged)
    token = await _open(tenant, actor, of(tenant, AdminSessionLife), judged, roles, former)
    if token is None:
        raise InvalidCredentials(left)
    return Opened(token)


async def _not_an_admin(tenant: Tenant, actor: Actor, user: User) -> None:
    SIGN_INS.labels("not_admin").inc()
    TALLY.count(tenant.id, SIGN_IN_FAILED)
    async with tenant.transaction() as db:
        await audit.record(db, proof.failure(actor, user, "not_admin", _LOGIN_FAILED))
    raise NotAdmin("This account does not administer anything here.")


async def _open(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    actor: Actor,
    life: AdminSessionLife,
    judged: Proof,
    roles: Collection[str],
    former: str | None,
) -> str | None:
    """The token of a new session; None if the person was changed since the check."""
    token, session_id, user = new_secret(Kind.ADMIN_SESSION), new_id(), judged.user
    async with tenant.transaction() as db:
        begun = await store.insert(
            db,
            {
                "id": session_id,
                "token_hash": _hash(tenant, token),
                "user_id": user.id,
                "password_hash": judged.password_hash,
                "amr": list(PASSWORD_AMR),
                "ip": actor.ip or None,
                "user_agent": (actor.user_agent or "")[:256],
                "idle": timedelta(minutes=life.idle_minutes),
                "absolute": timedelta(hours=life.absolute_hours),
            },
        )
        if not begun:
            return None
        if former is not None:
            await store.end(db, _hash(tenant, former), "renewed")
        await accounts.note_login(db, user.id)
        await audit.record(
            db,
            Event(
                "admin.logged_in",
                replace(actor, type="admin", id=str(user.id)),
                target_type="admin_session",
                target_id=str(session_id),
                metadata={"amr": list(PASSWORD_AMR), "roles": sorted(roles)},
            ),
        )
    SIGN_INS.labels("admin").inc()
    TALLY.count(tenant.id, SIGN_IN)
    return token


async def sign_out(tenant: Tenant, actor: Actor, token: str) -> None:
    """End a session; one that has ended already stays so."""
    async with tenant.transaction() as db:
        ended = await store.end(db, _hash(tenant, token), "logout")
        if ended is not None:
            await audit.record(
                db,
                Event(
                    "admin.logged_out",
                    replace(actor, type="admin", id=str(ended.user_id)),
                    target_type="admin_session",
                    target_id=str(ended.id),
                ),
            )


async def step_up(
    tenant: Tenant,
    actor: Actor,
    passwords: Passwords,
    session: AdminSession,
    password: str,
) -> str:
    """
    Have somebody who is signed in prove it again; remembered in the session.

    Returns the session's token from now on: whoever has the former has nothing (security row 81).
    Raises `InvalidCredentials`, `TooManyAttempts`, `Unavailable`.
    """
    attempt, left = await proof.count(
        tenant, actor, of(tenant, BruteForce), name=session.username, failed=_STEP_UP_FAILED
    )
    judged = await proof.check(
        tenant, actor, passwords, name=session.username, password=password, failed=_STEP_UP_FAILED
    )
    if judged is None or judged.user.id != session.user_id:
        raise InvalidCredentials(left)
    token = new_secret(Kind.ADMIN_SESSION)
    async with tenant.transaction() as db:
        if not await store.prove(db, session.id, session.user_id, _hash(tenant, token)):
            raise InvalidCredentials(left)
        await attempts.forget(db, attempt)
        await audit.record(
            db,
            Event(
                "step_up.verified",
                actor,
                target_type="admin_session",
                target_id=str(session.id),
                metadata={"method": "pwd"},
            ),
        )
    return token
