"""
Rendering: one Jinja environment for each package with templates, all of them strict.

A package's pages stand in `insula/<package>/templates/<package>/`; those of `ui`,
which they extend and import, are visible to all.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from insula.ui.assets import assets
from insula.ui.branding import branding_href
from insula.ui.views import initials

THEME_COOKIE = "insula_theme"

# A field named "submit" would hide the form's own method of that name.
FORM_POST_SCRIPT = "HTMLFormElement.prototype.submit.call(document.forms[0])"
FORM_POST_SCRIPT_HASH = "sha256-" + base64.b64encode(
    hashlib.sha256(FORM_POST_SCRIPT.encode()).digest()
).decode("ascii")

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_WEB = frozenset({"https", "http", "mailto"})
_PACKAGES = Path(__file__).parents[1]


@cache
def environment(*packages: str) -> Environment:
    """Make the environment that finds the templates of `ui` and of *packages*."""
    jinja = Environment(
        loader=FileSystemLoader([_PACKAGES / name / "templates" for name in ("ui", *packages)]),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    jinja.globals.update(
        asset=lambda name: assets().url(name),
        icon_href=lambda name: assets().icon(name),
        branding_href=branding_href,
        form_post_script=Markup(FORM_POST_SCRIPT),  # noqa: S704 - a constant of ours
    )
    jinja.filters.update(
        host_of=host_of,
        bare=bare,
        initials=initials,
        moment=moment,
        day=day,
        ago=ago,
        number=number,
        web=web,
    )
    return jinja


def framing_policy(frames: Iterable[str]) -> str:
    """The policy of a page that loads *frames*, addresses of clients, and nothing else."""
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(frame)) for frame in frames}
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"frame-src {' '.join(sorted(origins))}"
    )


def render(name: str, /, *, theme: str | None = None, **variables: object) -> str:
    """Render the page *name*, such as "sign_in/consent.html", with exactly its variables."""
    package = name.partition("/")[0]
    jinja = environment() if package == "ui" else environment(package)
    return jinja.get_template(name).render(theme=theme, **variables)


def theme_of(cookies: Mapping[str, str]) -> str | None:
    """Read the theme that a person has chosen; None leaves it to the system."""
    chosen = cookies.get(THEME_COOKIE)
    return chosen if chosen in {"light", "dark"} else None


def moment(at: datetime) -> str:
    """Write a moment so that it cannot be misread in another zone."""
    if at.tzinfo is None:
        raise ValueError("a moment without its zone is a guess")
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def day(at: datetime) -> str:
    """Write the day of a moment, in UTC."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y}"


def ago(at: datetime | None) -> str:
    """Write how long ago a moment of the last day was, and the day of an earlier one."""
    if at is None:
        return "never"
    seconds = int((datetime.now(UTC) - at).total_seconds())
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min ago"
    return f"{seconds // _HOUR} h ago" if seconds < _DAY else day(at)


def number(n: int) -> str:
    """Write a number so that its thousands are seen."""
    return f"{n:,}"


def web(address: str | None) -> str | None:
    """
    Let only addresses through that a browser opens as a page or a mail.

    Links of tenants and clients were checked when they were saved; this is the
    second lock, on the page where `javascript:` would do the most harm.
    """
    if address is None:
        return None
    try:
        scheme = urlsplit(address).scheme
    except ValueError:  # a bracket that no IPv6 address closes
        return None
    return address if address.startswith("/") or scheme in _WEB else None


def host_of(address: str) -> str:
    return urlsplit(address).hostname or address


def bare(address: str) -> str:
    """Shorten a web address for reading; the host stays, since that is what tells people apart."""
    parts = urlsplit(address)
    return f"{parts.hostname}{parts.path}".removesuffix("/") if parts.hostname else address
