"""
A name and a password, judged: the same steps, time and answer whoever is asked for.

Whoever opens a door by password, ordinary or administrators', counts and checks here, so that
guesses at one door count at the other.
"""

from dataclasses import dataclass

from insula.accounts import service as accounts
from insula.accounts.hashing import Passwords
from insula.accounts.models import User, normalise_name
from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.kernel.errors import Denied
from insula.kernel.metrics import SIGN_INS
from insula.kernel.tally import SIGN_IN_FAILED, TALLY
from insula.sign_in.attempts import service as attempts
from insula.sign_in.attempts.service import Attempt
from insula.sign_in.errors import TooManyAttempts
from insula.sign_in.settings import BruteForce
from insula.tenancy.db import Tenant

#: The line of the record for a refusal at the ordinary door.
LOGIN_FAILED = "user.login_failed"


class InvalidCredentials(Denied):
    """*left* tries remain before a wait."""

    code = "invalid_credentials"

    def __init__(self, left: int) -> None:
        super().__init__("The name and password do not match.")
        self.left = left


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose password was right, and the hash that it fitted: a newer one ends what follows."""

    user: User
    password_hash: str


async def count(
    tenant: Tenant,
    actor: Actor,
    policy: BruteForce,
    *,
    name: str,
    failed: str = LOGIN_FAILED,
) -> tuple[Attempt, int]:
    """
    Count a try that is about to be made; it, and how many remain before a wait.

    Raises `TooManyAttempts`; *failed* is the event of the record that says so.
    """
    attempt = Attempt(tenant.id, normalise_name(name)[:254], actor.ip or "")
    try:
        return attempt, await attempts.count(tenant, attempt, policy)
    except TooManyAttempts as refusal:
        await _held_back(tenant, actor, name, refusal, failed)
        raise


async def check(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    actor: Actor,
    passwords: Passwords,
    *,
    name: str,
    password: str,
    failed: str = LOGIN_FAILED,
) -> Proof | None:
    """
    What comes of a try that was counted; None for a refusal, which is in the record then.

    An unknown, locked or disabled person takes the same steps as a wrong password.
    """
    async with tenant.transaction() as db:
        found = await accounts.find(db, name)
    stored, user = found.password_hash, found.user
    fits = await passwords.verify(tenant.id, stored, password)
    if not fits or stored is None or user is None or user.status != "active" or found.locked:
        await _refused(tenant, actor, user, failed, fits=fits, locked=found.locked)
        return None
    return Proof(user, stored)


async def _refused(  # noqa: PLR0913  (each by its name)
    tenant: Tenant, actor: Actor, user: User | None, failed: str, *, fits: bool, locked: bool
) -> None:
    if user is None or not fits:
        why = "invalid_credentials"
    elif locked:
        why = "account_locked"
    else:
        why = "account_disabled"
    SIGN_INS.labels(why).inc()
    TALLY.count(tenant.id, SIGN_IN_FAILED)
    async with tenant.transaction() as db:
        await audit.record(db, failure(actor, user, why, failed))


async def _held_back(
    tenant: Tenant, actor: Actor, name: str, refusal: TooManyAttempts, failed: str
) -> None:
    """A refusal before the password was looked at; a flood of them fills no record."""
    SIGN_INS.labels("rate_limited").inc()
    TALLY.count(tenant.id, SIGN_IN_FAILED)
    async with tenant.transaction() as db:
        if await attempts.first_refusal(db, refusal):
            found = await accounts.find(db, name)
            await audit.record(db, failure(actor, found.user, "rate_limited", failed))


def failure(actor: Actor, user: User | None, why: str, event: str = LOGIN_FAILED) -> Event:
    """The line of the record that says who was refused, and why."""
    return Event(
        event,
        actor,
        "failed",
        target_type="user",
        target_id=str(user.id) if user else None,
        metadata={"reason": why},
    )
