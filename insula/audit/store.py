"""The one statement that writes the record in a use case's transaction, and the one that reads it."""

import ipaddress
import json
from collections.abc import Sequence

from sqlalchemy import text

from insula.audit.models import Event, plain, scrub
from insula.kernel.db import Connection, Row

_INSERT = text("""
    insert into insula.audit_events
      (event, status, actor_type, actor_id, target_type, target_id, ip, user_agent, request_id, metadata)
    values (:event, :status, :actor_type, :actor_id, :target_type, :target_id, cast(:ip as inet),
            :user_agent, :request_id, cast(:metadata as jsonb))
""")

_NEWEST = text("""
    select id, at, event, status, actor_type, actor_id, target_type, target_id, host(ip) as ip,
           request_id, metadata
      from insula.audit_events order by at desc, id limit :n
""")


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


async def newest(db: Connection, n: int) -> Sequence[Row]:
    return (await db.execute(_NEWEST, {"n": n})).all()
