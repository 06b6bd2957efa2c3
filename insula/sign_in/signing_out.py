"""How sessions end because somebody signs out, and what else must hear of it."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.sign_in import store
from insula.sign_in.service import Here, session_hash
from insula.tenancy.db import Connection, Tenant


async def sign_out(tenant: Tenant, here: Here) -> tuple[str, ...]:
    """End every session of this browser; the addresses its page must load (OIDCFCL-3)."""
    hashes = [session_hash(tenant, token) for token in here.tokens]
    async with tenant.transaction() as db:
        every = await store.end_sessions(db, hashes, "logout")
        for ended in every:
            actor = replace(here.actor, id=str(ended.user_id))
            await audit.record(
                db,
                Event("user.logged_out", actor, target_type="session", target_id=str(ended.id)),
            )
        return await _frames(db, tenant, [ended.sid for ended in every])


async def end_session(tenant: Tenant, session_id: UUID, actor: Actor) -> tuple[str, ...]:
    """
    End one session because a client asked for it on its person's behalf.

    Returns the addresses that the page which says so must load (OIDCFCL-3).
    """
    async with tenant.transaction() as db:
        ended = await store.end_session_by_id(db, session_id, "logout")
        if ended is None:
            return ()
        actor = replace(actor, type="user", id=str(ended.user_id))
        await audit.record(
            db,
            Event("user.logged_out", actor, target_type="session", target_id=str(session_id)),
        )
        return await _frames(db, tenant, [ended.sid])


async def _frames(db: Connection, tenant: Tenant, sids: Sequence[UUID]) -> tuple[str, ...]:
    """Each client's clean-up address, with issuer and session where it asks for them (LO-10)."""
    rows = await store.frames(db, sids)
    return tuple(
        _with_session(row.uri, tenant.issuer, row.sid) if row.with_session else row.uri
        for row in rows
    )


def _with_session(uri: str, issuer: str, sid: UUID) -> str:
    joint = "&" if "?" in uri else "?"
    return f"{uri}{joint}{urlencode({'iss': issuer, 'sid': str(sid)})}"
