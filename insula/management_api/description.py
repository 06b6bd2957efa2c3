"""The OpenAPI 3.1 document: made of the routes once, completed for each host (features.md Z09)."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from fastapi.openapi.utils import get_openapi

from insula.management_api.guard import GuardedRoute
from insula.management_api.problems import MEDIA_TYPE
from insula.resource_servers.builtin import PATH, scopes_of
from insula.tenancy.models import DEFAULT, PLATFORMS

_TITLE: Final = "Insula management API"
_VERSION: Final = "1"
_TEXT: Final = (
    "Everything that an administrator's page does, for programs. Tokens come from the host's own "
    "issuer, for the audience that is this server's address. Refusals are problem documents "
    "(RFC 9457); lists are paged by `after`; a POST with an `Idempotency-Key` is done once in a "
    "day; an object's `ETag` may be sent back as `If-Match`."
)


class Descriptions:
    """The documents of all hosts: two are made of the routes, the rest is the host's name."""

    def __init__(self, routes: Sequence[GuardedRoute]) -> None:
        self._routes = routes
        self._made: dict[bool, dict[str, Any]] = {}

    def of(self, slug: str, issuer: str) -> dict[str, Any]:
        """The document of one tenant's host."""
        across = slug == PLATFORMS
        if across not in self._made:
            self._made[across] = _make(self._routes, across=across)
        says = deepcopy(self._made[across])
        says["servers"] = [{"url": issuer + PATH}]
        (scheme,) = says["components"]["securitySchemes"].values()
        for flow in scheme["flows"].values():
            flow["tokenUrl"] = f"{issuer}/oauth2/token"
        scheme["flows"]["authorizationCode"]["authorizationUrl"] = f"{issuer}/oauth2/authorize"
        return says


def _make(routes: Sequence[GuardedRoute], *, across: bool) -> dict[str, Any]:
    shown = [route for route in routes if across or not route.rule.across]
    says = get_openapi(title=_TITLE, version=_VERSION, description=_TEXT, routes=shown)
    scopes = {name: text[0] for name, text in scopes_of(PLATFORMS if across else DEFAULT).items()}
    says["components"]["headers"] = dict(_RATE_HEADERS)
    says["components"]["securitySchemes"] = {
        "insula": {
            "type": "oauth2",
            "description": "An access token of this host's issuer, bearer or DPoP.",
            "flows": {
                "clientCredentials": {"tokenUrl": "", "scopes": scopes},
                "authorizationCode": {"authorizationUrl": "", "tokenUrl": "", "scopes": scopes},
            },
        }
    }
    for method, operation in _operations(says):
        if method == "post":
            operation.setdefault("parameters", []).append(_IDEMPOTENCY)
        operation["responses"]["default"]["content"] = {
            MEDIA_TYPE: operation["responses"]["default"]["content"]["application/json"]
        }
        for response in operation["responses"].values():
            response["headers"] = {
                name: {"$ref": f"#/components/headers/{name}"} for name in _RATE_HEADERS
            }
    return says


def _operations(says: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    for methods in says["paths"].values():
        yield from methods.items()


_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Do this once: sent again within a day, it is answered again to whoever still has the "
        "scopes, the roles and the step-up of the first time."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


_RATE_HEADERS: Final = {
    name: {"description": text, "schema": {"type": "string"}}
    for name, text in (
        ("RateLimit", "What is left, and seconds until there is more."),
        ("RateLimit-Policy", "The limit and its window."),
    )
}
