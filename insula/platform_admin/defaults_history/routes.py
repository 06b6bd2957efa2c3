"""Who saved defaults and bounds, and going back to a save with whom that clamps in sight (J03)."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.config_overrides import history, platform_history, service
from insula.config_overrides.errors import VersionConflict
from insula.config_overrides.models import etag
from insula.kernel.errors import Invalid
from insula.platform_admin.configuration.changes import Row, place_of, refused_whole
from insula.platform_admin.configuration.controls import control, moves, shown, title
from insula.platform_admin.configuration.routes import saving_of, who_was_faster
from insula.platform_admin.guard import Form, Panel
from insula.platform_admin.people import names, who
from insula.platform_admin.platform_settings.routes import DEFAULTS
from insula.platform_admin.settings_history.routes import ACTS, before_of
from insula.sign_in.guard import go_to, tenant_of

_LIMIT = 25
_ONE = f"{DEFAULTS}/history/{{number:int}}"
_DONE = {"restored": "The version is decided again, as a new one."}
_PARTS = {"values": "default", "bounds": "bound"}


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(f"{DEFAULTS}/history", show_platform_history),
        panel.page(_ONE, show_platform_version),
        panel.page(f"{_ONE}/restore", show_platform_restore, proved=True),
        panel.act(f"{_ONE}/restore", post_platform_restore, proved=True),
    ]


async def show_platform_history(panel: Panel, request: Request, session: AdminSession) -> Response:
    before = before_of(request)
    async with panel.platform.within(tenant_of(request).id) as db:
        found = await history.versions(db, scope="platform", before=before, limit=_LIMIT + 1)
    shown_ = found[:_LIMIT]
    base = f"{DEFAULTS}/history"
    return panel.show(
        request,
        session,
        "defaults_history.html",
        current="Defaults",
        versions=shown_,
        known=await names(tenant_of(request), [each.by for each in shown_]),
        who=who,
        acts=ACTS,
        place=partial(place_of, panel.catalogue),
        base=base,
        note=_DONE.get(request.query_params.get("done", ""), ""),
        following=f"{base}?before={shown_[-1].number}" if len(found) > _LIMIT else "",
        newest=base if before else "",
    )


async def show_platform_version(panel: Panel, request: Request, session: AdminSession) -> Response:
    return await _page(panel, request, session, is_restoring=False)


async def show_platform_restore(panel: Panel, request: Request, session: AdminSession) -> Response:
    return await _page(panel, request, session, is_restoring=True)


async def _page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    *,
    is_restoring: bool,
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    number = min(request.path_params["number"], 2**31 - 1)
    async with panel.platform.within(tenant_of(request).id) as db:
        layers = await service.load_in(db)
        version = await history.version(db, number, scope="platform")
    found = platform_history.changes(panel.catalogue, layers, version.snapshot)
    reach = await platform_history.preview(
        panel.platform, panel.catalogue, layers, version.snapshot
    )
    known = await names(tenant_of(request), [version.by])
    return panel.show(
        request,
        session,
        "defaults_version.html",
        current="Defaults",
        status=status,
        version=version,
        by=who(version.by, known),
        act=ACTS.get(version.act, version.act),
        rows=[_row(panel, each) for each in found],
        clamped=[
            (title(section), section, each)
            for section, each in ((panel.catalogue.get(key), each) for key, each in reach.items())
            if each.tenants
        ],
        moves=moves,
        etag=etag(platform_history.present(layers)),
        is_restoring=is_restoring,
        reason="",
        errors=list(errors),
    )


def _row(panel: Panel, change: platform_history.Change) -> Row:
    section = panel.catalogue.get(change.section)
    part = _PARTS[change.part]
    place = f"{change.section}.{change.name}"
    if change.name not in section.model_fields:
        return Row(change.name, place, str(change.before), part, str(change.after))
    c = control(section, change.name)
    before, after = (
        shown(c, value) if value is not None else "none" for value in (change.before, change.after)
    )
    return Row(f"{title(section)}: {c.label} ({part})", place, before, "", after)


async def post_platform_restore(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    number = min(request.path_params["number"], 2**31 - 1)
    saving = saving_of(panel, request, session, form)
    try:
        async with panel.platform.within(tenant_of(request).id) as db:
            await platform_history.restore(db, panel.catalogue, number, saving)
    except VersionConflict as refusal:
        late = (("restore", await who_was_faster(request, refusal)),)
        return await _page(panel, request, session, is_restoring=True, errors=late, status=409)
    except Invalid as refusal:
        errors = tuple(("restore", text) for text in refused_whole(refusal, panel.catalogue))
        return await _page(panel, request, session, is_restoring=True, errors=errors, status=422)
    return go_to(f"{DEFAULTS}/history?done=restored")
