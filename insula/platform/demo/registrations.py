"""Where this application is registered: the demo tenants of `.insula/dev.json`."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Registration:
    """What one tenant told us when it registered us, and whom to sign in as."""

    slug: str
    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str
    people: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.slug.capitalize()

    @property
    def host(self) -> str:
        return urlsplit(self.issuer).netloc

    @property
    def signed_out_uri(self) -> str:
        return self.redirect_uri.removesuffix(f"/callback/{self.slug}") + "/signed-out"


def read(path: Path | None = None) -> dict[str, Registration]:
    """Read the registrations, by slug, from *path* or the file that INSULA_DEV_JSON names."""
    path = path or Path(os.environ.get("INSULA_DEV_JSON", ".insula/dev.json"))
    tenants = json.loads(path.read_text())["tenants"]
    return {
        tenant["slug"]: Registration(
            slug=tenant["slug"],
            issuer=tenant["issuer"],
            client_id=tenant["clients"]["web"]["client_id"],
            client_secret=tenant["clients"]["web"]["client_secret"],
            redirect_uri=next(
                uri
                for uri in tenant["clients"]["web"]["redirect_uris"]
                if uri.endswith(f"/callback/{tenant['slug']}")
            ),
            people=(tenant["user"]["email"], tenant["admin"]["email"]),
        )
        for tenant in tenants
    }
