"""How the installation runs."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.figures import service as figures
from insula.platform_admin.charts import chart_of
from insula.platform_admin.guard import Panel
from insula.registry import service as registry
from insula.registry.models import Cursor, Filter

_LIMIT = 25
_SHOWN = 10
_KEYS = "/platform/keys"


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(_KEYS, show_keys),
        panel.page("/platform/pool", show_pool),
        panel.page("/platform/deployment", show_deployment),
    ]


async def show_keys(panel: Panel, request: Request, session: AdminSession) -> Response:
    """Keys of a page of tenants, and above them what is late, waits, comes and was revoked."""
    wanted = Filter.read(request.query_params.get("q", ""), [], "")
    cursor = Cursor.read(request.query_params.get("at", ""))
    page = await registry.page(panel.platform, wanted, cursor, _LIMIT)

    def address(at: Cursor | None) -> str:
        if at is None:
            return ""
        pairs = {"at": at.write()} | ({"q": wanted.search} if wanted.search else {})
        return f"{_KEYS}?{urlencode(pairs)}"

    return panel.show(
        request,
        session,
        "keys.html",
        current="Keys",
        wanted=wanted,
        lines=page.lines,
        keys=await registry.keys_of(panel.platform, page.lines),
        rotations=await registry.rotations(panel.platform, _SHOWN),
        total=page.total,
        previous=address(page.previous),
        following=address(page.following),
    )


async def show_pool(panel: Panel, request: Request, session: AdminSession) -> Response:
    await panel.keeper.freshen()
    use = await figures.attempt("pool", figures.pool_use(panel.platform))
    return panel.show(
        request,
        session,
        "pool.html",
        current="Pool",
        pool=panel.installation.pool(),
        use=chart_of(use, "found in memory", "had to be built"),
    )


async def show_deployment(panel: Panel, request: Request, session: AdminSession) -> Response:
    """What is in force, where each value came from, and never a secret."""
    revision, server = await registry.schema(panel.platform)
    here = panel.installation
    return panel.show(
        request,
        session,
        "deployment.html",
        current="Deployment",
        variables=here.variables(),
        warnings=[(text.partition(": ")[0], text.partition(": ")[2]) for text in here.warnings()],
        facts=[
            ("Release", here.release),
            ("PostgreSQL", server),
            ("Schema", revision),
            ("Events", here.events()),
            ("Base domain", panel.naming.base),
            ("Own tenants", "default, _platforms, _ops"),
        ],
    )
