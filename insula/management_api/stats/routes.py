"""GET /stats: counted up to a bound, never over everything (features.md CR-9)."""

from datetime import UTC, datetime, timedelta

from insula.accounts import service as accounts
from insula.audit import service as audit
from insula.audit.models import Wanted
from insula.clients import service as clients
from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import Count
from insula.management_api.rules import needs
from insula.management_api.stats.schemas import Stats
from insula.sign_in.administration import service as sign_in

router = router_of("Figures")

_MOST = 10_000


@router.get("/stats", summary="Figures of the tenant", openapi_extra=needs("stats:read"))
async def show_stats(caller: Calling) -> Stats:
    """A figure that is not exact is that of what was looked at: there are at least so many."""
    day = datetime.now(UTC) - timedelta(days=1)
    async with caller.tenant.transaction() as db:
        return Stats(
            users=_bounded(await accounts.count(db, most=_MOST + 1)),
            clients=_bounded(await clients.count(db, most=_MOST + 1)),
            active_sessions=_count(*await sign_in.count_alive(db, most=_MOST)),
            active_grants=_count(*await sign_in.count_allowed(db, most=_MOST)),
            sign_ins_24h=_count(
                *await audit.count(db, Wanted(event="user.logged_in", since=day), most=_MOST)
            ),
            failed_sign_ins_24h=_count(
                *await audit.count(db, Wanted(event="user.login_failed", since=day), most=_MOST)
            ),
        )


def _bounded(n: int) -> Count:
    return Count(value=min(n, _MOST), exact=n <= _MOST)


def _count(n: int, exact: bool) -> Count:  # noqa: FBT001  (two halves of one answer)
    return Count(value=n, exact=exact)
