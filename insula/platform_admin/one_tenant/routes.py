"""One tenant, a page for each side of it."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.accounts import service as accounts
from insula.admin_sessions.models import AdminSession
from insula.audit import service as audit
from insula.audit.models import Wanted, read_place, write_place
from insula.deletion import service as deletion
from insula.figures import service as figures
from insula.figures.models import Day
from insula.kernel.clock import now
from insula.kernel.errors import Invalid
from insula.platform_admin.charts import chart_of
from insula.platform_admin.guard import Form, Panel, kept_of, note_opened, platform_actor
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.sentences import entries, short
from insula.platform_admin.tenants.routes import worded
from insula.registry import need
from insula.registry import service as registry
from insula.registry.models import TenantLine
from insula.sign_in.guard import go_to, only, tenant_of
from insula.tenants import service as tenants
from insula.tenants.domains import models as login_domains
from insula.tenants.domains import service as domains
from insula.tenants.errors import ChangedMeanwhile, TenantProtected
from insula.tenants.models import FOLLOWS

ONE = f"{TENANTS}/{{slug}}"
_LINES = 50
#: What a redirect says was done.
_DONE = {
    "created": "The tenant exists, with its signing keys. Nobody can sign in yet.",
    "renamed": "The name is changed. Every process shows it within a second.",
    "domain_added": "The domain can be proven now. It leads nowhere until then.",
    "domain_proven": "The domain is proven. Every process answers on it within a second.",
    "domain_unproven": "The domain is not proven yet. What the check found stands beside it.",
    "domain_primary": "The issuer has changed. Applications must know it by its new name.",
    "domain_removed": "The domain is taken away. Requests to it are answered 404.",
    "suspended": "The tenant is suspended. Nobody signs in, and its tokens are refused.",
    "activated": "The tenant is active. People sign in anew.",
    "archived": "The tenant is archived. Its data is kept, and lists leave it out.",
}


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(ONE, show_overview),
        panel.page(f"{ONE}/hosts", show_hosts),
        panel.page(f"{ONE}/keys", show_keys),
        panel.page(f"{ONE}/activity", show_activity),
        panel.page(f"{ONE}/edit", show_edit, writes=True),
        panel.act(f"{ONE}/edit", post_edit, keeps=("display_name",)),
    ]


async def line_of(panel: Panel, request: Request) -> TenantLine:
    """The tenant that the address names. Raises `NoSuchTenant`."""
    return await registry.get(panel.platform, request.path_params["slug"])


def show_tab(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    line: TenantLine,
    tab: str,
    *,
    status: int = 200,
    **variables: object,
) -> Response:
    """The page of one side of a tenant, with what every side has around it."""
    return panel.show(
        request,
        session,
        f"tenant_{tab.lower()}.html",
        current="Tenants",
        status=status,
        is_editable=session.runs_platform and not line.protected,
        **frame_of(panel, request, line, tab),
        **variables,
    )


def frame_of(panel: Panel, request: Request, line: TenantLine, tab: str) -> dict[str, Any]:
    """What every tab of a tenant shows around itself."""
    note_opened(request, line.id)
    host = line.primary_host or panel.naming.host(line.slug)
    return {
        "tenant": line,
        "tab": tab,
        "host": host,
        "issuer": panel.naming.origin(host),
        "short_id": short(str(line.id)),
        "done": _DONE.get(request.query_params.get("done", ""), ""),
        "done_kind": "warn" if request.query_params.get("done") == "domain_unproven" else "ok",
        "follows": () if line.protected else tuple(sorted(FOLLOWS[line.status])),
    }


async def show_overview(panel: Panel, request: Request, session: AdminSession) -> Response:
    line = await line_of(panel, request)
    await panel.keeper.freshen()
    sign_ins = await figures.attempt("sign_ins", _sign_ins(panel, line.id))
    ailments = await need.ailments(panel.platform, [line])
    return show_tab(
        panel, request, session, line, "Overview",
        sign_ins=chart_of(sign_ins, "sign-ins", "refused"),
        impact=await registry.impact(panel.platform, line.id),
        domains=await domains.listed(panel.platform, line.slug),
        is_new=request.query_params.get("done") == "created",
        own_host=panel.naming.host(line.slug),
        is_late=any(each.host is None for each in ailments.get(line.id, ())),
        asked_for_at=_asked_for_at(panel, line.id),
        days=await deletion.grace_days(panel.platform),
    )  # fmt: skip


def _asked_for_at(panel: Panel, tenant_id: UUID) -> datetime | None:
    """When this process last needed the tenant's provider, if it has one ready."""
    idle = panel.installation.idle(tenant_id)
    return None if idle is None else datetime.fromtimestamp(now() - idle, UTC)


async def _sign_ins(panel: Panel, tenant_id: UUID) -> list[Day]:
    async with panel.platform.within(tenant_id) as db:
        return await figures.sign_ins(db)


async def show_hosts(panel: Panel, request: Request, session: AdminSession) -> Response:
    line = await line_of(panel, request)
    return show_tab(
        panel, request, session, line, "Hosts", own_host=panel.naming.host(line.slug),
        domains=await domains.listed(panel.platform, line.slug), login_domains=login_domains,
    )  # fmt: skip


async def show_keys(panel: Panel, request: Request, session: AdminSession) -> Response:
    line = await line_of(panel, request)
    keys = await registry.keys_of(panel.platform, [line])
    return show_tab(panel, request, session, line, "Keys", keys=keys[line.id])


async def show_activity(panel: Panel, request: Request, session: AdminSession) -> Response:
    """The tenant's own record as the platform may read it: ids are short, nobody is named."""
    line = await line_of(panel, request)
    place = read_place(request.query_params.get("after", ""))
    async with panel.platform.within(line.id) as db:
        found = await audit.search(db, Wanted(), place=place, limit=_LINES)
    following = ""
    if found.place is not None:
        after = urlencode({"after": write_place(found.place)})
        following = f"{TENANTS}/{line.slug}/activity?{after}"
    return show_tab(
        panel, request, session, line, "Activity",
        entries=entries(found.lines, {}), following=following, is_first=place is None,
    )  # fmt: skip


def changeable(line: TenantLine) -> TenantLine:
    """The tenant, if the platform may change it. Raises `TenantProtected`."""
    if line.protected:
        raise TenantProtected("This tenant belongs to the installation itself.")
    return line


async def show_edit(panel: Panel, request: Request, session: AdminSession) -> Response:
    line, name = changeable(await line_of(panel, request)), only(kept_of(request), "display_name")
    return await edit_page(panel, request, session, line, name=name or None)


async def edit_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    line: TenantLine,
    *,
    name: str | None = None,
    domain: str = "",
    method: str = "dns",
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    """The form that changes a tenant, with what was typed into it."""
    return show_tab(
        panel, request, session, line, "Edit", status=status,
        name=line.display_name if name is None else name, domain=domain, method=method,
        errors=list(errors), own_host=panel.naming.host(line.slug),
        domains=await domains.listed(panel.platform, line.slug), login_domains=login_domains,
    )  # fmt: skip


async def post_edit(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
    line = changeable(await line_of(panel, request))
    name = only(form, "display_name")
    try:
        await tenants.rename(
            panel.platform,
            line.slug,
            name,
            platform_actor(request, session),
            before=only(form, "before"),
        )
    except Invalid as refusal:
        errors = (("display_name", worded(refusal)),)
        return await edit_page(panel, request, session, line, name=name, errors=errors, status=422)
    except ChangedMeanwhile as refusal:
        who = await _who_changed(panel, request, line)
        text = f"{who} changed the name to “{refusal.present}” while you were typing."
        return await edit_page(
            panel, request, session, await line_of(panel, request), name=name, status=409,
            errors=(("display_name", f"{text} Save again to replace it."),),
        )  # fmt: skip
    return go_to(f"{TENANTS}/{line.slug}?done=renamed")


async def _who_changed(panel: Panel, request: Request, line: TenantLine) -> str:
    """Who saved last, as far as the platform knows them."""
    async with panel.platform.within(line.id) as db:
        lines = (await audit.search(db, Wanted(event="tenant.updated"), limit=1)).lines
    if not lines or lines[0].actor_type != "platform" or not lines[0].actor_id:
        return "Somebody"
    who = UUID(lines[0].actor_id)
    async with tenant_of(request).transaction() as db:
        return (await accounts.names_of(db, [who])).get(who, "Somebody")
