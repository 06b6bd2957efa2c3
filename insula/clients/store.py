"""All SQL on clients and client_secrets."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from insula.oidc.models import BY_STRICTNESS, Profile
from insula.tenancy.db import Connection, PlatformSettings, Row, Tenant, statement

#: The section of settings that bounds profiles.
_FEATURES = "oidc.features"
#: Whoever is paused is active in all that asks whether something lives still.
_STATUS = (
    "case when status = 'active' and paused_at is not null then 'paused' else status end as status"
)

_FIND = statement("""
    select c.id, c.client_id, c.name, c.metadata, c.paused_at is not null as is_paused,
           c.origin = 'dynamic' as is_dynamic,
           c.origin = 'administrator' or c.verified_at is not null as is_verified,
           (select encode(l.digest, 'hex') from insula.client_logos l
             where l.tenant_id = c.tenant_id and l.client_id = c.id) as logo,
           coalesce((select jsonb_agg(jsonb_build_array(encode(s.digest, 'hex'),
                                                        extract(epoch from s.expires_at)))
                       from insula.client_secrets s
                      where s.tenant_id = c.tenant_id and s.client_id = c.id
                        and (s.expires_at is null or s.expires_at > now())), '[]') as secrets
      from insula.clients c
     where c.tenant_id = %(tenant_id)s and c.client_id = %(client_id)s and c.status = 'active'
""")

_ORIGINS = statement("""
    select distinct o.origin
      from insula.clients c
     cross join lateral jsonb_array_elements_text(c.metadata -> 'allowed_origins') o(origin)
     where c.tenant_id = %(tenant_id)s and c.status = 'active'
""")


async def find_active(tenant: Tenant, client_id: str) -> Row | None:
    rows = await tenant.once(_FIND, {"client_id": client_id})
    return rows[0] if rows else None


async def origins(tenant: Tenant) -> Sequence[str]:
    return [row.origin for row in await tenant.once(_ORIGINS, {})]


async def insert(
    db: Connection, client_id: str, name: str, metadata: dict[str, Any]
) -> UUID | None:
    """The new row's id; None if the client_id is taken."""
    try:
        async with db.begin_nested():
            new: UUID = (
                await db.execute(
                    text("""
                        insert into insula.clients (client_id, name, metadata)
                        values (:client_id, :name, cast(:metadata as jsonb)) returning id
                    """),
                    {"client_id": client_id, "name": name, "metadata": json.dumps(metadata)},
                )
            ).scalar_one()
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        return None
    return new


async def is_marked(db: Connection, client: UUID, setting: str) -> bool:
    """Whether an active client has a setting on."""
    found = await db.execute(
        text("""
            select 1 from insula.clients
             where id = :client and status = 'active' and metadata -> :setting = 'true'
        """),
        {"client": client, "setting": setting},
    )
    return found.first() is not None


async def insert_secret(
    db: Connection, client: UUID, digest: bytes, expires_in: timedelta | None
) -> None:
    await db.execute(
        text("""
            insert into insula.client_secrets (client_id, digest, expires_at)
            values (:client, :digest, now() + cast(:expires_in as interval))
        """),
        {"client": client, "digest": digest, "expires_in": expires_in},
    )


async def keep_newest_secret(db: Connection, client: UUID) -> None:
    """End the live secrets of a client but the newest one: there are two at most (H03)."""
    await db.execute(
        text("""
            update insula.client_secrets set expires_at = now()
             where client_id = :client and (expires_at is null or expires_at > now())
               and id <> (select s.id from insula.client_secrets s where s.client_id = :client
                           order by s.created_at desc, s.id limit 1)
        """),
        {"client": client},
    )


async def end_secrets(db: Connection, client: UUID, overlap: timedelta) -> int:
    """Let the client's secrets of today end after *overlap*; how many."""
    result = await db.execute(
        text("""
            update insula.client_secrets set expires_at = now() + :overlap
             where client_id = :client and (expires_at is null or expires_at > now() + :overlap)
        """),
        {"client": client, "overlap": overlap},
    )
    return result.rowcount


async def active_algorithms(db: Connection) -> frozenset[str]:
    """What the bound tenant has a signing key for."""
    rows = await db.execute(text("select alg from insula.signing_keys where state = 'active'"))
    return frozenset(row.alg for row in rows)


async def loosest_profile(db: Connection, supposed: PlatformSettings | None = None) -> Profile:
    """
    The loosest profile that a client of the bound tenant may have, as settings and bounds say.

    *supposed* are those of the platform if they are not the stored ones.
    """
    row = (
        await db.execute(
            text("""
                select (select t.value from insula.tenant_settings t where t.section = :section) as own,
                       (select jsonb_build_object('value', p.value, 'bounds', p.bounds)
                          from insula.platform_settings p where p.section = :section) as platform
            """),
            {"section": _FEATURES},
        )
    ).one()
    platform = (row.platform if supposed is None else supposed.get(_FEATURES)) or {}
    values = {**platform.get("value", {}), **(row.own or {})}
    said = (part.get("loosest_profile") for part in (values, platform.get("bounds", {})))
    return max(
        (each for each in said if each in BY_STRICTNESS), key=BY_STRICTNESS.index, default="legacy"
    )


async def resource_servers(db: Connection, identifiers: Sequence[str]) -> frozenset[str]:
    """Those of *identifiers* that the bound tenant has, held until the transaction ends."""
    rows = await db.execute(
        text("""
            select identifier from insula.resource_servers
             where identifier = any(:identifiers) for share
        """),
        {"identifiers": list(identifiers)},
    )
    return frozenset(row.identifier for row in rows)


async def lock_using(
    db: Connection, scopes: Sequence[str], resources: Sequence[str]
) -> Sequence[Row]:
    """Clients that have one of these scopes or resource servers, until the transaction ends."""
    return (
        await db.execute(
            text(f"""
                select id, client_id, name, {_STATUS}, metadata from insula.clients c
                 where c.metadata -> 'scopes' ?| cast(:scopes as text[])
                    or c.metadata -> 'default_scopes' ?| cast(:scopes as text[])
                    or c.metadata -> 'resources' ?| cast(:resources as text[])
                    or c.metadata ->> 'default_resource' = any(cast(:resources as text[]))
                    or exists (select from jsonb_array_elements(c.metadata -> 'exchange_policies') p
                                where p ->> 'to_audience' = any(cast(:resources as text[]))
                                   or p ->> 'from_audience' = any(cast(:resources as text[])))
                 order by client_id for update
            """),  # noqa: S608  (words of ours)
            {"scopes": list(scopes), "resources": list(resources)},
        )
    ).all()


async def known(db: Connection, client_ids: Sequence[str]) -> frozenset[str]:
    """Those of *client_ids* that the bound tenant has."""
    rows = await db.execute(
        text("select client_id from insula.clients where client_id = any(:client_ids)"),
        {"client_ids": list(client_ids)},
    )
    return frozenset(row.client_id for row in rows)


async def end_requests(db: Connection, client: UUID) -> None:
    """Codes that nobody has redeemed and pushed requests that nobody has completed end."""
    await db.execute(
        text("""
            update insula.authorization_codes set expires_at = now()
             where client_id = :client and consumed_at is null and expires_at > now()
        """),
        {"client": client},
    )
    await db.execute(
        text("""
            update insula.pushed_requests set completed_at = now()
             where client_id = :client and completed_at is null
        """),
        {"client": client},
    )


async def verify(db: Connection, client: UUID, *, verified: bool) -> None:
    await db.execute(
        text("""
            update insula.clients set verified_at = case when :verified then now() end, updated_at = now()
             where id = :client
        """),
        {"client": client, "verified": verified},
    )


async def adopt(db: Connection, client: UUID) -> None:
    """A client that registered itself is an administrator's from now on (DR-13)."""
    await db.execute(
        text("""
            update insula.clients set adopted_at = coalesce(adopted_at, now()), updated_at = now()
             where id = :client and origin = 'dynamic'
        """),
        {"client": client},
    )


async def find(db: Connection, client_id: str, *, hold: bool = True) -> Row | None:
    """A client; held, nobody else changes it before the transaction ends."""
    lock = "for update" if hold else ""
    return (
        await db.execute(
            text(f"""
                select id, client_id, name, {_STATUS}, metadata, origin, verified_at, updated_at
                  from insula.clients where client_id = :client_id {lock}
            """),  # noqa: S608  (words of ours)
            {"client_id": client_id},
        )
    ).one_or_none()


async def update(
    db: Connection, client: UUID, name: str, status: str, metadata: dict[str, Any]
) -> None:
    await db.execute(
        text("""
            update insula.clients
               set name = :name, status = case when :status = 'inactive' then 'inactive' else 'active' end,
                   paused_at = case when :status = 'paused' then coalesce(paused_at, now()) end,
                   metadata = cast(:metadata as jsonb), updated_at = now()
             where id = :client
        """),
        {"client": client, "name": name, "status": status, "metadata": json.dumps(metadata)},
    )


async def delete(db: Connection, client: UUID) -> None:
    await db.execute(text("delete from insula.clients where id = :client"), {"client": client})


async def count(db: Connection, most: int) -> int:
    n: int = (
        await db.execute(
            text("select count(*) from (select from insula.clients limit :most) found"),
            {"most": most},
        )
    ).scalar_one()
    return n


async def page(db: Connection, after: str, limit: int) -> Sequence[Row]:
    """Clients by client_id, after one; for lists."""
    return (
        await db.execute(
            text(f"""
                select id, client_id, name, {_STATUS}, metadata, origin, verified_at, created_at
                  from insula.clients
                 where client_id > :after order by client_id limit :limit
            """),  # noqa: S608  (words of ours)
            {"after": after, "limit": limit},
        )
    ).all()
