"""Ending sessions and taking permissions back, on an administrator's word."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.kernel.errors import Invalid, NotFound
from insula.sign_in import store as sign_in
from insula.sign_in.administration import store
from insula.sign_in.administration.models import (
    Ended,
    GrantLine,
    GrantsWanted,
    IssueLine,
    SessionLine,
    SessionsWanted,
)
from insula.tenancy.db import Connection, Row, Tenant

_BATCH: Final = 1000
#: A request ends so many batches; whoever has more asks again (CR-9).
_MOST_BATCHES: Final = 50
_MOST_ISSUES: Final = 100


def _session(row: Row) -> SessionLine:
    return SessionLine(**row._mapping)  # noqa: SLF001  (how a row is read by name)


def _grant(row: Row) -> GrantLine:
    return GrantLine(**row._mapping)  # noqa: SLF001  (as above)


def _issue(row: Row) -> IssueLine:
    return IssueLine(**row._mapping)  # noqa: SLF001  (as above)


async def sessions(
    db: Connection, wanted: SessionsWanted, *, after: UUID | None = None, limit: int = 25
) -> tuple[Sequence[SessionLine], UUID | None]:
    """
    A page of sessions by id, and where the next one begins.

    A page may hold fewer than *limit* and still not be the last.
    """
    rows = await store.sessions(db, wanted, after=after, limit=limit + 1)
    shown = [_session(row) for row in rows[:limit]]
    if len(rows) > limit:
        return shown, shown[-1].id
    return shown, await store.end_of_sessions(db, wanted.user, after)


async def session(db: Connection, session_id: UUID) -> tuple[SessionLine, list[IssueLine]]:
    """A session and the newest of what was issued in it. Raises `NotFound`."""
    row = await store.session(db, session_id)
    if row is None:
        raise NotFound("No such session in this tenant.")
    issues = await store.issues_of_session(db, session_id, _MOST_ISSUES)
    return _session(row), [_issue(each) for each in issues]


async def end_session(db: Connection, session_id: UUID, actor: Actor) -> None:
    """
    End a session with all that was issued in it; its clients hear of it. Raises `NotFound`.

    One that has ended already stays as it is.
    """
    await session(db, session_id)
    ended = await sign_in.end_session_by_id(db, session_id, "revoked_by_admin")
    await store.end_tokens_of_sessions(db, [session_id], "session_revoked")
    if ended is not None:
        line = Event("session.revoked", actor, target_type="session", target_id=str(session_id))
        await audit.record(db, line)


async def end_sessions(
    tenant: Tenant, *, user: UUID | None, client: UUID | None, actor: Actor
) -> Ended:
    """
    End every session of a person, or that reached a client, in batches.

    Raises `Invalid` when neither is named.
    """
    _need_one(user, client)
    total, complete = 0, False
    for _ in range(_MOST_BATCHES):
        async with tenant.transaction() as db:
            ended = await store.end_some_sessions(
                db, user=user, client=client, why="revoked_by_admin", batch=_BATCH
            )
            if ended:
                await _note(db, "session.bulk_revoked", user, client, actor, len(ended))
        total += len(ended)
        if len(ended) < _BATCH:
            complete = True
            break
    return Ended(total, complete)


def _need_one(user: UUID | None, client: UUID | None) -> None:
    if user is None and client is None:
        raise Invalid("Name a user or a client.", code="filter_required")


async def grants(
    db: Connection, wanted: GrantsWanted, *, after: UUID | None = None, limit: int = 25
) -> tuple[Sequence[GrantLine], UUID | None]:
    """A page of grants by id, and where the next one begins; as `sessions`."""
    rows = await store.grants(db, wanted, after=after, limit=limit + 1)
    shown = [_grant(row) for row in rows[:limit]]
    if len(rows) > limit:
        return shown, shown[-1].id
    return shown, await store.end_of_grants(db, wanted.user, after)


async def grant(db: Connection, grant_id: UUID) -> tuple[GrantLine, list[IssueLine]]:
    """A grant and the newest of what was issued under it. Raises `NotFound`."""
    row = await store.grant(db, grant_id)
    if row is None:
        raise NotFound("No such grant in this tenant.")
    issues = await store.issues_of_grant(db, row.user_id, row.client, _MOST_ISSUES)
    return _grant(row), [_issue(each) for each in issues]


async def revoke_grant(db: Connection, grant_id: UUID, actor: Actor) -> None:
    """Take one permission back with every token that came of it. Raises `NotFound`."""
    await grant(db, grant_id)
    taken = await store.revoke_some_grants(db, grant=grant_id, why="grant_revoked", batch=1)
    await _note_taken(db, taken, actor)


async def revoke_grants(
    tenant: Tenant, *, user: UUID | None, client: UUID | None, actor: Actor
) -> Ended:
    """Take back what a person allowed, or what a client was allowed. Raises as `end_sessions`."""
    _need_one(user, client)
    total, complete = 0, False
    for _ in range(_MOST_BATCHES):
        async with tenant.transaction() as db:
            taken = await store.revoke_some_grants(
                db, user=user, client=client, why="grant_revoked", batch=_BATCH
            )
            await _note_taken(db, taken, actor)
        total += len(taken)
        if len(taken) < _BATCH:
            complete = True
            break
    return Ended(total, complete)


async def count_alive(db: Connection, *, most: int) -> tuple[int, bool]:
    """How many of the first *most* sessions are alive, and whether those are all."""
    return await store.count_alive(db, most)


async def count_allowed(db: Connection, *, most: int) -> tuple[int, bool]:
    """How many of the first *most* grants are in force, and whether those are all."""
    return await store.count_allowed(db, most)


async def _note_taken(db: Connection, taken: Sequence[Row], actor: Actor) -> None:
    for each in taken:
        line = Event(
            "oauth.consent_revoked",
            actor,
            target_type="grant",
            target_id=str(each.id),
            metadata={"user": str(each.user_id), "client": each.client_id},
        )
        await audit.record(db, line)


async def _note(  # noqa: PLR0913  (what a line says)
    db: Connection, event: str, user: UUID | None, client: UUID | None, actor: Actor, count: int
) -> None:
    line = Event(
        event,
        actor,
        target_type="user" if user is not None else "client",
        target_id=str(user or client),
        metadata={"count": count},
    )
    await audit.record(db, line)
