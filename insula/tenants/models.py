"""The rules of slugs, names and domains (features.md A06, A08, A12)."""

import ipaddress
import re
import unicodedata
from typing import Final, Literal

from insula.tenancy.models import CANARIES, OPS, PLATFORMS, is_slug
from insula.tenants.errors import InvalidTenant, SlugNotHostSafe, SlugReserved

Status = Literal["active", "suspended", "archived", "deleting"]

RESERVED: Final = frozenset(
    {
        "default", "_ops", "_platforms", "_system", "ops", "platform", "platforms", "admin", "api",
        "auth", "www", "well-known", "oauth2", "oidc", "sso", "login", "sign-in", "account",
        "accounts", "static", "assets", "cdn", "mail", "smtp", "imap", "mx", "ns", "ftp",
        "localhost", "status", "support", "security", "abuse", "postmaster", "hostmaster",
        "webmaster", "root", "system", "autodiscover", "autoconfig", "mta-sts", "wpad", "isatap",
        *CANARIES,
        "new",  # the address of the form that makes tenants
    }
)  # fmt: skip

#: Which status may follow which (features.md A18); deletion comes with its own grace.
FOLLOWS: Final[dict[str, frozenset[str]]] = {
    "active": frozenset({"suspended", "archived"}),
    "suspended": frozenset({"active", "archived"}),
    "archived": frozenset({"active"}),
    "deleting": frozenset(),
}

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
#: Characters that are invisible or turn the direction of text: no name needs them.
_UNSEEN = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


def check_slug(slug: str, *, host_needed: bool) -> None:
    """
    Refuse a slug for a new tenant. *host_needed*: its only host will be `{slug}.{base}`.

    Raises `InvalidTenant`, `SlugReserved`, `SlugNotHostSafe`.
    """
    if slug in RESERVED or slug.startswith("xn--"):
        raise SlugReserved("This slug is reserved.", field="slug")
    if slug in (OPS, PLATFORMS) or not is_slug(slug):
        raise InvalidTenant(
            "lower-case letters, digits and hyphens, at most 63, beginning with a letter or digit",
            field="slug",
            example="acme",
        )
    if host_needed and not is_host_safe(slug):
        raise SlugNotHostSafe(
            "An underscore or a trailing hyphen is not legal in a host name, so nobody could reach "
            "the tenant; choose another slug or give the tenant a login domain.",
            field="slug",
        )


def is_host_safe(slug: str) -> bool:
    """Whether a slug may be the label of a host (features.md A06)."""
    return "_" not in slug and not slug.endswith("-")


def check_without_domain(slug: str) -> None:
    """Let a tenant have no primary domain where its slug is a host. Raises `SlugNotHostSafe`."""
    if not is_host_safe(slug):
        raise SlugNotHostSafe(
            "The slug is not legal in a host name, so this domain is all that leads to the tenant; "
            "make another one primary first.",
            field="domain",
        )


def check_display_name(name: str) -> str:
    """The name as it is kept: trimmed, without invisible and direction characters."""
    clean = "".join(c for c in name if unicodedata.category(c) not in _UNSEEN).strip()
    if not 1 <= len(clean) <= 255:  # noqa: PLR2004  (clearer than a name)
        raise InvalidTenant("1 to 255 characters", field="display_name", example="Acme Ltd")
    return clean


def normalise_domain(domain: str, base: str | None = None, field: str = "domain") -> str:
    """
    A login domain as it is kept: lower case, punycode, no trailing dot.

    Raises `InvalidTenant` for anything but a host name, and for one under *base*: those belong to
    tenants by their slugs, and two tenants never have one issuer.
    """
    text = domain.strip().removesuffix(".").lower()
    refusal = InvalidTenant(
        "must be a host name, without scheme, port, path or address",
        field=field,
        example="login.acme.example",
    )
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        pass
    else:
        raise refusal
    try:
        host = text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise refusal from error
    labels = host.split(".")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.match(label) for label in labels):  # noqa: PLR2004  (clearer than a name)
        raise refusal
    if _NUMBER.match(labels[-1]):  # what ends in a number is read as an address: 127.1, 1.0x7f
        raise refusal
    if base is not None and f".{host}".endswith(f".{base}"):
        raise InvalidTenant("stands under the base domain, where hosts follow slugs", field=field)
    return host
