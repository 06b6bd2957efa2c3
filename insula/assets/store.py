"""All SQL on assets."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from insula.assets.models import Asset, Drawn
from insula.tenancy.db import Connection, Row, Tenant, statement

_COLUMNS = """
    id, kind, media_type, digest, width, height, octet_length(image) as size, created_by, created_at"""

_IMAGE = statement("""
    select media_type, image from insula.assets
     where tenant_id = %(tenant_id)s and digest = %(digest)s::bytea
""")


def _asset(row: Row) -> Asset:
    facts: dict[str, Any] = row._asdict()
    return Asset(**{**facts, "digest": bytes(row.digest)})


async def image(tenant: Tenant, digest: bytes) -> tuple[str, bytes] | None:
    """Media type and bytes of an image of the tenant; one trip."""
    rows = await tenant.once(_IMAGE, {"digest": digest})
    return (rows[0].media_type, bytes(rows[0].image)) if rows else None


async def image_in(db: Connection, digest: bytes) -> tuple[str, bytes] | None:
    """The same for the tenant that a transaction is bound to."""
    row = (
        await db.execute(
            text("select media_type, image from insula.assets where digest = :digest"),
            {"digest": digest},
        )
    ).one_or_none()
    return (row.media_type, bytes(row.image)) if row else None


async def hold(db: Connection) -> None:
    """Nobody else adds an image to the bound tenant before the transaction ends."""
    await db.execute(
        text("select from insula.tenants where id = insula.current_tenant() for no key update")
    )


async def count(db: Connection, most: int) -> int:
    """How many images the bound tenant keeps, counted no further than *most*."""
    found: int = (
        await db.execute(
            text("select count(*) from (select from insula.assets limit :most) kept"),
            {"most": most},
        )
    ).scalar_one()
    return found


async def insert(
    db: Connection, kind: str, digest: bytes, drawn: Drawn, created_by: str
) -> Asset | None:
    """Keep an image of the bound tenant; None where it has the same one."""
    row = (
        await db.execute(
            text(f"""
                insert into insula.assets
                  (kind, media_type, digest, image, width, height, created_by, kept_until)
                values (:kind, :media_type, :digest, :image, :width, :height, :created_by,
                        now() + interval '7 days')
                on conflict (tenant_id, digest) do nothing
                returning {_COLUMNS}
            """),  # noqa: S608  (a constant)
            {
                "kind": kind,
                "media_type": drawn.media_type,
                "digest": digest,
                "image": drawn.image,
                "width": drawn.width,
                "height": drawn.height,
                "created_by": created_by,
            },
        )
    ).one_or_none()
    return _asset(row) if row else None


async def touch(db: Connection, digests: Sequence[bytes]) -> list[Asset]:
    """Which of these images the bound tenant has; they stay for another week at least."""
    rows = await db.execute(
        text(f"""
            update insula.assets
               set kept_until = greatest(kept_until, now() + interval '7 days')
             where digest = any (cast(:digests as bytea[])) returning {_COLUMNS}
        """),  # noqa: S608  (a constant)
        {"digests": list(digests)},
    )
    return [_asset(row) for row in rows]


async def find(db: Connection, asset: UUID) -> Asset | None:
    row = (
        await db.execute(
            text(f"select {_COLUMNS} from insula.assets where id = :asset"),  # noqa: S608  (a constant)
            {"asset": asset},
        )
    ).one_or_none()
    return _asset(row) if row else None


async def all_of(db: Connection, most: int) -> list[Asset]:
    """The bound tenant's images, newest first."""
    rows = await db.execute(
        text(f"select {_COLUMNS} from insula.assets order by created_at desc, id limit :most"),  # noqa: S608  (a constant)
        {"most": most},
    )
    return [_asset(row) for row in rows]


async def delete(db: Connection, asset: UUID) -> None:
    await db.execute(text("delete from insula.assets where id = :asset"), {"asset": asset})


async def is_used(db: Connection, path: str) -> bool:
    """Whether what the bound tenant has decided names this address."""
    found: bool = (
        await db.execute(
            text("""
                select exists (select from insula.tenant_settings s, jsonb_each(s.value) v
                                where v.value = to_jsonb(cast(:path as text)))
            """),
            {"path": path},
        )
    ).scalar_one()
    return found
