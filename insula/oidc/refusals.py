"""
How a refusal reaches whoever asked: as JSON, as a bearer challenge, or as a page.

The *description* of an error is said, its *detail* goes to our log. What nobody foresaw
says only a reference; the log has the rest under it.
"""

import json
from collections.abc import Mapping
from typing import Any

import structlog

from insula.kernel.errors import Unavailable
from insula.oidc.bearer import uses_dpop
from insula.oidc.client_authentication import uses_basic
from insula.oidc.errors import (
    BearerError,
    InvalidClient,
    InvalidProof,
    NonceNeeded,
    OAuthError,
    SlowDown,
    StepUpNeeded,
    TemporarilyUnavailable,
    UseDpopNonce,
)
from insula.oidc.features.dpop import ALGORITHMS
from insula.oidc.http import NO_STORE, Request, Response, json_answer, page
from insula.oidc.issuer import REGISTER, Issuer

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
    return _say_more(response, refusal)


def as_challenge(issuer: Issuer, request: Request, refusal: BearerError) -> Response:
    """
    RFC6750-3, DPOP-7.1: a bare challenge for whoever brought nothing, the error for the others.

    The scheme is the one that the caller tried; the bare challenge names all there are.
    """
    realm = _realm(request.path)
    if refusal.code is None:
        takes_dpop = issuer.features.dpop and realm != "registration"
        schemes = ["DPoP", "Bearer"] if takes_dpop else ["Bearer"]
        return _challenge(Response(refusal.status, NO_STORE), schemes, {"realm": realm})
    said = {"error": refusal.code, "error_description": refusal.description}
    _log.info("oidc.refused", **said, detail=refusal.detail, request_id=request.request_id)
    if refusal.scope:
        said["scope"] = refusal.scope
    if isinstance(refusal, StepUpNeeded):
        if refusal.acr_values:
            said["acr_values"] = refusal.acr_values
        if refusal.max_age is not None:
            said["max_age"] = str(refusal.max_age)
    is_of_dpop = isinstance(refusal, InvalidProof | NonceNeeded) or uses_dpop(request)
    response = json_answer(json.dumps(said).encode(), refusal.status)
    if isinstance(refusal, NonceNeeded):
        response.headers.append((b"dpop-nonce", refusal.nonce.encode("ascii")))
    return _challenge(response, ["DPoP" if is_of_dpop else "Bearer"], {"realm": realm, **said})


def _realm(path: str) -> str:
    if path.startswith(REGISTER):
        return "registration"
    return "api" if path.startswith("/api/") else "userinfo"


def _challenge(response: Response, schemes: list[str], said: Mapping[str, str]) -> Response:
    for scheme in schemes:
        fields = dict(said)
        if scheme == "DPoP":
            fields["algs"] = " ".join(ALGORITHMS)
        written = ", ".join(f'{name}="{value}"' for name, value in fields.items())
        response.headers.append((b"www-authenticate", f"{scheme} {written}".encode("ascii")))
    return response


def as_page(
    issuer: Issuer, request: Request, refusal: OAuthError, *, back: str | None = None
) -> Response:
    """
    Show the refusal to the person, and tell the client nothing.

    *back* is an address of the client, behind a button that names its host (AZ-11).
    """
    note(request, refusal)
    status = refusal.status if refusal.status in _OWN_STATUS else 400
    body = issuer.pages.error(
        status=status,
        code=refusal.code,
        title=_LATER if isinstance(refusal, TemporarilyUnavailable) else _TITLE,
        text=refusal.description,
        request_id=request.request_id,
        back=back,
    )
    return _say_more(page(body, status), refusal)


def for_now(away: Unavailable) -> TemporarilyUnavailable:
    """What is said of something that is away, whatever it is."""
    return TemporarilyUnavailable(
        "The service is not available at the moment",
        retry_after=away.retry_after,
        detail=away.detail or away.description,
    )


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


def _say_more(response: Response, refusal: OAuthError) -> Response:
    if isinstance(refusal, SlowDown | TemporarilyUnavailable):
        response.headers.append((b"retry-after", b"%d" % refusal.retry_after))
    if isinstance(refusal, UseDpopNonce):
        response.headers.append((b"dpop-nonce", refusal.nonce.encode("ascii")))
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
