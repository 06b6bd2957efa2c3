"""One tenant's people: how many, who they are once it is asked for, and their links."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.accounts.errors import NoSuchUser
from insula.accounts.models import User
from insula.admin_sessions.models import AdminSession
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.one_tenant.routes import ONE, line_of, show_tab
from insula.platform_admin.tenants.routes import link_page
from insula.registry import service as registry
from insula.registry.models import TenantLine
from insula.sign_in.guard import go_to, only, tenant_of

_USERS = 25


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(f"{ONE}/users", show_users),
        panel.act(f"{ONE}/users", open_users),
        panel.page(f"{ONE}/users/link", show_link, proved=True),
        panel.act(f"{ONE}/users/link", post_link, proved=True),
    ]


async def show_users(panel: Panel, request: Request, session: AdminSession) -> Response:
    """How many there are; who they are stands behind a button that is recorded (D05)."""
    line = await line_of(panel, request)
    return _users_page(panel, request, session, line)


def _users_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    line: TenantLine,
    users: list[User] | None = None,
    pending: Mapping[UUID, datetime | None] = MappingProxyType({}),
    following: str = "",
) -> Response:
    return show_tab(
        panel, request, session, line, "Users",
        users=users, pending=pending, following=following,
    )  # fmt: skip


async def open_users(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
    line = await line_of(panel, request)
    users, pending = await registry.open_users(
        panel.platform,
        tenant_of(request).id,
        line,
        platform_actor(request, session),
        after=only(form, "after")[:254],
        limit=_USERS + 1,
    )
    following = users[_USERS - 1].username if len(users) > _USERS else ""
    return _users_page(panel, request, session, line, users[:_USERS], pending, following.casefold())


async def show_link(panel: Panel, request: Request, session: AdminSession) -> Response:  # noqa: ARG001  (a page's)
    """Whoever has proved themselves on the way chooses again whose link it is."""
    line = await line_of(panel, request)
    return go_to(f"{TENANTS}/{line.slug}/users")


async def post_link(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
    """A new link of somebody without a password; the answer is the one place where it stands."""
    line = await line_of(panel, request)
    try:
        user_id = UUID(only(form, "user"))
    except ValueError as error:
        raise NoSuchUser("No such user in this tenant.") from error
    user, link = await registry.make_link(
        panel.platform, tenant_of(request).id, line, user_id, platform_actor(request, session)
    )
    return link_page(panel, request, session, line, link, user.email or user.username)
