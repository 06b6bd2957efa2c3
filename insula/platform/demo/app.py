"""
The pages of the demo application, plain HTML throughout.

`uvicorn --factory insula.platform.demo.app:create_app --port 8001`
"""

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import httpx2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from insula.platform.demo import claims, registrations
from insula.platform.demo.localhost import LocalhostTransport
from insula.platform.demo.registrations import Registration
from insula.platform.demo.relying_party import RelyingParty
from insula.platform.demo.sessions import COOKIE, Session, Sessions
from insula.platform.demo.tokens import Refused
from insula.ui.assets import assets
from insula.ui.pages import environment

_TIMEOUT = 10.0
_SEE_OTHER = 303


def create_app(
    known: Mapping[str, Registration] | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Starlette:
    """Make the application from `.insula/dev.json`, or from *known* and *transport* in tests."""
    demo = _Demo(registrations.read() if known is None else known, transport)
    return Starlette(
        routes=[
            Route("/", demo.home),
            Route("/sign-in/{slug}", demo.sign_in),
            Route("/callback/{slug}", demo.callback),
            Route("/tenants/{slug}", demo.tenant),
            Route("/tenants/{slug}/refresh", demo.refresh, methods=["POST"]),
            Route("/tenants/{slug}/sign-out", demo.sign_out, methods=["POST"]),
            Route("/signed-out", demo.signed_out),
            Mount("/static", assets()),
        ],
        # A page elsewhere could have its own name point here and read the answers.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1"])],
        exception_handlers={Refused: demo.refused},
        lifespan=demo.lifespan,
    )


class _Demo:
    def __init__(
        self, known: Mapping[str, Registration], transport: httpx2.AsyncBaseTransport | None
    ) -> None:
        self._known = known
        self._sessions = Sessions()
        self._http = httpx2.AsyncClient(
            transport=transport or LocalhostTransport(), timeout=_TIMEOUT, follow_redirects=False
        )
        # A form here may end in a redirect to a provider, which browsers check as well.
        targets = " ".join(["'self'", *(tenant.issuer for tenant in known.values())])
        self._headers = {
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; style-src 'self'; font-src 'self';"
            f" img-src 'self'; form-action {targets}; base-uri 'none'; frame-ancestors 'none'",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        }

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:  # noqa: ARG002  # Starlette's shape
        async with self._http:
            yield

    async def home(self, request: Request) -> Response:
        return self._home(self._session(request), notice="")

    async def sign_in(self, request: Request) -> Response:
        session = self._session(request)
        url, state, pending = await self._party(request).begin()
        session.expect(state, pending)
        return self._see_other(url, self._sessions.keep(session))

    async def callback(self, request: Request) -> Response:
        party, session = self._party(request), self._session(request)
        slug = party.registration.slug
        pending = session.take(request.query_params.get("state", ""), slug)
        if pending is None:
            raise Refused("This browser began no such sign-in, or it took longer than ten minutes.")
        session.sign_ins[slug] = await party.complete(pending, request.query_params)
        # A redirect, so that reloading the page does not spend the code again.
        return self._see_other(f"/tenants/{slug}", self._sessions.renew(session))

    async def tenant(self, request: Request) -> Response:
        party, session = self._party(request), self._session(request)
        signed_in = session.sign_ins.get(party.registration.slug)
        if signed_in is None:
            return self._see_other("/", session)
        return self._page(
            "signed_in", tenant=party.registration, sign_in=signed_in, rows=claims.rows
        )

    async def refresh(self, request: Request) -> Response:
        self._check_origin(request)
        party, session = self._party(request), self._session(request)
        slug = party.registration.slug
        if slug not in session.sign_ins:
            return self._see_other("/", session)
        session.sign_ins[slug] = await party.refresh(session.sign_ins[slug])
        return self._see_other(f"/tenants/{slug}", session)

    async def sign_out(self, request: Request) -> Response:
        self._check_origin(request)
        party, session = self._party(request), self._session(request)
        slug = party.registration.slug
        ended = session.sign_ins.pop(slug, None)
        if ended is None:
            return self._see_other("/", session)
        state = secrets.token_urlsafe(32)
        session.signing_out[state] = party.registration.name
        return self._see_other(await party.sign_out_url(ended, state), session)

    async def signed_out(self, request: Request) -> Response:
        session = self._session(request)
        name = session.signing_out.pop(request.query_params.get("state", ""), None)
        return self._home(session, notice=f"You are signed out of {name}." if name else "")

    async def refused(self, request: Request, refusal: Exception) -> Response:  # noqa: ARG002  # Starlette's shape
        page = self._page("refused", reason=str(refusal))
        page.status_code = 400
        return page

    def _party(self, request: Request) -> RelyingParty:
        registration = self._known.get(request.path_params["slug"])
        if registration is None:
            raise HTTPException(404)
        return RelyingParty(registration, self._http)

    def _session(self, request: Request) -> Session:
        return self._sessions.find(request.cookies.get(COOKIE)) or Session()

    def _check_origin(self, request: Request) -> None:
        # Cookies do not know ports: a page of another local server could send this form. A page
        # that sends no referrer, as ours do not, has the origin "null" even at home.
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        at_home = origin == f"http://{request.headers['host']}"
        if not (at_home or (origin in (None, "null") and site == "same-origin")):
            raise HTTPException(403)

    def _home(self, session: Session, *, notice: str) -> Response:
        tenants = self._known.values()
        return self._page("home", tenants=tenants, sign_ins=session.sign_ins, notice=notice)

    def _page(self, name: str, **variables: object) -> Response:
        template = environment("platform/demo").get_template(f"demo/{name}.html")
        html = template.render(theme=None, branding=None, **variables)
        return HTMLResponse(html, headers=self._headers)

    def _see_other(self, url: str, session: Session) -> Response:
        response = RedirectResponse(url, _SEE_OTHER, headers=self._headers)
        if self._sessions.find(session.id) is session:
            set_cookie = partial(response.set_cookie, httponly=True, samesite="lax", path="/")
            set_cookie(COOKIE, session.id)
        return response
