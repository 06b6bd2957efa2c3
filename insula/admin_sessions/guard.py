"""
The administrators' door as pages use it: who is there, which form is theirs, and where to go first.

Every request asks the database, so that whoever lost a role or was disabled is out at once.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from insula.admin_sessions import service
from insula.admin_sessions.models import AdminSession
from insula.admin_sessions.settings import AdminSessionLife
from insula.assets.routes import read_upload
from insula.audit.models import Actor, ActorType
from insula.config_overrides.service import of
from insula.sign_in import csrf
from insula.sign_in.guard import (
    Pages,
    cookies_of,
    go_to,
    only,
    read_fields,
    tenant_of,
    with_cookies,
)
from insula.tenancy.db import Tenant

SIGN_IN = "/admin/sign-in"
STEP_UP = "/admin/step-up"
#: In an address: whoever comes had sent a form, and nothing was done.
UNSENT = "unsent"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}\Z")
#: Where a sign-in may lead: pages of administrators, and nowhere else.
_OURS = re.compile(r"/(?:admin|platform)(?:[/?][!-\[\]-~]*)?\Z")
_LONGEST_PATH = 600
_MOST_FILES = 8
_MOST_FIELDS = 400  # of a form of settings, two palettes in it; only who is signed in sends one


def is_ours(path: str) -> bool:
    """Whether *path* is an address that a form of ours may lead back to."""
    return len(path) <= _LONGEST_PATH and _OURS.match(path) is not None and "//" not in path


@dataclass(frozen=True, slots=True)
class Door:
    """Reads the cookie, finds who it belongs to, and checks the forms that come with it."""

    pages: Pages

    @property
    def cookie_name(self) -> str:
        return "__Host-insula_admin" if self.pages.jar.secure else "insula_admin"

    def token(self, request: Request) -> str | None:
        value = cookies_of(request).get(self.cookie_name, "")
        return value if _TOKEN.match(value) else None

    def cookie(self, tenant: Tenant, token: str) -> str:
        """
        The Set-Cookie value for a session, or the one that clears it for an empty token.

        Strict: nothing that another site starts is an administrator's doing.
        """
        age = of(tenant, AdminSessionLife).idle_minutes * 60 if token else 0
        parts = [f"{self.cookie_name}={token}", "Path=/", "HttpOnly", "SameSite=Strict"]
        if self.pages.jar.secure:
            parts.append("Secure")
        return "; ".join([*parts, f"Max-Age={age}"])

    async def session(self, request: Request) -> AdminSession | None:
        """The administrator of this request; None for nobody, or for anybody else."""
        token = self.token(request)
        if token is None:
            return None
        return await service.read(tenant_of(request), token)

    def renew(self, request: Request, session: AdminSession | None, response: Response) -> None:
        """Let the cookie live as long as the session, which this request has lengthened."""
        token = self.token(request)
        if session is None or not session.is_renewed or token is None:
            return
        written = response.headers.getlist("set-cookie")
        if not any(header.startswith(f"{self.cookie_name}=") for header in written):
            cookie = self.cookie(tenant_of(request), token).encode("latin-1")
            response.raw_headers.append((b"set-cookie", cookie))

    def sign_in_first(self, request: Request, form_page: str = "") -> Response:
        """
        Whoever is not signed in goes there; a program is told so (F13). A dead cookie goes.

        Of a form that was sent too late, *form_page* is where it stands: there they come back.
        """
        accept = request.headers.get("accept", "*/*")
        response: Response
        if "text/html" in accept or "*/*" in accept:
            response = go_to(f"{SIGN_IN}{coming_back(form_page or _here(request), form_page)}")
        else:
            response = _unauthorized(request)
        return with_cookies(response, self.cleared(request))

    def cleared(self, request: Request) -> tuple[str, ...]:
        """What clears a cookie that is nobody's: dead, ill-formed, doubled, or another tenant's."""
        return (
            (self.cookie(tenant_of(request), ""),)
            if self.cookie_name in cookies_of(request)
            else ()
        )

    def csrf_token(self, request: Request) -> str:
        """The token of the forms of this session, and of no other."""
        tenant = tenant_of(request)
        return csrf.token(
            self.pages.hmac_key, tenant.id, "administrator", self.token(request) or ""
        )

    async def fields(self, request: Request) -> dict[str, list[str]]:
        """The fields of a form of this host's, whoever sent it. Raises `CsrfFailed`, `Invalid`."""
        return await read_fields(request, _MOST_FIELDS)

    async def form(self, request: Request) -> dict[str, list[str]]:
        """The fields of a form that this session's page sent. Raises `CsrfFailed`, `Invalid`."""
        fields = await self.fields(request)
        presented = only(fields, "csrf_token") or request.headers.get("x-csrf-token")
        csrf.check_token(self.csrf_token(request), presented)
        return fields

    async def upload(self, request: Request) -> tuple[dict[str, list[str]], dict[str, bytes]]:
        """
        The fields of such a form, and the files in it by name.

        Raises `CsrfFailed`, `Invalid`.
        """
        if not request.headers.get("content-type", "").startswith("multipart/"):
            return await self.form(request), {}
        headers = request.headers
        csrf.check_origin(
            request.scope["insula.host"] or "",
            headers.get("origin"),
            headers.get("sec-fetch-site"),
        )
        fields, files = await read_upload(request, _MOST_FIELDS, _MOST_FILES)
        csrf.check_token(self.csrf_token(request), only(fields, "csrf_token"))
        return fields, files


def actor_of(
    request: Request, session: AdminSession | None = None, kind: ActorType = "admin"
) -> Actor:
    """Who acts, and from where."""
    return Actor(
        kind,
        str(session.user_id) if session else None,
        request.scope.get("insula.client_ip", ""),
        request.headers.get("user-agent", ""),
        request.scope.get("insula.request_id", ""),
        name=session.name if session else None,
    )


def _here(request: Request) -> str:
    """The address that is looked at, for coming back; a form is not sent twice."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.scope['path']}{query}" if request.method == "GET" else ""


def _unauthorized(request: Request) -> Response:
    return JSONResponse(
        {
            "type": "urn:insula:error:session_expired",
            "title": "Not signed in",
            "status": 401,
            "detail": "Sign in as an administrator first.",
            "instance": request.scope.get("insula.request_id", ""),
            "code": "session_expired",
        },
        401,
        {"cache-control": "no-store"},
        media_type="application/problem+json",
    )


def coming_back(page: str, unsent: object = "") -> str:
    """A query that leads back to a page of ours, and says that a form of it was not taken."""
    pairs = {"return_to": page} if is_ours(page) else {}
    return f"?{urlencode({**pairs, **({UNSENT: '1'} if unsent else {})})}" if pairs else ""


def step_up_first(back: str, *, unsent: bool = False) -> Response:
    """
    Whoever has not lately proved who they are does so, and comes back to the page *back*.

    With *unsent* a form of it was sent, and not taken.
    """
    return go_to(f"{STEP_UP}{coming_back(back, unsent)}")
