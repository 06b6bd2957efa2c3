"""
A key that somebody else may have: out at once, with everything that it signed (BEY-2).

It breaks the rule that a key is seen before it signs: the other choice is to go on signing with
one that is not ours alone. Verifiers meet an unknown `kid` and fetch the JWKS again.
"""

from dataclasses import dataclass

from insula.audit import service as audit
from insula.audit.models import SYSTEM, Actor, Event
from insula.data_keys import service as data_keys
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Unavailable
from insula.keys import store
from insula.keys.errors import AlreadyRetired, NoSuchKey
from insula.keys.models import purpose, signs_for
from insula.keys.service import list_keys, prepare, rotation_in
from insula.tenancy.db import Tenant, raise_version


@dataclass(frozen=True, slots=True)
class Revoked:
    """What was revoked, and which key signs in its place; None where another one signed already."""

    kid: str
    alg: str
    successor: str | None


async def revoke(
    tenant: Tenant,
    envelope: Envelope,
    kid: str,
    *,
    reason: str,
    actor: Actor = SYSTEM,
) -> Revoked:
    """
    Take a key out of the JWKS now; no token that it signed is accepted any more.

    When it signs, a new one does in the same act: made here, since a published one may have been
    seen by whoever has this one. Raises `NoSuchKey`, `AlreadyRetired`.
    """
    known = next((key for key in await list_keys(tenant) if key.kid == kid), None)
    prepared = await prepare([known.alg]) if known and known.state == "active" else []
    async with tenant.transaction() as db:
        key = next((each for each in await store.lock(db) if each.kid == kid), None)
        if key is None:
            raise NoSuchKey("No key of that id in this tenant.")
        if key.state == "revoked":
            raise AlreadyRetired("The key is revoked already.")
        if key.state == "active" and not prepared:  # it was promoted a moment ago
            raise Unavailable("The key has just begun to sign.")
        await store.set_state(db, kid, "revoked")
        successor = None
        if key.state == "active":
            (fresh,) = prepared
            cipher = await data_keys.cipher(db, envelope)
            sealed = cipher.seal(fresh.pkcs8_der, purpose(fresh.kid, fresh.alg))
            interval = signs_for(fresh.kid, (await rotation_in(db)).interval_days)
            await store.insert(db, fresh, sealed, "active", interval)
            successor = fresh.kid
        details = {"alg": key.alg, "state": key.state, "reason": reason, "successor": successor}
        await audit.record(
            db, Event("key.emergency_rotated", actor, "warning", target_type="signing_key",
                      target_id=kid, metadata=details),
        )  # fmt: skip
        await raise_version(db, "keys")
    return Revoked(kid, key.alg, successor)
