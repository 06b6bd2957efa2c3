"""GET /platform/isolation (BEY-1)."""

from insula.isolation import service
from insula.management_api.guard import Calling, router_of
from insula.management_api.isolation.schemas import Isolation, Run
from insula.management_api.rules import needs

router = router_of("Platform")

_MOST_FAILED = 10


@router.get(
    "/platform/isolation",
    summary="The proof that tenants are apart",
    openapi_extra=needs("cross-tenant:read"),
)
async def show_isolation(caller: Calling) -> Isolation:
    """What the probe between two tenants of the installation itself found, signed."""
    platform = caller.parts.platform
    newest = await service.newest(platform, 1)
    run = newest[0] if newest else None
    failed = await service.newest(platform, _MOST_FAILED, failed=True)
    return Isolation(
        standing=service.standing_of(run),
        passed_at=run.passed_at if run else None,
        failures_so_far=run.failures_so_far if run else 0,
        newest=Run.of(run) if run else None,
        failed=[Run.of(each) for each in failed],
    )
