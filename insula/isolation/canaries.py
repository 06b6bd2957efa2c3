"""
The two tenants that the probe asks about.

They belong to the installation: protected, so that no list of `/platform` shows them and no name
of theirs can be had. For a request from outside there are none such, by whatever it names them
(`tenancy.resolution`); the probe's own application knows them, and nobody else.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from insula.isolation import store
from insula.isolation.models import Table
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Unavailable
from insula.keys import service as keys
from insula.keys.settings import KeyRotation
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
    if found is None or not found.is_active:
        await tenants.make_hidden(platform, slug, "Canary")
        directory.forget_all()
        found = await directory.find(f"slug:{slug}")
    if found is None or not found.is_active:
        raise Unavailable("a canary is missing", detail=slug)
    return found


def host_of(canary: Tenant) -> str:
    """The host that a canary has in the registry, where no request finds it."""
    return f"{canary.slug.strip('_')}.{_DOMAIN}"


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
            await store.plant_host(db, host_of(canary))
    if "host_proofs" in missing:
        async with platform.within(canary.id) as db:
            await store.plant_proof(db, host_of(canary))
    if "signing_keys" in missing:
        await keys.begin(canary, envelope, KeyRotation())
    for table, why in refused.items():
        _log.error("isolation.not_planted", table=table, why=why)
    return names - await _own(canary, tables)


async def _own(canary: Tenant, tables: Sequence[Table]) -> set[str]:
    return store.seen_in(await canary.once(store.one_trip(tables), {"whom": canary.id}))
