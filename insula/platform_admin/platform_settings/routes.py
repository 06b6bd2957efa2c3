"""Defaults and bounds: a page for each section, and for a bound whom it would touch (BEY-3)."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.config_overrides import platform, reach, service
from insula.config_overrides.errors import SectionUnknown
from insula.config_overrides.models import Layers, Values, etag
from insula.config_overrides.resolution import can_be_bound, valid_bounds
from insula.config_overrides.sealing import seal
from insula.kernel.settings import DecidedBy, Section
from insula.platform_admin.configuration.controls import about, title
from insula.platform_admin.configuration.desk import Desk
from insula.platform_admin.configuration.lines import bys_of, of_bounds, of_defaults
from insula.platform_admin.configuration.routes import changes_kept, fields_kept, pages_of
from insula.platform_admin.guard import Panel
from insula.platform_admin.people import names
from insula.platform_admin.planned.routes import plan_pages_of
from insula.registry import heirs
from insula.sign_in.guard import go_to, tenant_of

DEFAULTS = "/platform/defaults"
BOUNDS = "/platform/bounds"


def routes(panel: Panel) -> list[Route]:
    show, review, save, reset = pages_of(_defaults, "defaults")
    show_bounds, review_bounds, save_bounds, lift = pages_of(_bounds, "bounds")
    show_plan, answer_plan = plan_pages_of(_defaults, "defaults")
    show_bounds_plan, answer_bounds_plan = plan_pages_of(_bounds, "bounds")
    return [
        panel.page(DEFAULTS, show_sections),
        panel.page(f"{DEFAULTS}/{{section}}", show),
        panel.act(f"{DEFAULTS}/{{section}}", save, keeps=changes_kept),
        panel.act(f"{DEFAULTS}/{{section}}/review", review, keeps=fields_kept),
        panel.page(f"{DEFAULTS}/{{section}}/reset", reset, writes=True),
        panel.page(f"{DEFAULTS}/{{section}}/plan", show_plan),
        panel.act(f"{DEFAULTS}/{{section}}/plan", answer_plan),
        panel.page(BOUNDS, show_first_bounds),
        panel.page(f"{BOUNDS}/{{section}}", show_bounds),
        panel.act(f"{BOUNDS}/{{section}}", save_bounds, keeps=changes_kept),
        panel.act(f"{BOUNDS}/{{section}}/review", review_bounds, keeps=fields_kept),
        panel.page(f"{BOUNDS}/{{section}}/reset", lift, writes=True),
        panel.page(f"{BOUNDS}/{{section}}/plan", show_bounds_plan),
        panel.act(f"{BOUNDS}/{{section}}/plan", answer_bounds_plan),
    ]


def _bindable(panel: Panel) -> list[type[Section]]:
    return [
        section
        for section in panel.catalogue.of_tenants()
        if any(can_be_bound(section, name) for name in section.model_fields)
    ]


async def _layers(panel: Panel, request: Request) -> Layers:
    async with panel.platform.within(tenant_of(request).id) as db:
        return await service.load_in(db)


async def show_sections(panel: Panel, request: Request, session: AdminSession) -> Response:
    """Every section: how much of it the platform has set, and how much of it it binds."""
    layers = await _layers(panel, request)
    bindable = _bindable(panel)
    sections = [
        (
            section.key,
            title(section),
            about(section),
            len(section.model_fields),
            sum(name in section.model_fields for name in layers.platform.get(section.key, {})),
            len(valid_bounds(section, layers)),
            section in bindable,
            section.decided_by is DecidedBy.PLATFORM,
        )
        for section in panel.catalogue
    ]
    return panel.show(
        request, session, "defaults_index.html", current="Defaults", sections=sections
    )


async def show_first_bounds(panel: Panel, _: Request, __: AdminSession) -> Response:
    return go_to(f"{BOUNDS}/{_bindable(panel)[0].key}")


async def _defaults(panel: Panel, request: Request) -> Desk:
    section = panel.catalogue.get(request.path_params["section"])
    layers = await _layers(panel, request)
    known = await names(tenant_of(request), bys_of(layers))
    home = tenant_of(request).id

    async def sealed(changes: Values) -> Values:
        before = layers.platform.get(section.key, {})
        async with panel.platform.within(home) as db:
            return await seal(db, section, before, changes, panel.envelope, inherited={})

    async def inheriting(changes: Values, _: platform.Reach | None) -> heirs.Heirs:
        return await heirs.of_defaults(panel.platform, panel.catalogue, section, layers, changes)

    menu = [
        (each.key, title(each), f"{DEFAULTS}/{each.key}", len(layers.platform.get(each.key, {})), 0)
        for each in panel.catalogue
    ]
    return Desk(
        scope="defaults",
        section=section,
        address=f"{DEFAULTS}/{section.key}",
        template="defaults.html",
        current="Defaults",
        frame={
            "menu": menu,
            "is_ours": section.decided_by is DecidedBy.PLATFORM,
            "bounds_url": f"{BOUNDS}/{section.key}" if section in _bindable(panel) else "",
        },
        layers=layers,
        lines=of_defaults(section, layers, known),
        etag=etag(layers.seen("defaults", section.key)),
        known=known,
        whole=layers.platform.get(section.key, {}),
        opened=lambda: panel.platform.within(home),
        heirs=inheriting,
        seal=sealed,
    )


async def _bounds(panel: Panel, request: Request) -> Desk:
    section = panel.catalogue.of_tenant(request.path_params["section"])
    if section not in _bindable(panel):
        raise SectionUnknown("Nothing of this section takes a floor or a ceiling.")
    layers = await _layers(panel, request)
    known = await names(tenant_of(request), bys_of(layers))
    home = tenant_of(request).id

    async def touched(bounds: Values) -> tuple[platform.Reach, list[reach.Sum]]:
        found = await platform.preview_bounds(panel.platform, section, bounds)
        return found, await reach.shut_out(panel.platform, panel.catalogue, section, found)

    async def inheriting(_: Values, found: platform.Reach | None) -> heirs.Heirs:
        assert found is not None  # noqa: S101  (bounds have a reach)
        return await heirs.of_bounds(panel.platform, panel.catalogue, section, layers, found)

    menu = [
        (each.key, title(each), f"{BOUNDS}/{each.key}", len(valid_bounds(each, layers)), 0)
        for each in _bindable(panel)
    ]
    return Desk(
        scope="bounds",
        section=section,
        address=f"{BOUNDS}/{section.key}",
        template="bounds.html",
        current="Bounds",
        frame={"menu": menu, "defaults_url": f"{DEFAULTS}/{section.key}"},
        layers=layers,
        lines=of_bounds(section, layers, known),
        etag=etag(layers.seen("bounds", section.key)),
        known=known,
        whole={},
        opened=lambda: panel.platform.within(home),
        reach=touched,
        heirs=inheriting,
    )
