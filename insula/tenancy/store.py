"""The registry as the serving role may read it: by name, one at a time, and what changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from insula.kernel.db import Database
from insula.tenancy.db import Doors, Tenant
from insula.tenancy.models import Naming


async def find(doors: Doors, naming: Naming, name: str) -> Tenant | None:
    """The tenant of 'slug:…' or 'host:…'; None when there is none, for whatever reason."""
    rows = await doors.database.fetch(
        "select id, slug, display_name, status, version, hosts, primary_host, settings,"
        " platform_settings, images from insula.find_tenant(%(name)s)",
        {"name": name},
    )
    if not rows:
        return None
    row = rows[0]
    host = row.primary_host or naming.host(row.slug)
    return Tenant(
        id=row.id,
        slug=row.slug,
        display_name=row.display_name,
        status=row.status,
        version=row.version,
        hosts=tuple(row.hosts),
        host=host,
        issuer=naming.origin(host),
        _doors=doors,
        settings=row.settings,
        platform_settings=doors.platform_settings(row.platform_settings),
        images={digest: (size[0], size[1]) for digest, size in row.images.items()},
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids and versions of tenants that changed since a mark; *gap* when that cannot be said."""

    tenants: Sequence[tuple[UUID, int]]
    mark: str
    gap: bool


async def changes_since(database: Database, mark: str) -> Changes:
    """What changed since *mark*, and the next mark."""
    rows = await database.fetch(
        "select tenant_id, version, next_mark, gap from insula.changes_since(%(mark)s)",
        {"mark": mark},
    )
    changed = [(row.tenant_id, row.version) for row in rows if row.tenant_id is not None]
    return Changes(changed, rows[0].next_mark, rows[0].gap)
