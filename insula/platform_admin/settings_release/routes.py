"""Fields of a tenant that documents own are given back to hands, by somebody who says why."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.config_overrides import ownership
from insula.config_overrides.saving import Saving
from insula.kernel.errors import Invalid
from insula.platform_admin.configuration.controls import title
from insula.platform_admin.configuration.desk import Desk
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.platform_admin.one_tenant.routes import line_of
from insula.platform_admin.tenant_settings.routes import CONFIG, open_section
from insula.platform_admin.tenants.routes import worded
from insula.sign_in.guard import go_to, only


def routes(panel: Panel) -> list[Route]:
    path = f"{CONFIG}/{{section}}/release"
    return [
        panel.page(path, show_release, proved=True),
        panel.act(path, post_release, proved=True),
    ]


async def show_release(panel: Panel, request: Request, session: AdminSession) -> Response:
    desk = await open_section(panel, request, request.path_params["section"])
    if not any(line.owner for line in desk.lines):
        return go_to(desk.address)
    chosen = [request.query_params.get("field", "")]
    return _page(panel, request, session, desk, chosen)


def _page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    desk: Desk,
    chosen: list[str],
    *,
    reason: str = "",
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    return panel.show(
        request,
        session,
        "settings_release.html",
        current="Tenants",
        status=status,
        tenant=desk.frame["tenant"],
        title_of=title(desk.section),
        fields=[(line.control.name, line.control.label) for line in desk.lines if line.owner],
        chosen=chosen,
        address=desk.address,
        reason=reason,
        errors=list(errors),
    )


async def post_release(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    line = await line_of(panel, request)
    desk = await open_section(panel, request, request.path_params["section"])
    chosen = [name for name in desk.section.model_fields if only(form, f"field.{name}")]
    reason = only(form, "reason")
    saving = Saving(platform_actor(request, session), reason)
    try:
        async with panel.platform.within(line.id) as db:
            await ownership.release_in(db, desk.section, chosen, saving)
    except Invalid as refusal:
        field = "reason" if refusal.field == "reason" else "fields"
        errors = ((field, worded(refusal)),)
        return _page(
            panel, request, session, desk, chosen, reason=reason, errors=errors, status=422
        )
    return go_to(f"{desk.address}?done=released")
