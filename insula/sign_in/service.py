"""Proving who somebody is, and the session that comes of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from insula.accounts import service as accounts
from insula.accounts.errors import WeakPassword
from insula.accounts.hashing import Passwords
from insula.accounts.models import User
from insula.accounts.settings import PasswordPolicy
from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.config_overrides import service as config_overrides
from insula.kernel.ids import Kind, digest, new_id, new_secret
from insula.kernel.metrics import SIGN_INS
from insula.kernel.tally import SIGN_IN, TALLY
from insula.sign_in import proof, store
from insula.sign_in.attempts import service as attempts
from insula.sign_in.attempts.service import Attempt
from insula.sign_in.errors import InteractionGone
from insula.sign_in.interactions import service as interactions
from insula.sign_in.models import PASSWORD_ACR, PASSWORD_AMR, Interaction, Prompt, SignedIn
from insula.sign_in.proof import InvalidCredentials, Proof
from insula.sign_in.settings import BruteForce, InteractionLife, SessionPolicy
from insula.tenancy.db import Connection, Tenant


class _OutdatedError(Exception):
    """The person was changed between the check of the password and the session."""


@dataclass(frozen=True, slots=True)
class Policies:
    """The settings that sign-in obeys."""

    session: SessionPolicy = SessionPolicy()
    brute_force: BruteForce = BruteForce()
    interaction: InteractionLife = InteractionLife()
    password: PasswordPolicy = PasswordPolicy()


def policies_of(tenant: Tenant) -> Policies:
    """The settings of sign-in as they hold for a tenant."""
    return Policies(
        config_overrides.of(tenant, SessionPolicy),
        config_overrides.of(tenant, BruteForce),
        config_overrides.of(tenant, InteractionLife),
        config_overrides.of(tenant, PasswordPolicy),
    )


@dataclass(frozen=True, slots=True)
class Here:
    """Where a person is: this browser, the tokens of its session cookie, and who is calling."""

    browser: str
    tokens: tuple[str, ...]
    actor: Actor


@dataclass(frozen=True, slots=True)
class Proved:
    """A right password: the tokens the browser holds from now on, or a password to replace."""

    tokens: tuple[str, ...] = ()
    must_change_password: bool = False


def _fingerprint(password_hash: str | None) -> str:
    """Which password it was, for an interaction that outlives it."""
    return hashlib.sha256((password_hash or "").encode()).hexdigest()


def session_hash(tenant: Tenant, token: str) -> bytes:
    return digest(Kind.SESSION, tenant.id, token)


def must_replace(prompt: Prompt, judged: Proof) -> Prompt:
    """The prompt of somebody whose password was right and must be replaced before anything else."""
    return replace(prompt, proved=str(judged.user.id), proved_by=_fingerprint(judged.password_hash))


async def signed_in(tenant: Tenant, tokens: Sequence[str]) -> list[SignedIn]:
    """Who is signed in in this browser, the present one first; dead sessions are left out."""
    if not tokens:
        return []
    by_hash = {session_hash(tenant, token): token for token in tokens}
    rows = await store.signed_in(tenant, list(by_hash))
    found = [
        SignedIn(
            row.id, row.user_id, row.username, row.email, row.display_name,
            by_hash[bytes(row.token_hash)],
        )
        for row in rows
    ]  # fmt: skip
    return sorted(found, key=lambda s: tokens.index(s.token))


async def prove(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    here: Here,
    interaction: Interaction,
    passwords: Passwords,
    policies: Policies,
    *,
    name: str,
    password: str,
) -> Proved:
    """
    Check a name and a password and begin a session.

    An unknown, locked or disabled person takes the same steps and the same time as a wrong
    password, and gets the same answer. Raises `InvalidCredentials`, `TooManyAttempts`,
    `InteractionGone`, `Unavailable`.
    """
    attempt, left = await proof.count(tenant, here.actor, policies.brute_force, name=name)
    while True:  # each further round is of a person who was changed during the one before
        try:
            proved = await _check(
                tenant,
                here,
                interaction,
                passwords,
                policies,
                attempt,
                name=name,
                password=password,
            )
        except _OutdatedError:
            continue
        if proved is None:
            raise InvalidCredentials(left)
        return proved


async def _check(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    here: Here,
    interaction: Interaction,
    passwords: Passwords,
    policies: Policies,
    attempt: Attempt,
    *,
    name: str,
    password: str,
) -> Proved | None:
    """What comes of an attempt that was counted; None for a refusal."""
    judged = await proof.check(tenant, here.actor, passwords, name=name, password=password)
    if judged is None:
        return None
    stored, user = judged.password_hash, judged.user
    if user.must_change_password:
        proved = must_replace(interaction.prompt, judged)
        await interactions.move(tenant, here.browser, interaction.id, proved, policies.interaction)
        async with tenant.transaction() as db:
            await attempts.forget(db, attempt)
        return Proved(must_change_password=True)
    renewed = await passwords.hash(tenant.id, password) if passwords.is_stale(stored) else None
    async with tenant.transaction() as db:
        if renewed is not None:
            await accounts.renew_hash(db, user.id, stored, renewed)
        tokens = await begin_session(
            db, tenant, here, interaction.id, user, renewed or stored, policies
        )
        await attempts.forget(db, attempt)
    return Proved(tokens)


async def begin_session(  # noqa: PLR0913  (each by its name)
    db: Connection,
    tenant: Tenant,
    here: Here,
    interaction_id: UUID,
    user: User,
    password_hash: str,
    policies: Policies,
) -> tuple[str, ...]:
    """
    A new session, with a new secret, in place of this person's former one in this browser.

    The tokens of the browser from now on. The person is held before their sessions are, as
    whoever disables them does. Raises `InteractionGone`, `_OutdatedError`.
    """
    token, session_id = new_secret(Kind.SESSION), new_id()
    begun = await store.insert_session(
        db,
        {
            "id": session_id,
            "token_hash": session_hash(tenant, token),
            "former": [session_hash(tenant, t) for t in here.tokens],
            "user_id": user.id,
            "password_hash": password_hash,
            "amr": list(PASSWORD_AMR),
            "acr": PASSWORD_ACR,
            "ip": here.actor.ip or None,
            "user_agent": (here.actor.user_agent or "")[:256],
            "idle": policies.session.idle,
            "absolute": policies.session.absolute,
        },
    )
    if begun == "outdated":
        raise _OutdatedError
    if policies.session.max_concurrent_sessions:
        await store.hold_sessions(db, [session_hash(tenant, t) for t in here.tokens], user.id)
    former, others = await _living(db, tenant, here.tokens, user.id)
    room = policies.session.max_accounts_per_session - 1
    # whoever proves themselves again, for one application, does not leave the others
    await store.hand_over(db, [session_hash(tenant, t) for t in former], session_id)
    await store.end_sessions(db, [session_hash(tenant, t) for t in former], "renewed")
    await store.end_sessions(db, [session_hash(tenant, t) for t in others[room:]], "displaced")
    noted = await interactions.note_authenticated(
        db, tenant, here.browser, interaction_id, session_id, selected=False
    )
    if begun == "closed" or not noted:
        raise InteractionGone
    await accounts.note_login(db, user.id)
    actor = replace(here.actor, type="user", id=str(user.id))
    if policies.session.max_concurrent_sessions:
        await _end_oldest(db, user.id, session_id, policies.session, actor)
    await audit.record(
        db,
        Event("user.logged_in", actor, target_type="session", target_id=str(session_id),
              metadata={"amr": list(PASSWORD_AMR)}),
    )  # fmt: skip
    SIGN_INS.labels("success").inc()
    TALLY.count(tenant.id, SIGN_IN)
    return (token, *others[:room])


async def _end_oldest(
    db: Connection, user_id: UUID, session_id: UUID, policy: SessionPolicy, actor: Actor
) -> None:
    """
    End what a person has of sessions beyond the limit, the oldest first and never the one begun.

    The person is held since that began, so two sign-ins at once leave no more than one would.
    """
    others = policy.max_concurrent_sessions - 1
    for ended in await store.end_oldest(db, user_id, session_id, others, "displaced"):
        why = {"why": "max_concurrent_sessions", "for": str(session_id)}
        await audit.record(
            db,
            Event("session.revoked", actor, target_type="session", target_id=str(ended.id),
                  metadata=why),
        )  # fmt: skip


async def _living(
    db: Connection, tenant: Tenant, tokens: Sequence[str], user_id: UUID
) -> tuple[list[str], list[str]]:
    """Those of a browser's tokens that have not ended: this person's, and the others'."""
    by_hash = {session_hash(tenant, token): token for token in tokens}
    owners = await store.owners(db, list(by_hash))
    living = [(token, owners[h]) for h, token in by_hash.items() if h in owners]
    former = [token for token, owner in living if owner == user_id]
    return former, [token for token, owner in living if owner != user_id]


async def proved_person(tenant: Tenant, interaction: Interaction) -> User | None:
    """
    Whose password was right in this interaction and must be replaced; None for nobody.

    Raises `InteractionGone` when it is not their password any more.
    """
    if not interaction.prompt.proved:
        return None
    async with tenant.transaction() as db:
        user, _ = await _still_proved(db, interaction)
    return user


async def _still_proved(
    db: Connection, interaction: Interaction, *, hold: bool = False
) -> tuple[User, str]:
    """Who has yet to replace the password that they proved, and its hash."""
    prompt = interaction.prompt
    found = await accounts.credentials(db, UUID(prompt.proved), hold=hold)
    user, stored = found.user, found.password_hash
    if user is None or stored is None or _fingerprint(stored) != prompt.proved_by:
        raise InteractionGone
    if user.status != "active" or found.locked or not user.must_change_password:
        raise InteractionGone
    return user, stored


async def replace_password(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    here: Here,
    interaction: Interaction,
    passwords: Passwords,
    policies: Policies,
    password: str,
) -> tuple[str, ...]:
    """
    The new password of somebody who had to choose one; the session begins with it.

    Raises `WeakPassword`, `InteractionGone`, `Unavailable`.
    """
    if not interaction.prompt.proved:
        raise InteractionGone
    async with tenant.transaction() as db:
        user, stored = await _still_proved(db, interaction)
    hashed = await accounts.prepare_password(
        tenant, passwords, policies.password, password, username=user.username, email=user.email
    )
    if await passwords.verify(tenant.id, stored, password):
        raise WeakPassword("Choose another password than the one you have.", field="new_password")
    actor = replace(here.actor, type="user", id=str(user.id))
    async with tenant.transaction() as db:
        await _still_proved(db, interaction, hold=True)
        await accounts.change_password(db, user.id, hashed, actor=actor)
        return await begin_session(db, tenant, here, interaction.id, user, hashed, policies)


async def choose(
    tenant: Tenant, here: Here, interaction: Interaction, session_id: UUID
) -> tuple[str, ...]:
    """
    Go on as one of the people signed in here; the tokens in their new order.

    Raises `InteractionGone` when that session has ended meanwhile.
    """
    present = await signed_in(tenant, here.tokens)
    chosen = next((s for s in present if s.session_id == session_id), None)
    if chosen is None:
        raise InteractionGone("This account is not signed in any more.")
    async with tenant.transaction() as db:
        noted = await interactions.note_authenticated(
            db, tenant, here.browser, interaction.id, session_id, selected=True
        )
        if not noted:
            raise InteractionGone
    return (chosen.token, *(t for t in here.tokens if t != chosen.token))


async def note_conflict(tenant: Tenant, actor: Actor) -> None:
    """Another tenant's session cookie came to this host; nothing of that tenant was read (A07)."""
    async with tenant.transaction() as db:
        await audit.record(db, Event("session.tenant_conflict", actor, "warning"))
