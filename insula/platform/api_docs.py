"""
`docs/api.md` and `docs/openapi.json`, generated from the routes of the management API.

    python -m insula.platform.api_docs

writes them; a test fails when they are stale. They show the platform's host, which has all of it.
"""

import json
from pathlib import Path
from typing import Any, Final

from insula.management_api.api import ROUTES
from insula.management_api.description import Descriptions
from insula.management_api.reference import markdown
from insula.tenancy.models import PLATFORMS

_DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = _DOCS / "api.md"
DOCUMENT: Final = _DOCS / "openapi.json"


def document() -> dict[str, Any]:
    """The document of an imagined platform's host."""
    return Descriptions(ROUTES).of(PLATFORMS, "https://platform.auth.example")


def as_json() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def as_page() -> str:
    return markdown(document())


if __name__ == "__main__":
    DOCUMENT.write_text(as_json())
    PAGE.write_text(as_page())
