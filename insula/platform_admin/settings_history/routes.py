"""Who saved what, when and why, and the way back (features.md J03)."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.config_overrides import history, service
from insula.config_overrides.errors import OwnedByGit, VersionConflict
from insula.config_overrides.models import Stored, etag
from insula.kernel.errors import Invalid
from insula.platform_admin.configuration.changes import (
    place_of,
    refused_whole,
    rows_of_documents,
)
from insula.platform_admin.configuration.controls import control, shown, title
from insula.platform_admin.configuration.routes import saving_of, status_of, who_was_faster
from insula.platform_admin.guard import Form, Panel
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.one_tenant.routes import frame_of, line_of
from insula.platform_admin.people import names, who
from insula.platform_admin.tenant_settings.routes import CONFIG, menu_of
from insula.registry.errors import CursorInvalid
from insula.sign_in.guard import go_to, tenant_of

_LIMIT = 25
ACTS = {
    "config.updated": "changed settings",
    "config.section_reset": "reset a section",
    "config.rolled_back": "restored a version",
    "config.imported": "imported settings",
    "config.bound_changed": "changed bounds",
}
_DONE = {
    "restored": "The version is decided again, as a new one.",
    "imported": "The settings are imported, as a new version.",
}


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(f"{CONFIG}/history", show_history),
        panel.page(f"{CONFIG}/history/{{number:int}}", show_version),
        panel.act(f"{CONFIG}/history/{{number:int}}", post_restore, proved=True),
    ]


def before_of(request: Request) -> int | None:
    """Where a page of saves begins: below this number. Raises `CursorInvalid`."""
    text = request.query_params.get("before", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004  (fits a column)
        raise CursorInvalid
    return int(text) if text else None


async def show_history(panel: Panel, request: Request, session: AdminSession) -> Response:
    line, before = await line_of(panel, request), before_of(request)
    async with panel.platform.within(line.id) as db:
        layers = await service.load_in(db)
        found = await history.versions(db, before=before, limit=_LIMIT + 1)
    shown_ = found[:_LIMIT]
    base = f"{TENANTS}/{line.slug}/config/history"
    return panel.show(
        request,
        session,
        "tenant_history.html",
        current="Tenants",
        **frame_of(panel, request, line, "Configuration"),
        is_editable=session.runs_platform and not line.protected,
        menu=menu_of(panel, line, layers),
        versions=shown_,
        known=await names(tenant_of(request), [each.by for each in shown_]),
        who=who,
        acts=ACTS,
        place=partial(place_of, panel.catalogue),
        latest=found[0].number if found and before is None else 0,
        following=f"{base}?before={shown_[-1].number}" if len(found) > _LIMIT else "",
        newest=base if before else "",
        note=_DONE.get(request.query_params.get("done", ""), ""),
    )


def _decided(panel: Panel, snapshot: Stored) -> dict[str, dict[str, Any]]:
    """What a snapshot has of the fields that this release knows."""
    return {
        section.key: {
            name: value
            for name, value in snapshot.get(section.key, {}).items()
            if name in section.model_fields
        }
        for section in panel.catalogue.of_tenants()
    }


async def show_version(panel: Panel, request: Request, session: AdminSession) -> Response:
    return await _version_page(panel, request, session)


async def _version_page(
    panel: Panel,
    request: Request,
    session: AdminSession,
    *,
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    line, number = await line_of(panel, request), request.path_params["number"]
    async with panel.platform.within(line.id) as db:
        layers = await service.load_in(db)
        version = await history.version(db, min(number, 2**31 - 1))
    known = await names(tenant_of(request), [version.by])
    return panel.show(
        request,
        session,
        "settings_version.html",
        current="Tenants",
        status=status,
        tenant=line,
        version=version,
        by=who(version.by, known),
        act=ACTS.get(version.act, version.act),
        rows=rows_of_documents(
            panel.catalogue.of_tenants(), layers, _decided(panel, version.snapshot)
        ),
        held=_held(panel, version.snapshot),
        etag=etag(layers.own),
        reason="",
        errors=list(errors),
    )


def _held(panel: Panel, snapshot: Stored) -> list[tuple[str, str]]:
    """What a version had decided, in words."""
    return [
        (f"{title(section)}: {control(section, name).label}", shown(control(section, name), value))
        for section in panel.catalogue.of_tenants()
        for name, value in snapshot.get(section.key, {}).items()
        if name in section.model_fields
    ]


async def post_restore(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    line, number = await line_of(panel, request), request.path_params["number"]
    saving = saving_of(panel, request, session, form)
    try:
        async with panel.platform.within(line.id) as db:
            await history.restore(db, panel.catalogue.of_tenants(), min(number, 2**31 - 1), saving)
    except VersionConflict as refusal:
        late = (("restore", await who_was_faster(request, refusal)),)
        return await _version_page(panel, request, session, errors=late, status=409)
    except (Invalid, OwnedByGit) as refusal:
        errors = tuple(("document", text) for text in refused_whole(refusal, panel.catalogue))
        return await _version_page(
            panel, request, session, errors=errors, status=status_of(refusal)
        )
    return go_to(f"{TENANTS}/{line.slug}/config/history?done=restored")
