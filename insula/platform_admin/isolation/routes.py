"""Whether tenants are apart."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.isolation import service
from insula.isolation.models import Bound, Door, Run
from insula.platform_admin.guard import Panel

PATH: Final = "/platform/isolation"
_RUNS: Final = 20

#: How each door is called on the page, and who stands before it.
_DOORS: Final[tuple[tuple[Door, str], ...]] = (
    ("app_once", "Serving role, one trip"),
    ("app_transaction", "Serving role, transaction"),
    ("platform", "Platform's role"),
)
_BOUND: Final[tuple[tuple[Bound, str], ...]] = (
    ("other", "another tenant bound"),
    ("nobody", "no tenant bound"),
)
_WEB: Final = "http"


def routes(panel: Panel) -> list[Route]:
    return [panel.page(PATH, show_isolation)]


def _asked(run: Run | None) -> Sequence[tuple[str, str, list[str]]]:
    """Each door, who was bound or asked, and what of another tenant came through."""
    failures = run.failures if run else ()
    return [
        *(
            (name, who, [c.table for c in failures if (c.door, c.bound) == (door, bound)])
            for door, name in _DOORS
            for bound, who in _BOUND
        ),
        ("HTTP", "another tenant's host", [c.table for c in failures if c.door == _WEB]),
    ]


async def show_isolation(panel: Panel, request: Request, session: AdminSession) -> Response:
    runs = await service.newest(panel.platform, _RUNS)
    newest = runs[0] if runs else None
    return panel.show(
        request,
        session,
        "isolation.html",
        current="Isolation",
        standing=service.standing_of(newest),
        newest=newest,
        asked=_asked(newest),
        runs=runs,
        failed=await service.newest(panel.platform, _RUNS, failed=True),
    )
