"""A tenant's look, from what it and the platform have decided; no trip."""

from collections.abc import Callable

from insula.assets.models import digest_of
from insula.branding.palettes import colour_fields
from insula.branding.settings import Application, Links, Look
from insula.config_overrides import service as config_overrides
from insula.tenancy.db import Tenant
from insula.ui.accents import default_accent
from insula.ui.branding import Branding, Mark, Picture
from insula.ui.palettes import complete
from insula.ui.tokens import THEMES

_LABELS = {
    "website": "Website",
    "support": "Help",
    "privacy_policy": "Privacy",
    "terms_of_service": "Terms",
}


def branding_of(tenant: Tenant) -> Branding:
    """What the tenant's pages show of it: its own choice, or its name and an accent of its own."""

    def picture(path: str) -> Picture:
        width, height = tenant.images.get((digest_of(path) or b"").hex(), (None, None))
        return Picture(path, width, height)

    return compose(
        tenant.slug,
        tenant.display_name,
        tenant.issuer.partition("://")[2],
        config_overrides.of(tenant, Look),
        config_overrides.of(tenant, Application),
        config_overrides.of(tenant, Links),
        picture,
    )


def derived_colours(look: Look, slug: str) -> dict[str, str]:
    """What each colour of the palettes is while it is not chosen, by field."""
    accent = look.accent_color or default_accent(slug)
    found = {theme: complete(accent, theme, dict(look.palette(theme))) for theme in THEMES}
    return {
        field: found[theme][name]
        for theme, name, field in colour_fields()
        if not getattr(look, field)
    }


def compose(  # noqa: PLR0913  (what a look is made of)
    slug: str,
    display_name: str,
    host: str,
    look: Look,
    application: Application,
    links: Links,
    picture: Callable[[str], Picture],
    stylesheet_url: str | None = None,
) -> Branding:
    """A look from its sections; *picture* says where an image is shown, and how large it is."""

    def mark(light: str, dark: str) -> Mark | None:
        if not light and not dark:
            return None
        return Mark(picture(light or dark), picture(dark or light))

    name = look.company_name or application.title or display_name
    return Branding(
        name=name,
        tile_letter=name[:1].upper(),
        accent=look.accent_color or default_accent(slug),
        fonts=look.fonts,
        palette_light=look.palette("light"),
        palette_dark=look.palette("dark"),
        logo=mark(look.logo_light, look.logo_dark),
        icon=mark(look.logo_icon_light, look.logo_icon_dark),
        favicon=picture(look.favicon).url if look.favicon else None,
        touch_icon=picture(look.icon_url).url if look.icon_url else None,
        host=host,
        links=tuple(
            (label, address)
            for field, label in _LABELS.items()
            if (address := getattr(links, field))
        ),
        description=application.description,
        stylesheet_url=stylesheet_url,
    )
