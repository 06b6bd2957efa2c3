"""Uploads on the branding page, and the sign-in page as it would look (features.md J11)."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.assets import service as assets
from insula.assets.errors import InvalidImage, TooManyAssets
from insula.assets.routes import answer, digest_in
from insula.branding.look import compose
from insula.branding.settings import Application, Links, Look
from insula.config_overrides import service
from insula.config_overrides.resolution import is_valid, resolve
from insula.kernel.errors import NotFound
from insula.platform_admin.configuration.controls import typed
from insula.platform_admin.configuration.routes import form_page, review_form
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.one_tenant.routes import line_of
from insula.platform_admin.tenant_settings.routes import CONFIG, open_section
from insula.sign_in.guard import cookies_of, only
from insula.ui.accents import default_accent
from insula.ui.branding import Picture
from insula.ui.pages import render, theme_of
from insula.ui.stylesheets import Style, sheet_of
from insula.ui.tokens import THEMES

_BRANDING = f"{CONFIG}/{Look.key}"
_STATUS = {"too_large": 413, "media_type": 415, "quota_reached": 429}
#: The fields that a stylesheet is made of.
_SEEN = {name for name in Look.model_fields if Look.part(name)}
#: Shown inside a page of this host, it does nothing: no script, no form, no link leads on.
_PREVIEW = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox allow-same-origin"
    ),
    "x-frame-options": "SAMEORIGIN",
}


def routes(panel: Panel) -> list[Route]:
    return [
        panel.upload(f"{_BRANDING}/assets", post_asset),
        panel.page(f"{_BRANDING}/assets/{{digest}}", show_asset),
        panel.page(f"{_BRANDING}/preview", show_preview),
        panel.act(f"{_BRANDING}/preview", post_preview),
        panel.page(f"{_BRANDING}/preview.css", show_stylesheet),
    ]


async def post_asset(
    panel: Panel, request: Request, session: AdminSession, form: Form, files: dict[str, bytes]
) -> Response:
    """
    Keep an image, and show what it would change, with what else was typed into the section.

    Nothing is shown to people before the save.
    """
    line, kind = await line_of(panel, request), only(form, "kind")
    desk = await open_section(panel, request, Look.key)
    try:
        drawn = await assets.draw(kind, files.get(f"file.{kind}", b""))
        async with panel.platform.within(line.id) as db:
            kept = await assets.add(db, kind, drawn, platform_actor(request, session))
    except (InvalidImage, TooManyAssets) as refusal:
        values, errors = desk.typed(form)
        return form_page(
            panel, request, session, desk, values=values,
            errors={**errors, kind: refusal.description},
            status=_STATUS.get(refusal.code, 422),
        )  # fmt: skip
    return await review_form(panel, request, session, {**form, kind: [kept.path]}, desk)


async def show_asset(panel: Panel, request: Request, _: AdminSession) -> Response:
    """An image of the tenant, for whoever runs the platform."""
    line, digest = await line_of(panel, request), digest_in(request)
    async with panel.platform.within(line.id) as db:
        media_type, image = await assets.image_in(db, digest)
    return answer(request, digest, media_type, image, "private, no-store")


async def show_preview(panel: Panel, request: Request, _: AdminSession) -> Response:
    """What is stored, and over it what the query says."""
    query = {name: request.query_params.getlist(name) for name in request.query_params}
    return await _preview(panel, request, query)


async def post_preview(panel: Panel, request: Request, _: AdminSession, form: Form) -> Response:
    return await _preview(panel, request, form)


async def _preview(panel: Panel, request: Request, form: Form) -> Response:
    line = await line_of(panel, request)
    async with panel.platform.within(line.id) as db:
        layers = await service.load_in(db)
        kept = {each.path: each for each in await assets.all_of(db)}
    address = f"{TENANTS}/{line.slug}/config/{Look.key}"
    look = _with(resolve(Look, layers), form)
    seen = {
        name: value
        for name, value in look.model_dump(include=_SEEN).items()
        if value != Look.model_fields[name].default
    }
    seen.setdefault("accent_color", default_accent(line.slug))

    def picture(path: str) -> Picture:
        found = kept.get(path)
        name = path.rpartition("/")[2]
        size = (found.width, found.height) if found else (None, None)
        return Picture(f"{address}/assets/{name}", *size)

    host = line.primary_host or panel.naming.host(line.slug)
    branding = compose(
        line.slug, line.display_name, panel.naming.origin(host).partition("://")[2], look,
        resolve(Application, layers), resolve(Links, layers), picture,
        stylesheet_url=f"{address}/preview.css?{urlencode(seen)}",
    )  # fmt: skip
    asked = only(form, "theme")
    theme = asked if asked in THEMES else theme_of(cookies_of(request))
    html = render(
        "sign_in/sign_in.html", theme=theme, branding=branding, app=None,
        client=None, username="", errors=[], alert=None, csrf_token="", action="", user=None,
        switch_url=None,
    )  # fmt: skip
    return HTMLResponse(html, headers=_PREVIEW)


def _with(look: Look, form: Form) -> Look:
    """A look with what was typed, as far as it could be saved."""
    values, _ = typed(Look, form)
    valid = {name: v for name, v in values.items() if is_valid(Look, {name: v})}
    return Look.model_validate({**look.model_dump(), **valid})


async def show_stylesheet(_: Panel, request: Request, __: AdminSession) -> Response:
    """The stylesheet of a look. Raises `NotFound` for what is no such thing."""
    asked = {name: v for name, v in request.query_params.items() if name in _SEEN}
    try:
        look = Look.model_validate(asked)
    except ValueError as error:
        raise NotFound("No such look.") from error
    accent = look.accent_color or default_accent("")
    style = Style(accent, look.fonts, look.palette("light"), look.palette("dark"))
    return Response(
        sheet_of(style).body,
        media_type="text/css",
        headers={"cache-control": "no-store"},
    )
