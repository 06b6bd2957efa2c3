"""A tenant's end: asked for, taken back within its grace, followed table by table, certified."""

from collections.abc import Iterable
from datetime import datetime
from math import ceil
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.deletion import service as deletion
from insula.deletion.errors import NoDeletion, TooLate
from insula.deletion.models import Deletion
from insula.kernel.clock import now
from insula.kernel.errors import Conflict
from insula.platform_admin.deletions.certificate import read as read_certificate
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.one_tenant.routes import ONE, line_of
from insula.platform_admin.people import names, who
from insula.registry import service as registry
from insula.registry.errors import CursorInvalid
from insula.registry.models import Impact, TenantLine
from insula.sign_in.guard import go_to, only, tenant_of
from insula.tenants.errors import NoSuchTenant, TenantProtected

DELETIONS = "/platform/deletions"
_LIMIT = 25
_LONGEST_REASON = 500
_DAY = 86400
_DONE = {
    "scheduled": "The tenant is not served any more. Until the purge begins this can be undone.",
    "undone": "The deletion is taken back. The tenant is as it was; people sign in anew.",
    "paused": "The purge rests after its present batch.",
    "resumed": "The purge goes on.",
}


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(DELETIONS, show_deletions),
        panel.page(f"{ONE}/delete", show_delete, proved=True),
        panel.act(f"{ONE}/delete", post_delete, proved=True),
        panel.page(f"{ONE}/deletion", show_deletion),
        panel.page(f"{ONE}/deletion.jwt", download_certificate),
        panel.page(f"{ONE}/undo-delete", show_undo, proved=True),
        panel.act(f"{ONE}/undo-delete", post_undo, proved=True),
        panel.act(f"{ONE}/deletion/pause", post_pause),
        panel.act(f"{ONE}/deletion/resume", post_resume),
    ]


async def show_deletions(panel: Panel, request: Request, session: AdminSession) -> Response:
    before = _before(request.query_params.get("before", ""))
    found = await deletion.page(panel.platform, before=before, limit=_LIMIT + 1)
    shown = found[:_LIMIT]
    following = ""
    if len(found) > _LIMIT:
        last = shown[-1]
        mark = urlencode({"before": f"{last.requested_at.isoformat()}|{last.id}"})
        following = f"{DELETIONS}?{mark}"
    return panel.show(
        request,
        session,
        "deletions.html",
        current="Deletions",
        deletions=shown,
        names=await names(tenant_of(request), [each.requested_by for each in shown]),
        who=who,
        following=following,
        newest=DELETIONS if before else "",
    )


def _before(mark: str) -> tuple[datetime, UUID] | None:
    if not mark:
        return None
    at, _, id_ = mark.partition("|")
    try:
        moment, last = datetime.fromisoformat(at), UUID(id_)
    except ValueError:
        raise CursorInvalid from None
    if moment.tzinfo is None:
        raise CursorInvalid
    return moment, last


def _ends(impact: Impact, hosts: int) -> list[tuple[str, str]]:
    """What goes, in numbers; each with its noun in the right number."""

    def line(n: int, one: str, more: str) -> tuple[str, str]:
        return f"{n:,}{'+' if n == impact.bound else ''}", one if n == 1 else more

    return [
        (f"{impact.users:,}", "person is deleted" if impact.users == 1 else "people are deleted"),
        line(impact.sessions, "session ends now", "sessions end now"),
        line(impact.clients, "application is deleted", "applications are deleted"),
        line(hosts, "host is not served any more", "hosts are not served any more"),
    ]


async def _delete_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    line: TenantLine,
    *,
    form: Form | None = None,
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    if line.protected:
        raise TenantProtected("This tenant belongs to the installation itself.")
    days = await deletion.grace_days(panel.platform)
    return panel.show(
        request,
        session,
        "tenant_delete.html",
        current="Tenants",
        status=status,
        tenant=line,
        is_possible=line.status != "deleting",
        touched=_ends(await registry.impact(panel.platform, line.id), len(line.hosts) + 1),
        days=days,
        due_at=datetime.fromtimestamp(now() + days * _DAY, line.created_at.tzinfo),
        typed=only(form or {}, "typed"),
        reason=only(form or {}, "reason"),
        errors=list(errors),
    )


async def show_delete(panel: Panel, request: Request, session: AdminSession) -> Response:
    return await _delete_page(panel, request, session, await line_of(panel, request))


def _wrong(line: TenantLine, typed: str, reason: str) -> Iterable[tuple[str, str]]:
    if not reason:
        yield "reason", "Say why; it stands in the record for good."
    if len(reason) > _LONGEST_REASON:
        yield "reason", f"At most {_LONGEST_REASON} characters."
    if typed != line.slug:
        yield "typed", f"Type {line.slug} to confirm."


async def post_delete(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    line = await line_of(panel, request)
    reason = only(form, "reason").strip()
    errors = tuple(_wrong(line, only(form, "typed").strip(), reason))
    if errors:
        return await _delete_page(
            panel, request, session, line, form=form, errors=errors, status=422
        )
    try:
        await deletion.schedule(
            panel.platform, line.slug, reason=reason, actor=platform_actor(request, session)
        )
    except TenantProtected:
        raise
    except Conflict as refusal:
        return await _delete_page(
            panel, request, session, await line_of(panel, request), form=form, status=409,
            errors=(("typed", f"{refusal.description} Somebody else was first."),),
        )  # fmt: skip
    return go_to(f"{TENANTS}/{line.slug}/deletion?done=scheduled")


async def show_deletion(panel: Panel, request: Request, session: AdminSession) -> Response:
    """How far it is, while the tenant is there and when it is gone."""
    slug = request.path_params["slug"]
    line = await _line_if_any(panel, slug)
    try:
        found = await deletion.find(panel.platform, slug)
    except NoDeletion:
        if line is None:
            raise
        return panel.show(request, session, "deletion_none.html", current="Deletions", tenant=line)
    return await _deletion_page(panel, request, session, found, line)


async def _line_if_any(panel: Panel, slug: str) -> TenantLine | None:
    try:
        return await registry.get(panel.platform, slug)
    except NoSuchTenant:
        return None


async def _deletion_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    found: Deletion,
    line: TenantLine | None,
    *,
    refused: str = "",
) -> Response:
    known = await names(tenant_of(request), [found.requested_by])
    return panel.show(
        request,
        session,
        "deletion.html",
        current="Deletions",
        status=409 if refused else 200,
        deletion=found,
        exists=line is not None and line.id == found.subject,
        requested_by=who(found.requested_by, known),
        days_left=max(0, ceil((found.due_at.timestamp() - now()) / _DAY)),
        is_due=found.due_at.timestamp() <= now(),
        tables=_tables(found),
        certificate=read_certificate(found.certificate) if found.certificate else None,
        done=_DONE.get(request.query_params.get("done", ""), ""),
        refused=refused,
    )


def _tables(found: Deletion) -> list[tuple[str, int, int]]:
    """Each table with rows: how many are gone, of about how many."""
    names = sorted({*found.estimate, *found.deleted})
    lines = [(name, found.deleted.get(name, 0), found.estimate.get(name, 0)) for name in names]
    return [(name, gone, max(gone, about)) for name, gone, about in lines if gone or about]


async def download_certificate(panel: Panel, request: Request, _: AdminSession) -> Response:
    found = await deletion.find(panel.platform, request.path_params["slug"])
    if not found.certificate:
        raise NoDeletion("There is no certificate before everything is gone.")
    headers = {
        "content-disposition": f'attachment; filename="{found.slug}-deletion.jwt"',
        "cache-control": "no-store",
    }
    return Response(found.certificate, media_type="application/jwt", headers=headers)


async def show_undo(panel: Panel, request: Request, session: AdminSession) -> Response:
    line = await line_of(panel, request)
    try:
        found = await deletion.find(panel.platform, line.slug)
    except NoDeletion:
        found = None
    if found is None or not found.may_be_undone:
        return go_to(f"{TENANTS}/{line.slug}/deletion")
    return panel.show(
        request, session, "deletion_undo.html", current="Deletions", tenant=line, deletion=found
    )


async def post_undo(panel: Panel, request: Request, session: AdminSession, _: Form) -> Response:
    line = await line_of(panel, request)
    try:
        await deletion.undo(panel.platform, line.slug, actor=platform_actor(request, session))
    except TooLate as refusal:
        found = await deletion.find(panel.platform, line.slug)
        return await _deletion_page(
            panel, request, session, found, line, refused=refusal.description
        )
    return go_to(f"{TENANTS}/{line.slug}/deletion?done=undone")


async def post_pause(panel: Panel, request: Request, session: AdminSession, _: Form) -> Response:
    slug = request.path_params["slug"]
    await deletion.pause(panel.platform, slug, actor=platform_actor(request, session))
    return go_to(f"{TENANTS}/{slug}/deletion?done=paused")


async def post_resume(panel: Panel, request: Request, session: AdminSession, _: Form) -> Response:
    slug = request.path_params["slug"]
    await deletion.resume(panel.platform, slug, actor=platform_actor(request, session))
    return go_to(f"{TENANTS}/{slug}/deletion?done=resumed")
