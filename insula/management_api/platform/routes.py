"""/platform/stats and /platform/pool."""

from insula.figures import service as figures
from insula.management_api.blocks import figure, series
from insula.management_api.guard import Calling, router_of
from insula.management_api.platform.schemas import PlatformStats, Pool
from insula.management_api.rules import needs
from insula.registry import service as registry
from insula.tenancy.db import Platform

router = router_of("Platform")


@router.get(
    "/platform/stats",
    summary="Figures of the platform",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_platform_stats(caller: Calling) -> PlatformStats:
    """Each figure stands by itself: one that cannot be had carries `error`."""
    platform = caller.parts.platform
    await caller.parts.keeper.freshen()
    return PlatformStats(
        active=await figure("active", _counted(platform, "active")),
        suspended=await figure("suspended", _counted(platform, "suspended")),
        archived=await figure("archived", _counted(platform, "archived")),
        deleting=await figure("deleting", _counted(platform, "deleting")),
        sign_ins=await series("sign_ins", figures.sign_ins_of_all(platform)),
        tenants_made=await series("tenants_made", figures.tenants_made(platform)),
        pool=await series("pool", figures.pool_use(platform)),
    )


async def _counted(platform: Platform, status: str) -> tuple[int, bool]:
    return (await registry.totals(platform)).get(status, 0), True


@router.get("/platform/pool", summary="The provider pool", openapi_extra=needs("cross-tenant:read"))
async def show_pool(caller: Calling) -> Pool:
    """Of the process that answers: each has a pool of its own."""
    pool = caller.parts.pool
    return Pool(size=len(pool), max_size=pool.max_size, building=pool.building)
