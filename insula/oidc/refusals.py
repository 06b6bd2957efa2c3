"""
How a refusal reaches whoever asked: as JSON, as a bearer challenge, or as a page.

The *description* of an error is said, its *detail* goes to our log. What nobody foresaw
says only a reference; the log has the rest under it.
"""

import json
from typing import Any

import structlog

from insula.oidc.client_authentication import uses_basic
from insula.oidc.errors import (
    BearerError,
    InvalidClient,
    OAuthError,
    SlowDown,
    StepUpNeeded,
    TemporarilyUnavailable,
)
from insula.oidc.http import NO_STORE, Request, Response, json_answer, page
from insula.oidc.issuer import Issuer

_log = structlog.get_logger()

#: At the pages: every other refusal is a 400, whatever its status would be for a program.
_OWN_STATUS = frozenset({413, 429, 503})
_TITLE = "This request cannot be completed"
_LATER = "This is not available at the moment"
_BUG = "Something went wrong"
_BUG_TEXT = "The request could not be completed. Please try again."


def as_json(request: Request, refusal: OAuthError) -> Response:
    """RFC6749-5.2."""
    note(request, refusal)
    said = {"error": refusal.code, "error_description": refusal.description}
    response = json_answer(json.dumps(said).encode(), refusal.status)
    if isinstance(refusal, InvalidClient) and uses_basic(request):
        response.headers.append((b"www-authenticate", b'Basic realm="client", charset="UTF-8"'))
    return _say_when(response, refusal)


def as_challenge(request: Request, refusal: BearerError) -> Response:
    """RFC6750-3: a bare challenge for whoever brought nothing, the error for the others."""
    challenge = 'Bearer realm="userinfo"'
    if refusal.code is None:
        response = Response(refusal.status, NO_STORE)
    else:
        said = {"error": refusal.code, "error_description": refusal.description}
        _log.info("oidc.refused", **said, detail=refusal.detail, request_id=request.request_id)
        if refusal.scope:
            said["scope"] = refusal.scope
        if isinstance(refusal, StepUpNeeded):
            if refusal.acr_values:
                said["acr_values"] = refusal.acr_values
            if refusal.max_age is not None:
                said["max_age"] = str(refusal.max_age)
        challenge += "".join(f', {name}="{value}"' for name, value in said.items())
        response = json_answer(json.dumps(said).encode(), refusal.status)
    response.headers.append((b"www-authenticate", challenge.encode("ascii")))
    return response


def as_page(issuer: Issuer, request: Request, refusal: OAuthError) -> Response:
    """Show the refusal to the person, and tell the client nothing."""
    note(request, refusal)
    status = refusal.status if refusal.status in _OWN_STATUS else 400
    body = issuer.pages.error(
        status=status,
        code=refusal.code,
        title=_LATER if isinstance(refusal, TemporarilyUnavailable) else _TITLE,
        text=refusal.description,
        request_id=request.request_id,
    )
    return _say_when(page(body, status), refusal)


def bug_as_json(request: Request) -> Response:
    _log.exception("oidc.bug", path=request.path, request_id=request.request_id)
    said: dict[str, Any] = {
        "error": "server_error",
        "error_description": _BUG_TEXT,
        "request_id": request.request_id,
    }
    return json_answer(json.dumps(said).encode(), 500)


def bug_as_page(issuer: Issuer, request: Request) -> Response:
    _log.exception("oidc.bug", path=request.path, request_id=request.request_id)
    body = issuer.pages.error(
        status=500,
        code="server_error",
        title=_BUG,
        text=_BUG_TEXT,
        request_id=request.request_id,
    )
    return page(body, 500)


def _say_when(response: Response, refusal: OAuthError) -> Response:
    if isinstance(refusal, SlowDown | TemporarilyUnavailable):
        response.headers.append((b"retry-after", b"%d" % refusal.retry_after))
    return response


def note(request: Request, refusal: OAuthError) -> None:
    _log.info(
        "oidc.refused",
        error=refusal.code,
        error_description=refusal.description,
        detail=refusal.detail,
        client_id=request.client.client_id if request.client else None,
        path=request.path,
        request_id=request.request_id,
    )
