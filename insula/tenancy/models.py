"""What is only data: names of tenants, hosts and issuers, and the rules between them."""

import re
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

DEFAULT_TENANT_ID: Final = UUID("00000000-0000-4000-8000-000000000001")
DEFAULT: Final = "default"
OPS: Final = "_ops"
PLATFORMS: Final = "_platforms"
#: Two that are only looked for (insula.isolation): for a request from outside there are none such.
CANARIES: Final = ("_canary-a", "_canary-b")

#: Labels that stand for slugs which are not legal in host names (features.md D02, E01).
ALIASES: Final = {"ops": OPS, "platform": PLATFORMS}

_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")

Environment = Literal["development", "staging", "production"]


def is_slug(text: str) -> bool:
    """Whether *text* could name a tenant at resolution (A06); the special names come before."""
    return text in (OPS, PLATFORMS) or _SLUG.match(text) is not None


@dataclass(frozen=True, slots=True)
class Naming:
    """
    How hosts and issuers are formed: from configuration, never from a request (A13).

    *base* is the domain that all tenants' hosts stand under; *port* is part of issuers when it is
    not the scheme's own, as in development.
    """

    base: str
    scheme: Literal["http", "https"] = "https"
    port: int | None = None
    multi_tenant: bool = True

    def host(self, slug: str) -> str:
        """The tenant's host under the base domain, without port."""
        if slug == DEFAULT:
            return self.base
        label = {alias_of: alias for alias, alias_of in ALIASES.items()}.get(slug, slug)
        return f"{label}.{self.base}"

    def origin(self, host: str) -> str:
        """Scheme, host and, where needed, port."""
        default = {"http": 80, "https": 443}[self.scheme]
        port = "" if self.port in (None, default) else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    def slug_of(self, host: str) -> str | None:
        """The slug that *host* names under the base domain; None if it stands elsewhere."""
        label = host.removesuffix(f".{self.base}")
        if label == host or not label or "." in label:
            return None
        return ALIASES.get(label, label)
