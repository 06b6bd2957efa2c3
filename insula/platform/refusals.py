"""
Refusals outside any tenant's pages, each in the caller's format (features.md CR-2).

A program at the protocol's endpoints gets OAuth JSON, one at the API a problem document, a
browser a page with a short code and the request id. No text repeats input.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any

from insula.tenancy.db import Tenant
from insula.ui.branding import Branding
from insula.ui.pages import render

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TITLES = {
    "tenant_required": "Which organisation?",
    "tenant_invalid": "This address is not well formed",
    "tenant_mismatch": "Two organisations at once",
    "tenant_not_found": "There is nobody at this address",
    "tenant_not_active": "This organisation is not active",
    "not_found": "There is nothing here",
    "forbidden": "Not for this account",
    "tenant_protected": "This tenant stays as it is",
    "method_not_allowed": "Not this way",
    "too_large": "That is too much",
    "busy": "One moment, please",
    "rate_limited": "Too many tries",
    "csrf_failed": "This form did not come from here",
    "session_expired": "This sign-in has expired",
    "link_expired": "This link leads nowhere",
    "server_error": "Something went wrong",
}
#: What the protocol calls it (RFC6749-5.2), where it has a word.
_OAUTH = {
    403: "access_denied",
    413: "invalid_request",
    431: "invalid_request",
    500: "server_error",
    503: "temporarily_unavailable",
}
_PAGES = frozenset({"/oauth2/authorize", "/oauth2/authorize/resume", "/oauth2/logout"})


def wants(scope: Scope) -> str:
    """The caller's format: "oauth", "problem" or "page"."""
    path = scope["path"]
    if path.startswith("/api/"):
        return "problem"
    if path in _PAGES:
        return "page"
    if path.startswith(("/oauth2/", "/.well-known/")):
        return "oauth"
    for name, value in scope["headers"]:
        if name == b"accept":
            if b"text/html" in value or b"*/*" in value:
                return "page"
            return "problem" if b"json" in value else "page"
    return "page"


async def refuse(  # noqa: PLR0913  (the parts of a refusal)
    scope: Scope,
    send: Send,
    status: int,
    code: str,
    text: str,
    *,
    retry_after: int | None = None,
    branding: Callable[[Tenant], Branding] | None = None,
    allow: str | None = None,
    action: tuple[str, str] | None = None,
) -> None:
    """Answer with a refusal. *action* is a label and a path of ours that helps the person on."""
    request_id = scope.get("insula.request_id", "")
    kind = wants(scope)
    if kind == "oauth":
        error = _OAUTH.get(status, code)
        body = json.dumps({"error": error, "error_description": text}).encode()
        content_type = b"application/json"
    elif kind == "problem":
        body = json.dumps(
            {
                "type": f"urn:insula:error:{code}",
                "title": _TITLES.get(code, "Refused"),
                "status": status,
                "detail": text,
                "instance": request_id,
                "code": code,
            }
        ).encode()
        content_type = b"application/problem+json"
    else:
        tenant = scope.get("insula.tenant")
        body = render(
            "ui/error.html",
            branding=branding(tenant) if branding and tenant is not None else None,
            code=code,
            title=_TITLES.get(code, "This did not work"),
            text=text,
            request_id=request_id,
            at=datetime.now(UTC),
            action_label=action[0] if action else None,
            action_url=action[1] if action else None,
            cancel_host=None,
        ).encode()
        content_type = b"text/html; charset=utf-8"
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if retry_after is not None or status == 503:  # noqa: PLR2004  (clearer than a name)
        headers.append((b"retry-after", str(retry_after or 2).encode()))
    if allow is not None:
        headers.append((b"allow", allow.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
