"""GET /stats: kept counts, and counts up to a bound, never over everything (features.md CR-9)."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from insula.accounts import service as accounts
from insula.audit import service as audit
from insula.audit.models import Wanted
from insula.clients import service as clients
from insula.figures import service as figures
from insula.management_api.blocks import figure, series
from insula.management_api.guard import Calling, router_of
from insula.management_api.rules import needs
from insula.management_api.stats.schemas import Stats
from insula.sign_in.administration import service as sign_in
from insula.tenancy.db import Connection, Tenant

router = router_of("Figures")

T = TypeVar("T")
_MOST = 10_000


@router.get("/stats", summary="Figures of the tenant", openapi_extra=needs("stats:read"))
async def show_stats(caller: Calling) -> Stats:
    """
    A figure that is not exact is that of what was looked at: there are at least so many.

    Each stands by itself: one that cannot be had carries `error`.
    """
    tenant = caller.tenant
    day = datetime.now(UTC) - timedelta(days=1)
    await caller.parts.keeper.freshen()

    async def counted(event: str) -> tuple[int, bool]:
        return await _within(
            tenant, lambda db: audit.count(db, Wanted(event=event, since=day), most=_MOST)
        )

    return Stats(
        users=await figure("users", _bounded(tenant, accounts.count)),
        clients=await figure("clients", _bounded(tenant, clients.count)),
        active_sessions=await figure(
            "active_sessions", _within(tenant, lambda db: sign_in.count_alive(db, most=_MOST))
        ),
        active_grants=await figure(
            "active_grants", _within(tenant, lambda db: sign_in.count_allowed(db, most=_MOST))
        ),
        sign_ins_24h=await figure("sign_ins_24h", counted("user.logged_in")),
        failed_sign_ins_24h=await figure("failed_sign_ins_24h", counted("user.login_failed")),
        sign_ins=await series("sign_ins", _within(tenant, figures.sign_ins)),
    )


async def _within(tenant: Tenant, work: Callable[[Connection], Awaitable[T]]) -> T:
    """In a transaction of its own, so that a figure that fails breaks no other."""
    async with tenant.transaction() as db:
        return await work(db)


async def _bounded(tenant: Tenant, count: Callable[..., Awaitable[int]]) -> tuple[int, bool]:
    n = await _within(tenant, lambda db: count(db, most=_MOST + 1))
    return min(n, _MOST), n <= _MOST
