"""/platform/stats and /platform/pool."""

from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import Count
from insula.management_api.platform.schemas import PlatformStats, Pool
from insula.management_api.rules import needs
from insula.tenants import registry

router = router_of("Platform")


@router.get(
    "/platform/stats",
    summary="Figures of the platform",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_platform_stats(caller: Calling) -> PlatformStats:
    platform = caller.parts.platform
    return PlatformStats(
        active=_counted(await registry.count(platform, status="active")),
        suspended=_counted(await registry.count(platform, status="suspended")),
        archived=_counted(await registry.count(platform, status="archived")),
        deleting=_counted(await registry.count(platform, status="deleting")),
    )


def _counted(n: int) -> Count:
    return Count(value=min(n, registry.MOST_COUNTED), exact=n <= registry.MOST_COUNTED)


@router.get("/platform/pool", summary="The provider pool", openapi_extra=needs("cross-tenant:read"))
async def show_pool(caller: Calling) -> Pool:
    """Of the process that answers: each has a pool of its own."""
    pool = caller.parts.pool
    return Pool(size=len(pool), max_size=pool.max_size, building=pool.building)
