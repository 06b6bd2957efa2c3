"""
Hints to the pages: `display`, `ui_locales`, `claims_locales`, `acr_values`, `login_hint`.

None of them can fail a request (OIDCC-3.1.2.1): they are stored with it, and the pages
make of them what they can. What level was reached is told in `acr`.
"""

from typing import Any

from insula.oidc.models import Features

PARAMETERS = frozenset({"acr_values", "claims_locales", "display", "login_hint", "ui_locales"})


def metadata(_features: Features) -> dict[str, Any]:
    return {"display_values_supported": ["page", "popup", "touch"]}
