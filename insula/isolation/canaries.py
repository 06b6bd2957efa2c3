"""
The two tenants that the probe asks about.

They belong to the installation: protected, archived from birth, so that no host of theirs answers,
no list of `/platform` shows them and no name of theirs can be had. Their slugs are none that a
request could name.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from insula.isolation import store
from insula.isolation.models import Table
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Unavailable
from insula.tenancy.db import Platform, Tenant
from insula.tenancy.directory import Directory
from insula.tenancy.models import CANARIES
from insula.tenants import service as tenants

_log = structlog.get_logger(__name__)

#: A name that no name server gives (RFC 2606).
_DOMAIN: Final = "canary.invalid"


async def both(platform: Platform, directory: Directory) -> tuple[Tenant, Tenant]:
    """The canaries, made if that has not happened yet. Raises `Unavailable`."""
    first, second = [await _one(platform, directory, slug) for slug in CANARIES]
    return first, second


async def _one(platform: Platform, directory: Directory, slug: str) -> Tenant:
    found = await directory.find(f"slug:{slug}")
    if found is None:
        await tenants.make_hidden(platform, slug, "Canary")
        directory.forget_all()
        found = await directory.find(f"slug:{slug}")
    if found is None:
        raise Unavailable("a canary is missing", detail=slug)
    return found


async def plant(
    canary: Tenant, platform: Platform, envelope: Envelope, tables: Sequence[Table]
) -> set[str]:
    """See to it that the canary has a row in each of the *tables*; those in which it has none."""
    names = {each.name for each in tables}
    missing = names - await _own(canary, tables)
    if not missing:
        return set()
    async with canary.transaction() as db:
        if "tenant_data_keys" in missing:
            await store.plant_data_key(db, envelope.new_data_key(canary.id))
        refused = await store.plant(db, missing)
    if "tenant_hosts" in missing:
        async with platform.within(canary.id) as db:
            await store.plant_host(db, f"{canary.slug.strip('_')}.{_DOMAIN}")
    if "host_proofs" in missing:
        async with platform.within(canary.id) as db:
            await store.plant_proof(db, f"{canary.slug.strip('_')}.{_DOMAIN}")
    for table, why in refused.items():
        _log.error("isolation.not_planted", table=table, why=why)
    return names - await _own(canary, tables)


async def _own(canary: Tenant, tables: Sequence[Table]) -> set[str]:
    return store.seen_in(await canary.once(store.one_trip(tables), {"whom": canary.id}))
