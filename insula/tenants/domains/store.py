"""All SQL on login domains and their proofs; over the platform's door but for `file_of`."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from insula.tenancy.db import Connection, Platform, Row, Statement, statement
from insula.tenants.domains.models import REST_DAYS, Domain, Method, ProvenBy

_DOMAINS: Final = """
    select p.id, coalesce(p.host, h.host) as host, coalesce(p.method, 'dns') as method,
           coalesce(p.token, '') as token, h.host is not null as is_held,
           coalesce(h.is_primary, false) as is_primary,
           coalesce(p.primary_wanted, false) as primary_wanted, h.lapsed_at,
           case when p.id is null then 'admin_override' else p.proven_by end as proven_by,
           coalesce(p.proven_at, h.created_at) as proven_at, p.override_reason, p.checked_at,
           coalesce(p.found, '') as found, coalesce(p.failures, 0) as failures,
           coalesce(p.silences, 0) as silences, coalesce(p.created_at, h.created_at) as created_at
      from (select * from insula.host_proofs) p
      full join (select * from insula.tenant_hosts) h
        on h.tenant_id = p.tenant_id and h.host = p.host"""


async def listed(db: Connection) -> list[Domain]:
    """The bound tenant's domains by name, those that are being proven among them."""
    rows = await db.execute(text(f"{_DOMAINS} order by 2"))
    return [Domain(**row._asdict()) for row in rows]


async def find(db: Connection, host: str) -> Domain | None:
    rows = await db.execute(
        text(f"{_DOMAINS} where p.host = :host or h.host = :host"), {"host": host}
    )
    row = rows.one_or_none()
    return Domain(**row._asdict()) if row else None


async def of_proof(db: Connection, proof: UUID) -> Domain | None:
    """The domain that a job names by its proof."""
    rows = await db.execute(text(f"{_DOMAINS} where p.id = :id"), {"id": proof})
    row = rows.one_or_none()
    return Domain(**row._asdict()) if row else None


async def count(db: Connection, most: int) -> int:
    """How many domains are proven or being proven, and no more than *most*."""
    n: int = (
        await db.execute(
            text("select count(*) from (select from insula.host_proofs limit :most) x"),
            {"most": most},
        )
    ).scalar_one()
    return n


async def add_proof(
    db: Connection, host: str, method: Method, token: str, *, primary: bool
) -> bool:
    """Begin to prove a domain; False if that has begun already."""
    result = await db.execute(
        text("""
            insert into insula.host_proofs (host, method, token, primary_wanted)
            values (:host, :method, :token, :primary) on conflict do nothing
        """),
        {"host": host, "method": method, "token": token, "primary": primary},
    )
    return result.rowcount > 0


async def add_missing_proof(db: Connection, host: str, token: str) -> None:
    """Give a domain that an older release has given a proof of its own."""
    await db.execute(
        text("""
            insert into insula.host_proofs (host, method, token, proven_by, proven_at)
            select h.host, 'dns', :token, 'admin_override', h.created_at
              from insula.tenant_hosts h where h.host = :host
            on conflict do nothing
        """),
        {"host": host, "token": token},
    )


async def note_good(
    db: Connection, host: str, by: ProvenBy, reason: str | None, *, checked: bool
) -> None:
    await db.execute(
        text("""
            update insula.host_proofs
               set proven_by = :by, proven_at = now(), override_reason = :reason, found = '',
                   failures = 0, silences = 0, primary_wanted = false,
                   checked_at = case when :checked then now() else checked_at end
             where host = :host
        """),
        {"host": host, "by": by, "reason": reason, "checked": checked},
    )


async def note_bad(db: Connection, host: str, found: str, failures: int, silences: int) -> None:
    await db.execute(
        text("""
            update insula.host_proofs
               set checked_at = now(), found = :found, failures = :failures, silences = :silences
             where host = :host
        """),
        {"host": host, "found": found, "failures": failures, "silences": silences},
    )


async def want_primary(db: Connection, host: str) -> None:
    """Let *host* alone be the one that is to be the issuer's once it is proven."""
    await db.execute(
        text("""
            update insula.host_proofs set primary_wanted = (host = :host)
             where primary_wanted or host = :host
        """),
        {"host": host},
    )


async def holder(db: Connection, host: str) -> Row | None:
    """Whose proven domain *host* is, and since when its proof has lapsed."""
    return (
        await db.execute(
            text("""
                select tenant_id, lapsed_at, insula.current_tenant() as mine,
                       coalesce(lapsed_at < now() - make_interval(days => cast(:rest as integer)), false) as is_free
                  from insula.holder_of_host(:host)
            """),
            {"host": host, "rest": REST_DAYS},
        )
    ).one_or_none()


async def rests_until(db: Connection, host: str) -> datetime | None:
    """Until when *host* can be no tenant's but its former holder's; None if the bound may have it."""
    found: datetime | None = await db.scalar(
        text("""
            select released_at + make_interval(days => cast(:rest as integer)) from insula.released_hosts
             where host_digest = :digest and former <> insula.current_tenant() and released_at > now() - make_interval(days => cast(:rest as integer))
        """),
        {"digest": _digest(host), "rest": REST_DAYS},
    )
    return found


async def forget_rest(db: Connection, host: str) -> bool:
    """Let *host* rest no longer; whether it did."""
    result = await db.execute(
        text("delete from insula.released_hosts where host_digest = :digest"),
        {"digest": _digest(host)},
    )
    return result.rowcount > 0


async def forget_rested(db: Connection, batch: int) -> int:
    """Forget some domains that have rested long enough; how many."""
    result = await db.execute(
        text("""
            delete from insula.released_hosts where host_digest in (
              select host_digest from insula.released_hosts where released_at <= now() - make_interval(days => cast(:rest as integer))
               order by released_at limit :batch)
        """),
        {"batch": batch, "rest": REST_DAYS},
    )
    return int(result.rowcount)


def _digest(host: str) -> bytes:
    """What is kept of a domain that rests, as the trigger writes it."""
    return hashlib.sha256(host.encode("ascii")).digest()


async def add_host(db: Connection, host: str) -> bool:
    """Let a host lead to the bound tenant; False if any tenant has it."""
    try:
        async with db.begin_nested():
            await db.execute(
                text("insert into insula.tenant_hosts (host, is_primary) values (:host, false)"),
                {"host": host},
            )
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return False
    return True


async def take_lapsed(db: Connection, host: str) -> bool:
    """Take from the bound tenant a domain whose proof lapsed long ago; False if it is back."""
    result = await db.execute(
        text("""
            delete from insula.tenant_hosts
             where host = :host and lapsed_at < now() - make_interval(days => cast(:rest as integer))
        """),
        {"host": host, "rest": REST_DAYS},
    )
    return result.rowcount > 0


async def set_lapsed(db: Connection, host: str, *, lapsed: bool) -> None:
    await db.execute(
        text("""
            update insula.tenant_hosts
               set lapsed_at = case when :lapsed then coalesce(lapsed_at, now()) end
             where host = :host
        """),
        {"host": host, "lapsed": lapsed},
    )


async def remove(db: Connection, host: str) -> bool:
    """Take a domain and its proof away; False if the bound tenant has neither."""
    proofs = await db.execute(
        text("delete from insula.host_proofs where host = :host"), {"host": host}
    )
    hosts = await db.execute(
        text("delete from insula.tenant_hosts where host = :host"), {"host": host}
    )
    return bool(proofs.rowcount or hosts.rowcount)


async def set_primary(db: Connection, host: str | None) -> bool:
    """
    Make *host* the primary one, or none; False if it does not lead to the bound tenant.

    No other is wanted any more: a domain that is proven later changes nothing about this.
    """
    await db.execute(text("update insula.tenant_hosts set is_primary = false where is_primary"))
    await db.execute(
        text("update insula.host_proofs set primary_wanted = false where primary_wanted")
    )
    if host is None:
        return True
    result = await db.execute(
        text("""
            update insula.tenant_hosts set is_primary = true
             where host = :host and lapsed_at is null
        """),
        {"host": host},
    )
    return result.rowcount > 0


async def due(platform: Platform, after: tuple[UUID, UUID], batch: int) -> Sequence[Row]:
    """Proofs that must be looked at anew, after a place in the order of their ids."""
    return await platform.fetch(
        "select tenant_id, id from insula.host_proofs_due(%(tenant)s, %(id)s, %(batch)s)",
        {"tenant": after[0], "id": after[1], "batch": batch},
    )


async def in_doubt(db: Connection, most: int) -> Sequence[Row]:
    """Domains of active tenants whose proof fails, those that name an issuer first."""
    rows = await db.execute(
        text("select slug, host, is_primary, lapsed_at from insula.hosts_in_doubt(:most)"),
        {"most": most},
    )
    return rows.all()


#: Whether the bound tenant proves *host* with *token*, for the file that its host serves.
FILE: Final[Statement] = statement("""
    select true as is_there from insula.host_proofs p
      join insula.tenant_hosts h on h.tenant_id = p.tenant_id and h.host = p.host
     where p.tenant_id = %(tenant_id)s and p.host = %(host)s::text and p.token = %(token)s::text
       and h.lapsed_at is null
""")
