"""/platform/stats and /platform/pool."""

from insula.figures import service as figures
from insula.management_api.blocks import Figure, figure_of, series
from insula.management_api.guard import Calling, router_of
from insula.management_api.platform.schemas import PlatformStats, Pool
from insula.management_api.rules import needs
from insula.registry import service as registry

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
    totals = await figures.attempt("totals", registry.totals(platform))

    def counted(status: str) -> Figure:
        return figure_of(None if totals is None else (totals.get(status, 0), True))

    return PlatformStats(
        active=counted("active"),
        suspended=counted("suspended"),
        archived=counted("archived"),
        deleting=counted("deleting"),
        sign_ins=await series("sign_ins", figures.sign_ins_of_all(platform)),
        tenants_made=await series("tenants_made", figures.tenants_made(platform)),
        pool=await series("pool", figures.pool_use(platform)),
    )


@router.get("/platform/pool", summary="The provider pool", openapi_extra=needs("cross-tenant:read"))
async def show_pool(caller: Calling) -> Pool:
    """Of the process that answers: each has a pool of its own."""
    pool = caller.parts.pool
    return Pool(size=len(pool), max_size=pool.max_size, building=pool.building)
