"""All SQL on interactions."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from insula.sign_in.models import Interaction, Prompt
from insula.tenancy.db import Connection, Tenant, statement

_BEGIN = statement("""
    insert into insula.interactions
      (id, browser_hash, kind, client_id, parameters, prompt, step_expires_at, expires_at, sweep_after)
    values (%(id)s, %(browser_hash)s, %(kind)s, %(client_id)s, %(parameters)s::jsonb, %(prompt)s::jsonb,
            now() + %(step)s, now() + %(total)s, now() + %(total)s + interval '1 day')
""")

_MOVE = statement("""
    update insula.interactions
       set prompt = %(prompt)s::jsonb, step_expires_at = least(now() + %(step)s, expires_at)
     where tenant_id = %(tenant_id)s and id = %(id)s and browser_hash = %(browser_hash)s
       and completed_at is null and denied_at is null and step_expires_at > now()
    returning id
""")

_LOAD = statement("""
    select id, kind, client_id, prompt, session_id, step_expires_at from insula.interactions
     where tenant_id = %(tenant_id)s and id = %(id)s and browser_hash = %(browser_hash)s
       and completed_at is null and denied_at is null and step_expires_at > now()
""")

_CANCEL = statement("""
    update insula.interactions set completed_at = now()
     where tenant_id = %(tenant_id)s and id = %(id)s and browser_hash = %(browser_hash)s
       and completed_at is null
""")

_DECLINE = statement("""
    update insula.interactions set denied_at = now()
     where tenant_id = %(tenant_id)s and id = %(id)s and browser_hash = %(browser_hash)s
       and kind = 'authorize' and completed_at is null and denied_at is null and step_expires_at > now()
    returning id
""")


def _json(prompt: Prompt) -> str:
    return json.dumps(asdict(prompt))


async def begin(  # noqa: PLR0913  (each by its name)
    tenant: Tenant,
    interaction_id: UUID,
    browser_hash: bytes,
    kind: str,
    client_id: UUID | None,
    parameters: dict[str, str],
    prompt: Prompt,
    *,
    step: timedelta,
    total: timedelta,
) -> None:
    await tenant.once(
        _BEGIN,
        {
            "id": interaction_id,
            "browser_hash": browser_hash,
            "kind": kind,
            "client_id": client_id,
            "parameters": json.dumps(parameters),
            "prompt": _json(prompt),
            "step": step,
            "total": total,
        },
    )


async def move(
    tenant: Tenant, interaction_id: UUID, browser_hash: bytes, prompt: Prompt, step: timedelta
) -> bool:
    rows = await tenant.once(
        _MOVE,
        {"id": interaction_id, "browser_hash": browser_hash, "prompt": _json(prompt), "step": step},
    )
    return bool(rows)


async def load(tenant: Tenant, interaction_id: UUID, browser_hash: bytes) -> Interaction | None:
    rows = await tenant.once(_LOAD, {"id": interaction_id, "browser_hash": browser_hash})
    if not rows:
        return None
    row = rows[0]
    return Interaction(
        id=row.id,
        kind=row.kind,
        client_id=row.client_id,
        prompt=Prompt.from_json(row.prompt),
        session_id=row.session_id,
        step_expires_at=row.step_expires_at,
    )


async def cancel(tenant: Tenant, interaction_id: UUID, browser_hash: bytes) -> None:
    await tenant.once(_CANCEL, {"id": interaction_id, "browser_hash": browser_hash})


async def decline(tenant: Tenant, interaction_id: UUID, browser_hash: bytes) -> bool:
    """Write into what an application asked for that it is not to have it; False if it has ended."""
    rows = await tenant.once(_DECLINE, {"id": interaction_id, "browser_hash": browser_hash})
    return bool(rows)


async def note_authenticated(
    db: Connection, interaction_id: UUID, browser_hash: bytes, session_id: UUID, *, selected: bool
) -> bool:
    """Write into the interaction who was proved in it; False if it has ended."""
    result = await db.execute(
        text("""
            update insula.interactions
               set session_id = :session_id,
                   -- choosing an account proves nothing; proof of another account is not this one's
                   authenticated_at = case when not :selected then now()
                                           when session_id = :session_id then authenticated_at end,
                   selected_at = now(),
                   step_expires_at = least(now() + interval '10 minutes', expires_at)
             where id = :id and browser_hash = :browser_hash and completed_at is null
               and denied_at is null and step_expires_at > now()
        """),
        {
            "id": interaction_id,
            "browser_hash": browser_hash,
            "session_id": session_id,
            "selected": selected,
        },
    )
    return result.rowcount > 0


async def note_consent(
    db: Connection,
    interaction_id: UUID,
    browser_hash: bytes,
    session_id: UUID,
    scopes: Sequence[str] | None,
) -> bool:
    """Write the decision and whose it is into the interaction; None is a refusal."""
    result = await db.execute(
        text("""
            update insula.interactions
               set consented = :scopes, consented_by = :session_id, denied_at = case when :denied then now() end,
                   step_expires_at = least(now() + interval '10 minutes', expires_at)
             where id = :id and browser_hash = :browser_hash and completed_at is null
               and denied_at is null and step_expires_at > now()
        """),
        {
            "id": interaction_id,
            "browser_hash": browser_hash,
            "session_id": session_id,
            "scopes": None if scopes is None else list(scopes),
            "denied": scopes is None,
        },
    )
    return result.rowcount > 0
