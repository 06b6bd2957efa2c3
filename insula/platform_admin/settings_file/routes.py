"""All of a tenant's settings as JSON: taken away, and brought with a look first (J03)."""

import json
from dataclasses import replace
from typing import Any, NoReturn

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.config_overrides import service, taken_away
from insula.config_overrides.errors import OwnedByGit, VersionConflict
from insula.config_overrides.masks import all_masked
from insula.config_overrides.models import Layers, Stored, etag
from insula.config_overrides.saving import Saving
from insula.kernel.errors import Invalid
from insula.platform_admin.configuration.changes import Row, refused_whole, rows_of_documents
from insula.platform_admin.configuration.routes import saving_of, status_of, who_was_faster
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.one_tenant.routes import line_of
from insula.platform_admin.tenant_settings.routes import CONFIG
from insula.registry.models import TenantLine
from insula.sign_in.guard import go_to, only


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(f"{CONFIG}/export.json", export_settings),
        panel.page(f"{CONFIG}/import", show_import, proved=True),
        panel.act(f"{CONFIG}/import", post_import, proved=True, keeps=()),
    ]


async def export_settings(panel: Panel, request: Request, session: AdminSession) -> Response:
    line = await line_of(panel, request)
    async with panel.platform.within(line.id) as db:
        own = await taken_away.export(db, platform_actor(request, session))
    headers = {
        "content-disposition": f'attachment; filename="{line.slug}-settings.json"',
        "cache-control": "no-store",
    }
    text = json.dumps(all_masked(own), indent=2, sort_keys=True) + "\n"
    return Response(text, media_type="application/json", headers=headers)


async def show_import(panel: Panel, request: Request, session: AdminSession) -> Response:
    line = await line_of(panel, request)
    async with panel.platform.within(line.id) as db:
        layers = await service.load_in(db)
    return _import_page(panel, request, session, line, layers)


def _import_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    line: TenantLine,
    layers: Layers,
    *,
    text: str = "",
    reason: str = "",
    rows: list[Row] | None = None,
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    return panel.show(
        request,
        session,
        "settings_import.html",
        current="Tenants",
        status=status,
        tenant=line,
        text=text,
        reason=reason,
        rows=rows,
        etag=etag(layers.own),
        errors=list(errors),
    )


async def post_import(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    """A document is looked at first; what a second press sends is saved."""
    line = await line_of(panel, request)
    text = only(form, "document")
    async with panel.platform.within(line.id) as db:
        layers = await service.load_in(db)
    sections = panel.catalogue.of_tenants()
    saving = saving_of(panel, request, session, form)
    try:
        document, reason = _document(text)
        if not only(form, "save"):
            wanted = await _tried(panel, line, _known(panel, document), saving)
            return _import_page(
                panel, request, session, line, layers, text=text, reason=reason,
                rows=rows_of_documents(sections, layers, wanted),
            )  # fmt: skip
        async with panel.platform.within(line.id) as db:
            await service.replace_all(db, sections, document, saving)
    except VersionConflict as refusal:
        late = (("document", await who_was_faster(request, refusal)),)
        return _import_page(
            panel, request, session, line, layers, text=text, errors=late, status=409
        )
    except (Invalid, OwnedByGit) as refusal:
        errors = tuple(("document", text) for text in refused_whole(refusal, panel.catalogue))
        return _import_page(
            panel,
            request,
            session,
            line,
            layers,
            text=text,
            errors=errors,
            status=status_of(refusal),
        )
    return go_to(f"{TENANTS}/{line.slug}/config/history?done=imported")


class _TakenBackError(Exception):
    """Ends a look; *own* is what would be stored."""

    def __init__(self, own: Stored) -> None:
        super().__init__()
        self.own = own


def _take_back(own: Stored) -> NoReturn:
    """Leave the transaction of a look so that nothing of it stays."""
    raise _TakenBackError(own)


async def _tried(panel: Panel, line: TenantLine, document: Stored, saving: Saving) -> Stored:
    """
    What an import would store: it is made, and taken back.

    Against what is stored now, whatever was read before. Raises what the import raises.
    """
    sections = panel.catalogue.of_tenants()
    try:
        async with panel.platform.within(line.id) as db:
            await service.replace_all(db, sections, document, replace(saving, expected=None))
            _take_back((await service.load_in(db)).own)
    except _TakenBackError as look:
        return look.own


def _document(text: str) -> tuple[dict[str, dict[str, Any]], str]:
    """
    What an export wrote, of the pages or of the API, and the reason that one for the API may have.

    Raises `Invalid`.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Invalid(f"This is not JSON: {error}") from error
    reason = ""
    if isinstance(found, dict) and "settings" in found and found.keys() <= {"settings", "reason"}:
        found, reason = found["settings"], str(found.get("reason", ""))
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise Invalid('An object of sections is needed, such as {"oidc.ttl": {}}')
    return found, reason


def _known(panel: Panel, document: Stored) -> Stored:
    """A document whose sections and fields all exist. Raises `Invalid`."""
    by_key = {section.key: section for section in panel.catalogue.of_tenants()}
    for key, values in document.items():
        if key not in by_key:
            raise Invalid("a tenant decides no such section", field=f"{key}.")
        for name in values:
            if name not in by_key[key].model_fields:
                raise Invalid("there is no such field", field=f"{key}.{name}")
    return document
