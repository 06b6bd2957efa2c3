"""A tenant's status changes on a page that says what that does, to whoever types its slug."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.kernel.errors import Conflict
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.one_tenant.routes import ONE, line_of
from insula.registry import service as registry
from insula.registry.models import Impact, TenantLine
from insula.sign_in.guard import go_to, only
from insula.tenants import service as tenants
from insula.tenants.errors import TenantProtected
from insula.tenants.models import FOLLOWS, Status

_LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Change:
    """One way that a status changes, in words."""

    verb: str
    status: Status
    done: str
    text: str
    is_dangerous: bool = True


CHANGES: Final = {
    change.verb: change
    for change in (
        Change(
            "suspend", "suspended", "suspended",
            "Everything of the tenant answers 403 until it is activated. Nothing is deleted.",
        ),
        Change(
            "archive", "archived", "archived",
            "As a suspension, and lists leave the tenant out. All data is kept.",
        ),
        Change(
            "activate", "active", "activated",
            "The tenant is served again. Sessions and tokens that ended stay ended.",
            is_dangerous=False,
        ),
    )
}  # fmt: skip


def routes(panel: Panel) -> list[Route]:
    return [
        route
        for verb in CHANGES
        for route in (
            panel.page(f"{ONE}/{verb}", show_change, proved=True),
            panel.act(f"{ONE}/{verb}", post_change, proved=True),
        )
    ]


def _change_of(request: Request) -> Change:
    return CHANGES[request.scope["path"].rpartition("/")[2]]


def _touched(impact: Impact) -> list[tuple[str, str]]:
    """What ends, in numbers; each with its noun in the right number."""

    def line(n: int, one: str, more: str) -> tuple[str, str]:
        return f"{n:,}{'+' if n == impact.bound else ''}", one if n == 1 else more

    return [
        (f"{impact.users:,}", "person can no longer sign in"
         if impact.users == 1 else "people can no longer sign in"),
        line(impact.sessions, "session ends now, with every token of it",
             "sessions end now, with every token of theirs"),
        line(impact.clients, "application is refused at every endpoint",
             "applications are refused at every endpoint"),
        line(impact.hosts + 1, "host answers 403", "hosts answer 403"),
    ]  # fmt: skip


async def _page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    line: TenantLine,
    *,
    form: Form | None = None,
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    change = _change_of(request)
    if line.protected:
        raise TenantProtected("This tenant belongs to the installation itself.")
    ends = change.is_dangerous and line.status == "active"
    touched = _touched(await registry.impact(panel.platform, line.id)) if ends else []
    return panel.show(
        request,
        session,
        "tenant_status.html",
        current="Tenants",
        status=status,
        tenant=line,
        change=change,
        touched=touched,
        is_possible=change.status in FOLLOWS[line.status],
        typed=only(form or {}, "typed"),
        reason=only(form or {}, "reason"),
        errors=list(errors),
    )


async def show_change(panel: Panel, request: Request, session: AdminSession) -> Response:
    return await _page(panel, request, session, await line_of(panel, request))


async def post_change(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    line, change = await line_of(panel, request), _change_of(request)
    typed, reason = only(form, "typed").strip(), only(form, "reason").strip()
    errors = []
    if change.is_dangerous and typed != line.slug:
        errors.append(("typed", f"Type {line.slug} to confirm."))
    if change.is_dangerous and not reason:
        errors.append(("reason", "Say why; it stands in both records."))
    if len(reason) > _LONGEST_REASON:
        errors.append(("reason", f"At most {_LONGEST_REASON} characters."))
    if errors:
        return await _page(
            panel, request, session, line, form=form, errors=tuple(errors), status=422
        )
    try:
        await tenants.set_status(
            panel.platform,
            line.slug,
            change.status,
            reason=reason,
            actor=platform_actor(request, session),
        )
    except TenantProtected:
        raise
    except Conflict as refusal:
        return await _page(
            panel, request, session, await line_of(panel, request), form=form, status=409,
            errors=(("typed", f"{refusal.description} Somebody else was first."),),
        )  # fmt: skip
    return go_to(f"{TENANTS}/{line.slug}?done={change.done}")
