"""
What each page does, as a call of the management API (UI-7).

By the address of the page: one that is here shows its call at its foot, and one that has none
stands in `WITHOUT` with the reason. A test holds both against the routes there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from insula.platform_admin.navigation import HOME, TENANTS
from insula.ui.views import ApiCall

_ONE: Final = f"{TENANTS}/{{slug}}"
_CONFIG: Final = f"{_ONE}/config"
_PREFIX: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Call:
    """
    A route of the API. Names in braces are filled in from the address of the page, or stay.

    *at_tenant*: it is the tenant's own, at its own host; *scope* is without its prefix.
    """

    method: str
    path: str
    scope: str
    body: str = ""
    query: str = ""
    at_tenant: bool = False


_STATUS = Call("POST", "/tenants/{slug}/status", "tenants:write")
_SECTION = "/tenants/{slug}/config/{section}"
_VALUES = '{"FIELD": "VALUE"}'

CALLS: Final[Mapping[str, Call]] = {
    HOME: Call("GET", "/platform/stats", "cross-tenant:read"),
    TENANTS: Call("GET", "/tenants", "tenants:read", query="?limit=25"),
    f"{TENANTS}/new": Call(
        "POST", "/tenants", "tenants:write", '{"slug": "SLUG", "display_name": "NAME"}'
    ),
    _ONE: Call("GET", "/tenants/{slug}", "tenants:read"),
    f"{_ONE}/edit": Call("PATCH", "/tenants/{slug}", "tenants:write", '{"display_name": "NAME"}'),
    f"{_ONE}/users": Call("GET", "/tenants/{slug}/users", "cross-tenant:read"),
    f"{_ONE}/hosts": Call("GET", "/tenants/{slug}/hosts", "tenants:read"),
    f"{_ONE}/keys": Call("GET", "/keys", "keys:read", at_tenant=True),
    f"{_ONE}/activity": Call("GET", "/audit", "audit:read", at_tenant=True),
    f"{_ONE}/domains": Call(
        "POST", "/tenants/{slug}/hosts", "tenants:write", '{"host": "HOST", "method": "dns"}'
    ),
    f"{_ONE}/domains/vouch": Call(
        "POST", "/tenants/{slug}/hosts/{host}/verify", "tenants:write", '{"override_reason": "WHY"}'
    ),
    f"{_ONE}/domains/primary": Call(
        "POST", "/tenants/{slug}/hosts/{host}/primary", "tenants:write"
    ),
    f"{_ONE}/domains/remove": Call("DELETE", "/tenants/{slug}/hosts/{host}", "tenants:write"),
    **{
        f"{_ONE}/{verb}": Call(
            _STATUS.method, _STATUS.path, _STATUS.scope, f'{{"status": "{to}", "reason": "WHY"}}'
        )
        for verb, to in (("suspend", "suspended"), ("archive", "archived"), ("activate", "active"))
    },
    f"{_ONE}/delete": Call("DELETE", "/tenants/{slug}", "tenants:delete"),
    f"{_ONE}/deletion": Call("GET", "/tenants/{slug}/deletion", "tenants:read"),
    f"{_ONE}/undo-delete": Call("POST", "/tenants/{slug}/undo-delete", "tenants:delete"),
    "/platform/deletions": Call("GET", "/tenants", "tenants:read", query="?status=deleting"),
    _CONFIG: Call("GET", "/tenants/{slug}/config", "cross-tenant:read"),
    f"{_CONFIG}/{{section}}": Call("PATCH", _SECTION, "cross-tenant:write", _VALUES),
    f"{_CONFIG}/{{section}}/review": Call("PATCH", _SECTION, "cross-tenant:write", _VALUES),
    f"{_CONFIG}/{{section}}/reset": Call("DELETE", _SECTION, "cross-tenant:write"),
    f"{_CONFIG}/{{section}}/plan": Call("POST", f"{_SECTION}/plan/apply", "cross-tenant:write"),
    f"{_CONFIG}/{{section}}/release": Call(
        "POST", f"{_SECTION}/release", "cross-tenant:write",
        '{"fields": ["FIELD"], "reason": "WHY"}',
    ),
    f"{_CONFIG}/history": Call("GET", "/settings/versions", "settings:read", at_tenant=True),
    f"{_CONFIG}/history/{{number:int}}": Call(
        "POST", "/settings/versions/{number}/restore", "settings:write", at_tenant=True
    ),
    f"{_CONFIG}/import": Call(
        "POST", "/settings/import", "settings:write",
        '{"settings": {"SECTION": {"FIELD": "VALUE"}}, "reason": "WHY"}', at_tenant=True,
    ),
    "/platform/defaults": Call("GET", "/platform/defaults/{section}", "cross-tenant:read"),
    **{
        f"/platform/{layer}/{{section}}{step}": Call(
            "PUT", f"/platform/{layer}/{{section}}", "cross-tenant:write",
            "{}" if step == "/reset" else _VALUES,
        )
        for layer in ("defaults", "bounds")
        for step in ("", "/review", "/reset")
    },
    **{
        f"/platform/{layer}/{{section}}/plan": Call(
            "POST", f"/platform/{layer}/{{section}}/plan/apply", "cross-tenant:write"
        )
        for layer in ("defaults", "bounds")
    },
    "/platform/defaults/history": Call("GET", "/platform/settings/versions", "cross-tenant:read"),
    "/platform/defaults/history/{number:int}": Call(
        "GET", "/platform/settings/versions/{number}", "cross-tenant:read"
    ),
    "/platform/defaults/history/{number:int}/restore": Call(
        "POST", "/platform/settings/versions/{number}/restore", "cross-tenant:write"
    ),
    "/platform/templates": Call("GET", "/platform/templates", "cross-tenant:read"),
    "/platform/templates/new": Call(
        "POST", "/platform/templates", "cross-tenant:write",
        '{"name": "NAME", "settings": {"SECTION": {"FIELD": "VALUE"}}}',
    ),
    "/platform/templates/{name}": Call(
        "PUT", "/platform/templates/{name}", "cross-tenant:write",
        '{"settings": {"SECTION": {"FIELD": "VALUE"}}}',
    ),
    "/platform/templates/{name}/delete": Call(
        "DELETE", "/platform/templates/{name}", "cross-tenant:write"
    ),
    "/platform/bounds": Call("GET", "/platform/bounds/{section}", "cross-tenant:read"),
    "/platform/keys": Call("GET", "/keys", "keys:read"),
    "/platform/pool": Call("GET", "/platform/pool", "cross-tenant:read"),
    "/platform/jobs": Call("GET", "/platform/jobs", "cross-tenant:read"),
    "/platform/jobs/{job:int}": Call("GET", "/platform/jobs/{job}", "cross-tenant:read"),
    "/platform/jobs/{job:int}/forget": Call(
        "DELETE", "/platform/jobs/{job}", "cross-tenant:write"
    ),
    "/platform/isolation": Call("GET", "/platform/isolation", "cross-tenant:read"),
    "/platform/audit": Call("GET", "/audit", "audit:read"),
}  # fmt: skip

_FILE: Final = "a file, and no page: its foot is not ours to write on"
_PART: Final = "a part of the look's page, which has the call"
#: Pages that no route stands for, and why.
WITHOUT: Final[Mapping[str, str]] = {
    f"{TENANTS}.csv": _FILE,
    f"{TENANTS}.json": _FILE,
    "/platform/audit.csv": _FILE,
    "/platform/audit.json": _FILE,
    f"{_CONFIG}/export.json": _FILE,
    f"{_ONE}/deletion.jwt": _FILE,
    f"{_CONFIG}/branding/assets/{{digest}}": _PART,
    f"{_CONFIG}/branding/preview": _PART,
    f"{_CONFIG}/branding/preview.css": _PART,
    f"{_ONE}/users/link": "links that open an account are made by a person who looks at it",
    "/platform/deployment": "how processes were started is told by `insula config`",
}


def call_of(page: str, names: Mapping[str, object], here: str, tenant: str) -> ApiCall | None:
    """The call of a page, *here* being the platform's origin and *tenant* that of its tenant."""
    call = CALLS.get(page)
    if call is None:
        return None
    path = call.path
    for name, value in names.items():
        # somebody may have made the address: it ends in a shell, between single quotes
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    origin = tenant if call.at_tenant else here
    url = f"{origin}{_PREFIX}{_shouted(path)}{call.query}"
    return ApiCall(call.method, url, f"insula:{call.scope}", call.body)


def _shouted(path: str) -> str:
    """Names that the page does not fill in, as the placeholders that they are."""
    return "/".join(
        part[1:-1].upper() if part.startswith("{") else part for part in path.split("/")
    )
