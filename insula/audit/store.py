"""The one statement that writes the record in a use case's transaction, and the one that reads it."""

import ipaddress
import json
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from sqlalchemy import text

from insula.audit.models import Event, Place, Wanted, plain, scrub
from insula.kernel.db import Connection, Row

_INSERT = text("""
    insert into insula.audit_events
      (event, status, actor_type, actor_id, target_type, target_id, ip, user_agent, request_id, metadata)
    values (:event, :status, :actor_type, :actor_id, :target_type, :target_id, cast(:ip as inet),
            :user_agent, :request_id, cast(:metadata as jsonb))
""")

#: A line as it is read, and the order of all that read more than one: newest first.
_LINE = """id, at, event, status, actor_type, actor_id, on_behalf_of, target_type, target_id,
           host(ip) as ip, user_agent, request_id, metadata"""
_ORDER = "order by at desc, id"
#: What comes after the last line that was seen.
_AFTER = """(at < cast(:at as timestamptz)
            or at = cast(:at as timestamptz) and id > cast(:id as uuid))"""

_NEWEST = text(f"select {_LINE} from insula.audit_events {_ORDER} limit :n")  # noqa: S608  (names of ours)


def _address(ip: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address(ip)) if ip else None
    except ValueError:
        return None


async def insert(db: Connection, event: Event) -> None:
    actor = event.actor
    await db.execute(
        _INSERT,
        {
            "event": event.event,
            "status": event.status,
            "actor_type": actor.type,
            "actor_id": actor.id,
            "target_type": event.target_type,
            "target_id": event.target_id,
            "ip": _address(actor.ip),
            "user_agent": plain(actor.user_agent or "", 256) or None,
            "request_id": actor.request_id,
            "metadata": json.dumps(scrub(event.metadata)),
        },
    )


_ONE = text(f"select {_LINE} from insula.audit_events where id = :id")  # noqa: S608  (names of ours)


async def get(db: Connection, line_id: UUID) -> Row | None:
    return (await db.execute(_ONE, {"id": line_id})).one_or_none()


#: So many lines are looked through for one that is seldom asked for.
_FAR = 2000

_LAST_ABOUT = text("""
    select at, event, actor_type, actor_id
      from (select at, event, status, actor_type, actor_id, target_type, target_id
              from insula.audit_events order by at desc, id limit :far) recent
     where target_type = :kind and target_id = :name and status <> 'failed'
     order by at desc limit 1
""")


async def last_about(db: Connection, kind: str, name: str) -> Row | None:
    """The newest line about an object, among the newest of all."""
    found = await db.execute(_LAST_ABOUT, {"kind": kind, "name": name, "far": _FAR})
    return found.one_or_none()


_LAST_OF = text("""
    select at, event, actor_type, actor_id
      from (select at, event, status, actor_type, actor_id
              from insula.audit_events order by at desc, id limit :far) recent
     where event = any(:events) and status <> 'failed'
     order by at desc limit 1
""")


async def last_of(db: Connection, events: Sequence[str]) -> Row | None:
    """The newest line of any of these events, among the newest of all."""
    found = await db.execute(_LAST_OF, {"events": list(events), "far": _FAR})
    return found.one_or_none()


#: So many lines are looked through for one page, however seldom one matches (CR-9).
WINDOW = 10_000

_SEEN = f"""(select id, at, event, status, actor_type, actor_id, on_behalf_of, target_type, target_id,
                   ip, user_agent, request_id, metadata
              from insula.audit_events
             where (cast(:since as timestamptz) is null or at >= :since)
               and (cast(:until as timestamptz) is null or at < :until)
               and (cast(:at as timestamptz) is null or {_AFTER})
             {_ORDER} limit :window) seen"""  # noqa: S608  (names of ours)

_MATCHES = """
    (cardinality(cast(:words as text[])) = 0
     or exists (select from unnest(cast(:words as text[])) word where starts_with(event, word))
     or actor_id = any(cast(:words as text[])) or target_id = any(cast(:words as text[]))
     or request_id = any(cast(:words as text[])) or host(ip) = any(cast(:words as text[])))
    and (cast(:event as text) is null or event = :event
         or (right(:event, 1) = '.' and starts_with(event, :event)))
    and (cast(:status as text) is null or status = :status)
    and (cast(:actor_type as text) is null or actor_type = :actor_type)
    and (cast(:actor_id as text) is null or actor_id = :actor_id)
    and (cast(:target_type as text) is null or target_type = :target_type)
    and (cast(:target_id as text) is null or target_id = :target_id)
    and (cast(:user as text) is null or actor_id = :user
         or (target_type = 'user' and target_id = :user))
    and (cast(:ip as inet) is null or ip = cast(:ip as inet))
    and (cast(:request_id as text) is null or request_id = :request_id)"""

_SEARCH = text(f"""
    select {_LINE} from {_SEEN} where {_MATCHES} {_ORDER} limit :limit
""")  # noqa: S608  (names of ours)

_END_OF_WINDOW = text(f"""
    select at, id from (select at, id, count(*) over () as n from {_SEEN}) looked_at
     where n = :window order by at, id desc limit 1
""")  # noqa: S608  (names of ours)

_COUNT = text(f"select count(*) filter (where {_MATCHES}) as n, count(*) as looked_at from {_SEEN}")  # noqa: S608  (names of ours)


def _asked(wanted: Wanted, place: Place | None) -> dict[str, object]:
    at, line = place or (None, None)
    return {
        **asdict(wanted),
        "words": list(wanted.words),
        "ip": _address(wanted.ip),
        "at": at,
        "id": line,
        "window": WINDOW,
    }


async def search(db: Connection, wanted: Wanted, place: Place | None, limit: int) -> Sequence[Row]:
    """Lines, newest first, among the next `WINDOW` after one."""
    return (await db.execute(_SEARCH, {**_asked(wanted, place), "limit": limit})).all()


async def end_of_window(db: Connection, wanted: Wanted, place: Place | None) -> Row | None:
    """The last line that `search` has looked at; None if it has come to the end."""
    return (await db.execute(_END_OF_WINDOW, _asked(wanted, place))).one_or_none()


async def count(db: Connection, wanted: Wanted, most: int) -> tuple[int, bool]:
    """How many match among the newest *most*, and whether those are all."""
    params = {**_asked(wanted, None), "window": most + 1}
    row = (await db.execute(_COUNT, params)).one()
    return row.n, row.looked_at <= most


async def newest(db: Connection, n: int) -> Sequence[Row]:
    return (await db.execute(_NEWEST, {"n": n})).all()
