"""A tenant's Configuration tab: a page for each section (features.md C07, D08)."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.audit.models import Actor
from insula.branding.look import derived_colours
from insula.branding.settings import Look
from insula.config_overrides import service
from insula.config_overrides.impacts import Impact
from insula.config_overrides.models import Layers, Values, etag
from insula.config_overrides.resolution import explain, resolve
from insula.config_overrides.saving import merged
from insula.config_overrides.sealing import seal
from insula.kernel.settings import DecidedBy
from insula.platform_admin.configuration.controls import title
from insula.platform_admin.configuration.desk import Desk
from insula.platform_admin.configuration.lines import bys_of, of_tenant
from insula.platform_admin.configuration.planned import of_coming
from insula.platform_admin.configuration.routes import changes_kept, fields_kept, pages_of
from insula.platform_admin.guard import Panel
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.one_tenant.routes import ONE, frame_of, line_of
from insula.platform_admin.people import names
from insula.platform_admin.planned.routes import plan_pages_of
from insula.registry import service as registry
from insula.registry.models import TenantLine
from insula.sign_in.guard import go_to, tenant_of

CONFIG = f"{ONE}/config"
#: A page that shows another one of this host inside it.
_WITH_PREVIEW = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
    "frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def routes(panel: Panel) -> list[Route]:
    show, review, save, reset = pages_of(_opened, "tenant_section")
    show_plan, answer_plan = plan_pages_of(_opened, "tenant_section")
    return [
        panel.page(CONFIG, show_first),
        panel.page(f"{CONFIG}/{{section}}", show),
        panel.act(f"{CONFIG}/{{section}}", save, keeps=changes_kept),
        panel.act(f"{CONFIG}/{{section}}/review", review, keeps=fields_kept),
        panel.page(f"{CONFIG}/{{section}}/reset", reset, writes=True),
        panel.page(f"{CONFIG}/{{section}}/plan", show_plan),
        panel.act(f"{CONFIG}/{{section}}/plan", answer_plan),
    ]


async def show_first(panel: Panel, request: Request, _: AdminSession) -> Response:
    line = await line_of(panel, request)
    first = panel.catalogue.of_tenants()[0]
    return go_to(f"{TENANTS}/{line.slug}/config/{first.key}")


def menu_of(panel: Panel, line: TenantLine, layers: Layers) -> list[tuple[str, str, str, int, int]]:
    """Each section: key, name, address, how many values are own, and how many are clamped."""
    found = []
    for section in panel.catalogue:
        lines = explain(section, layers)
        found.append(
            (
                section.key,
                title(section),
                f"{TENANTS}/{line.slug}/config/{section.key}",
                sum(each.own is not None for each in lines),
                sum(each.source == "clamped" and each.own is not None for each in lines),
            )
        )
    return found


async def _opened(panel: Panel, request: Request) -> Desk:
    return await open_section(panel, request, request.path_params["section"])


async def open_section(panel: Panel, request: Request, key: str) -> Desk:
    """The desk of one section of the tenant that the address names. Raises `SectionUnknown`."""
    line = await line_of(panel, request)
    section = panel.catalogue.get(key)
    previews = section is Look
    async with panel.platform.within(line.id) as db:
        layers = await service.load_in(db)
    known = await names(tenant_of(request), bys_of(layers))
    lines = of_tenant(section, layers, known)
    inherited = resolve(section, Layers(platform=layers.platform, bounds=layers.bounds))

    async def sealed(changes: Values) -> Values:
        async with panel.platform.within(line.id) as db:
            return await seal(
                db, section, layers.own.get(section.key, {}), changes, panel.envelope,
                inherited=layers.platform.get(section.key, {}),
            )  # fmt: skip

    async def impacts(changes: Values, looking: Actor | None) -> list[Impact]:
        after = merged(layers.own.get(section.key, {}), changes)
        wanted = replace(layers, own={**layers.own, section.key: after})
        async with panel.platform.within(line.id) as db:
            found = await panel.catalogue.impacts(
                db, section, layers, wanted, names=looking is not None
            )
        if looking is not None and found:
            home = tenant_of(request).id
            await registry.note_look(panel.platform, home, line, looking, "applications")
        return found

    return Desk(
        scope="tenant",
        section=section,
        address=f"{TENANTS}/{line.slug}/config/{section.key}",
        template="tenant_configuration.html",
        current="Tenants",
        frame={
            **frame_of(panel, request, line, "Configuration"),
            "menu": menu_of(panel, line, layers),
            "is_ours": section.decided_by is DecidedBy.PLATFORM,
            "previews": previews,
            "derived": derived_colours(resolve(Look, layers), line.slug) if previews else {},
            "coming": of_coming(section, layers, known),
        },
        layers=layers,
        lines=lines,
        etag=etag(layers.seen("tenant", section.key)),
        known=known,
        whole={**inherited.model_dump(mode="json"), **layers.own.get(section.key, {})},
        opened=lambda: panel.platform.within(line.id),
        seal=sealed,
        impacts=impacts,
        policy=_WITH_PREVIEW if previews else "",
    )
