"""A tenant's look, from what it and the platform have decided; no trip."""

from insula.assets.models import digest_of
from insula.branding.settings import Application, Links, Look
from insula.config_overrides import service as config_overrides
from insula.tenancy.db import Tenant
from insula.ui.branding import Branding, Mark, Picture, default_accent

_LABELS = {
    "website": "Website",
    "support": "Help",
    "privacy_policy": "Privacy",
    "terms_of_service": "Terms",
}


def branding_of(tenant: Tenant) -> Branding:
    """What the tenant's pages show of it: its own choice, or its name and an accent of its own."""
    look = config_overrides.of(tenant, Look)
    application = config_overrides.of(tenant, Application)
    links = config_overrides.of(tenant, Links)
    name = look.company_name or application.title or tenant.display_name
    return Branding(
        name=name,
        tile_letter=name[:1].upper(),
        accent=look.accent_color or default_accent(tenant.slug),
        logo=_mark(tenant, look.logo_light, look.logo_dark),
        icon=_mark(tenant, look.logo_icon_light, look.logo_icon_dark),
        favicon=look.favicon or None,
        touch_icon=look.icon_url or None,
        host=tenant.issuer.partition("://")[2],
        links=tuple(
            (label, address)
            for field, label in _LABELS.items()
            if (address := getattr(links, field))
        ),
        description=application.description,
    )


def _mark(tenant: Tenant, light: str, dark: str) -> Mark | None:
    """A pair for light and dark pages; one that is missing is as the other."""
    pictures = [_picture(tenant, path) for path in (light or dark, dark or light) if path]
    return Mark(*pictures) if pictures else None


def _picture(tenant: Tenant, path: str) -> Picture:
    width, height = tenant.images.get((digest_of(path) or b"").hex(), (None, None))
    return Picture(path, width, height)
