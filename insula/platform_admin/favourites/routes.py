"""The star of a tenant: a cookie of this browser, as the tenants that were opened last are."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.guard import is_ours
from insula.admin_sessions.models import AdminSession
from insula.kernel.errors import Conflict
from insula.platform_admin.guard import MOST_FAVOURITES, Form, Panel, favourites_of
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.one_tenant.routes import ONE, line_of
from insula.registry import service as registry
from insula.sign_in.guard import go_to, only


def routes(panel: Panel) -> list[Route]:
    return [panel.act(f"{ONE}/favourite", post_favourite)]


async def post_favourite(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    """Give a tenant its star or take it away, and go back to where that was asked for."""
    line = await line_of(panel, request)
    kept = await registry.in_order(panel.platform, favourites_of(request, session))
    ids = [each.id for each in kept if each.id != line.id]
    if only(form, "star"):
        if len(ids) >= MOST_FAVOURITES:
            raise Conflict(f"{MOST_FAVOURITES} tenants are favourites. Take one away first.")
        ids = [line.id, *ids]
    back = only(form, "return_to")
    response = go_to(back if is_ours(back) else f"{TENANTS}/{line.slug}")
    panel.keep_favourites(session, response, ids)
    return response
