"""Templates of tenants: listed, looked at, made, saved anew, deleted (features.md D04, D10)."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.config_overrides import service as config_overrides
from insula.config_overrides.errors import VersionConflict
from insula.config_overrides.models import Stored
from insula.kernel.errors import Conflict, Invalid, refusals
from insula.platform_admin.configuration.changes import refused_whole
from insula.platform_admin.configuration.controls import control, shown, title
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.platform_admin.people import names, who
from insula.platform_admin.tenants.routes import worded
from insula.registry import service as registry
from insula.sign_in.guard import go_to, only, tenant_of
from insula.tenant_templates import service
from insula.tenant_templates.errors import InvalidTemplate
from insula.tenant_templates.models import (
    LONGEST_DESCRIPTION,
    Template,
    check_description,
    check_name,
    check_settings,
    taken_from,
)

TEMPLATES: Final = "/platform/templates"
ONE: Final = f"{TEMPLATES}/{{name}}"
_DONE = {
    "saved": "Saved. Tenants that are founded from it from now on begin so.",
    "deleted": "Deleted. Tenants that were founded from it stay as they are.",
}
Errors = tuple[tuple[str, str], ...]
_FIELDS: Final = ("name", "description", "document")


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(TEMPLATES, show_templates),
        panel.page(f"{TEMPLATES}/new", show_new_template, writes=True),
        panel.act(f"{TEMPLATES}/new", post_new_template, keeps=_FIELDS),
        panel.page(ONE, show_template),
        panel.act(ONE, post_template, keeps=_FIELDS),
        panel.page(f"{ONE}/delete", show_delete_template, proved=True),
        panel.act(f"{ONE}/delete", post_delete_template, proved=True),
    ]


async def show_templates(panel: Panel, request: Request, session: AdminSession) -> Response:
    async with panel.platform.transaction() as db:
        found = await service.list_all(db)
    return panel.show(
        request,
        session,
        "templates.html",
        current="Templates",
        templates=found,
        known=await names(tenant_of(request), [each.by for each in found]),
        who=who,
        note=_DONE.get(request.query_params.get("done", ""), ""),
    )


async def show_new_template(panel: Panel, request: Request, session: AdminSession) -> Response:
    """An empty one, or with `?from=` what a tenant has decided."""
    settings: Stored = {}
    origin = request.query_params.get("from", "")
    if origin:
        line = await registry.get(panel.platform, origin)
        async with panel.platform.within(line.id) as db:
            settings = taken_from(panel.catalogue, await config_overrides.load_in(db))
    return _form(panel, request, session, {"document": _written(settings)}, origin=origin)


def _written(settings: Stored) -> str:
    return json.dumps(settings, indent=2, sort_keys=True)


def _form(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    values: Mapping[str, Any],
    *,
    origin: str = "",
    errors: Errors = (),
    status: int = 200,
) -> Response:
    return panel.show(
        request,
        session,
        "template_new.html",
        current="Templates",
        status=status,
        values={"name": "", "description": "", "document": "{}", **values},
        origin=origin,
        errors=list(errors),
        longest=LONGEST_DESCRIPTION,
    )


def _read(text: str) -> dict[str, dict[str, Any]]:
    """What a form has of settings. Raises `InvalidTemplate`."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidTemplate(f"This is not JSON: {error}", field="document") from error
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise InvalidTemplate(
            'An object of sections is needed, such as {"oidc.ttl": {}}', field="document"
        )
    return found


def _typed(form: Form) -> dict[str, str]:
    return {name: only(form, name) for name in _FIELDS}


def _refused(panel: Panel, refusal: Invalid | Conflict) -> Errors:
    """What was refused, at its place in the form."""
    if not isinstance(refusal, Invalid):
        return (("name", refusal.description),)
    if refusal.field in _FIELDS:
        return ((refusal.field, worded(refusal)),)
    return tuple(("document", text) for text in refused_whole(refusal, panel.catalogue))


def _mistakes(panel: Panel, values: Mapping[str, str], *checks: Callable[[], object]) -> Errors:
    """All that is wrong with what was typed, each at its place in the form."""
    found = refusals(
        *checks,
        lambda: check_description(values["description"]),
        lambda: check_settings(panel.catalogue, _read(values["document"])),
    )
    return tuple(error for refusal in found for error in _refused(panel, refusal))


async def post_new_template(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    values = _typed(form)
    errors = _mistakes(panel, values, lambda: check_name(values["name"].strip()))
    if errors:
        return _form(panel, request, session, values, errors=errors, status=422)
    try:
        settings = _read(values["document"])
        async with panel.platform.within(tenant_of(request).id) as db:
            made = await service.create(
                db, panel.catalogue, values["name"].strip(), settings,
                description=values["description"], actor=platform_actor(request, session),
            )  # fmt: skip
    except (Invalid, Conflict) as refusal:
        status = 409 if isinstance(refusal, Conflict) else 422
        return _form(
            panel, request, session, values, errors=_refused(panel, refusal), status=status
        )
    return go_to(f"{TEMPLATES}/{made.name}?done=saved")


async def show_template(panel: Panel, request: Request, session: AdminSession) -> Response:
    return await _page(panel, request, session)


async def _page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    values: Mapping[str, Any] | None = None,
    *,
    errors: Errors = (),
    status: int = 200,
) -> Response:
    async with panel.platform.transaction() as db:
        versions = await service.versions(db, request.path_params["name"])
    newest = versions[0]
    present = {"description": newest.description, "document": _written(newest.settings)}
    return panel.show(
        request,
        session,
        "template.html",
        current="Templates",
        status=status,
        template=newest,
        held=_held(panel, newest),
        versions=versions,
        known=await names(tenant_of(request), [each.by for each in versions]),
        who=who,
        values={**present, **(values or {})},
        errors=list(errors),
        longest=LONGEST_DESCRIPTION,
        note=_DONE.get(request.query_params.get("done", ""), ""),
    )


def _held(panel: Panel, template: Template) -> list[tuple[str, str]]:
    """What a template says, in words."""
    return [
        (f"{title(section)}: {control(section, name).label}", shown(control(section, name), value))
        for section in panel.catalogue.of_tenants()
        for name, value in template.settings.get(section.key, {}).items()
        if name in section.model_fields
    ]


async def post_template(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    values = _typed(form)
    seen = only(form, "version")
    expected = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0  # noqa: PLR2004  (fits a column)
    errors = _mistakes(panel, values)
    if errors:
        return await _page(panel, request, session, values, errors=errors, status=422)
    try:
        settings = _read(values["document"])
        async with panel.platform.within(tenant_of(request).id) as db:
            saved = await service.replace(
                db, panel.catalogue, request.path_params["name"], settings,
                description=values["description"], expected=expected,
                actor=platform_actor(request, session),
            )  # fmt: skip
    except VersionConflict:
        text = "Somebody has saved this template since you opened it; save again to replace it."
        late = (("document", text),)
        return await _page(panel, request, session, values, errors=late, status=409)
    except Invalid as refusal:
        errors = _refused(panel, refusal)
        return await _page(panel, request, session, values, errors=errors, status=422)
    return go_to(f"{TEMPLATES}/{saved.name}?done=saved")


async def show_delete_template(panel: Panel, request: Request, session: AdminSession) -> Response:
    return await _delete_page(panel, request, session)


async def _delete_page(
    panel: Panel, request: Request, session: AdminSession, typed: str = "", errors: Errors = ()
) -> Response:
    async with panel.platform.transaction() as db:
        template = await service.get(db, request.path_params["name"])
    return panel.show(
        request,
        session,
        "template_delete.html",
        current="Templates",
        status=422 if errors else 200,
        template=template,
        typed=typed,
        errors=list(errors),
    )


async def post_delete_template(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    name, typed = request.path_params["name"], only(form, "typed").strip()
    if typed != name:
        errors = (("typed", f"Type {name} to confirm."),)
        return await _delete_page(panel, request, session, typed, errors)
    async with panel.platform.within(tenant_of(request).id) as db:
        await service.delete(db, name, platform_actor(request, session))
    return go_to(f"{TEMPLATES}?done=deleted")
