"""Who may be on a page of the platform, and what every page of it has around it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Match, Route

from insula.admin_sessions.guard import Door, actor_of, step_up_first
from insula.admin_sessions.models import AdminSession
from insula.audit.models import Actor
from insula.config_overrides.catalogue import Catalogue
from insula.figures.service import Keeper
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Denied, InsulaError
from insula.keys.settings import KeyRotation
from insula.platform_admin import kept
from insula.platform_admin.calls import call_of
from insula.platform_admin.navigation import GROUPS, HOME, TENANTS
from insula.providers.pool import Figures
from insula.sign_in.guard import cookies_of, with_cookies
from insula.tenancy.db import Platform
from insula.tenancy.models import Naming
from insula.tenants.domains.proofs import Prover
from insula.ui.pages import render, theme_of
from insula.ui.views import ApiCall, Person, Shell, hue_of

#: Where a request keeps the address of its page, as it was mounted.
_PAGE = "insula.page"
#: Where it keeps the tenant that its page is about.
_OPENED = "insula.opened"
#: Where it keeps what had been typed into its form.
_KEPT = "insula.kept"
_IS_FILLED = "insula.is_filled"
RECENT_COOKIE = "insula_recent"
FAVOURITES_COOKIE = "insula_favourites"
MOST_FAVOURITES = 20
_MOST_RECENT = 6
_MONTH = 30 * 24 * 3600
_YEAR = 365 * 24 * 3600

Form = dict[str, list[str]]
Cookies = tuple[str, ...]
Show = Callable[["Panel", Request, AdminSession], Awaitable[Response]]
Act = Callable[["Panel", Request, AdminSession, Form], Awaitable[Response]]
#: The fields of a form that fill it in again if it came too late: those, or as the page says.
Keeps = tuple[str, ...] | Callable[["Panel", Request], Iterable[str]]
Upload = Callable[["Panel", Request, AdminSession, Form, dict[str, bytes]], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Installation:
    """What the pages tell of the installation itself."""

    #: Variable, value with secrets masked, and where it came from.
    variables: Callable[[], list[tuple[str, str, str]]]
    warnings: Callable[[], list[str]]
    events: Callable[[], str]
    pool: Callable[[], Figures]
    #: For how many seconds nobody asked for a tenant's provider, if this process has it ready.
    idle: Callable[[UUID], float | None]
    release: str


@dataclass(frozen=True, slots=True)
class Panel:
    """What the pages work with, wired once per process."""

    door: Door
    platform: Platform
    naming: Naming
    envelope: Envelope
    rotation: KeyRotation
    installation: Installation
    catalogue: Catalogue
    prover: Prover
    keeper: Keeper
    #: Every page, so that a form that came too late leads back to where it stands.
    pages: list[Route] = field(default_factory=list, init=False)

    def page(self, path: str, show: Show, *, writes: bool = False, proved: bool = False) -> Route:
        """
        A page to look at.

        With *writes* it is nothing but a form, which a viewer could not send; with *proved* also
        for whoever has lately shown who they are.
        """

        async def endpoint(request: Request) -> Response:
            request.scope[_PAGE] = path
            session = await self.door.session(request)
            if session is None:
                return self.door.sign_in_first(request)
            _refuse_strangers(session, writes=writes or proved)
            if proved and not session.is_proved:
                query = f"?{request.url.query}" if request.url.query else ""
                return step_up_first(f"{request.scope['path']}{query}")
            spent = self._fill_in(request, session)
            response = with_cookies(await show(self, request, session), spent)
            self._remember(request, session, response)
            self.door.renew(request, session, response)
            return response

        route = Route(path, endpoint, methods=["GET"], name=show.__name__)
        self.pages.append(route)
        return route

    def act(
        self,
        path: str,
        act: Act,
        *,
        proved: bool = False,
        query: tuple[str, ...] = (),
        keeps: Keeps = ("reason",),
    ) -> Route:
        """
        What changes something: a form of this session's, from somebody who may.

        If it comes too late it leads back to its page, whose address has the fields in *query*,
        and which is filled in again with those that it *keeps*.
        """

        def late(request: Request, session: AdminSession | None, form: Form) -> tuple[str, Cookies]:
            """The page of the form, and the cookies that fill it in."""
            names = keeps if isinstance(keeps, tuple) else keeps(self, request)
            page, whose = self._page_of(request), str(session.user_id) if session else ""
            text = kept.seal(self.door.pages.hmac_key.hex(), page, whose, form, names)
            asked = urlencode({name: form[name][0] for name in query if form.get(name)})
            cookies: Cookies = ()
            if text:
                cookies = (self._kept_cookie(text, kept.SECONDS),)
            elif self._typed(request, page, whose) is not None:  # of before: it is not this form
                cookies = (self._kept_cookie("", 0),)
            return f"{page}?{asked}" if asked else page, cookies

        async def endpoint(request: Request) -> Response:
            request.scope[_PAGE] = path
            session = await self.door.session(request)
            if session is None:
                page, cookies = late(request, None, await self._sent(request))
                return with_cookies(self.door.sign_in_first(request, page), cookies)
            _refuse_strangers(session, writes=True)
            form = await self.door.form(request)
            if proved and not session.is_proved:
                page, cookies = late(request, session, form)
                return with_cookies(step_up_first(page, unsent=True), cookies)
            response = await act(self, request, session, form)
            self.door.renew(request, session, response)
            return response

        return Route(path, endpoint, methods=["POST"], name=act.__name__)

    def upload(self, path: str, act: Upload) -> Route:
        """As `act`, for a form with files in it."""

        async def endpoint(request: Request) -> Response:
            request.scope[_PAGE] = path
            session = await self.door.session(request)
            if session is None:
                return self.door.sign_in_first(request, self._page_of(request))
            _refuse_strangers(session, writes=True)
            response = await act(self, request, session, *await self.door.upload(request))
            self.door.renew(request, session, response)
            return response

        return Route(path, endpoint, methods=["POST"], name=act.__name__)

    def _page_of(self, request: Request) -> str:
        """Where the form of this request stands: at its own address, or at the next one above."""
        path: str = request.scope["path"]
        while path and not any(
            page.matches({**request.scope, "path": path, "method": "GET"})[0] is Match.FULL
            for page in self.pages
        ):
            path = path.rpartition("/")[0]
        return path

    async def _sent(self, request: Request) -> Form:
        """What was in a form whose session has ended; only of what a page of ours has sent."""
        if request.headers.get("sec-fetch-site") == "same-origin":
            with suppress(InsulaError):
                return await self.door.fields(request)
        return {}

    @property
    def _kept_name(self) -> str:
        return "__Host-insula_typed" if self.door.pages.jar.secure else "insula_typed"

    def _kept_cookie(self, text: str, age: int) -> str:
        secure = "; Secure" if self.door.pages.jar.secure else ""
        return f"{self._kept_name}={text}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}"

    def _typed(self, request: Request, page: str, whose: str) -> Form | None:
        """What this browser keeps for *page*; as `kept.unseal`."""
        text = cookies_of(request).get(self._kept_name, "")
        secret = self.door.pages.hmac_key.hex()
        return kept.unseal(secret, page, whose, text) if text else None

    def _fill_in(self, request: Request, session: AdminSession) -> Cookies:
        """Let a page have what was typed into its form too late, and spend that."""
        found = self._typed(request, request.scope["path"], str(session.user_id))
        if found is None:
            return ()
        request.scope[_KEPT] = found
        return (self._kept_cookie("", 0),)

    def show(
        self,
        request: Request,
        session: AdminSession,
        name: str,
        /,
        *,
        current: str,
        status: int = 200,
        **variables: Any,  # noqa: ANN401  (a template's variables)
    ) -> HTMLResponse:
        """The page *name* inside the shell; *current* is its line of the menu."""
        person = Person(
            session.name, session.email or session.username, hue_of(str(session.user_id))
        )
        query = f"?{request.url.query}" if request.url.query else ""
        shell = Shell(
            scope="platform",
            name="Platform",
            host=request.scope["insula.host"] or "",
            letter="P",
            home=HOME,
            jump_url=f"{TENANTS}?search=1",
            jump_label="Search all tenants",
            groups=GROUPS,
            current=current,
            person=person,
            role=session.title,
            zone="UTC",
            csrf_token=self.door.csrf_token(request),
            here=f"{request.scope['path']}{query}" if request.method == "GET" else HOME,
            api=self._call(request),
        )
        filled = kept.filled(variables, request.scope.get(_KEPT, {}))
        html = render(
            f"platform_admin/{name}",
            theme=theme_of(cookies_of(request)),
            shell=shell,
            may_write=session.runs_platform,
            starred=favourites_of(request, session),
            csrf_token=shell.csrf_token,
            is_filled_again=request.scope.get(_IS_FILLED, False) or filled != variables,
            **filled,
        )
        return HTMLResponse(html, status)

    def _remember(self, request: Request, session: AdminSession, response: Response) -> None:
        """Put the tenant that was opened before those that were; a cookie of this browser."""
        opened: UUID | None = request.scope.get(_OPENED)
        before = recent_of(request, session)
        if opened is None or before[:1] == [opened]:
            return
        ids = [opened, *(each for each in before if each != opened)][:_MOST_RECENT]
        self._keep(session, response, RECENT_COOKIE, ids, _MONTH)

    def keep_favourites(
        self, session: AdminSession, response: Response, ids: Sequence[UUID]
    ) -> None:
        self._keep(session, response, FAVOURITES_COOKIE, ids, _YEAR)

    def _keep(
        self, session: AdminSession, response: Response, name: str, ids: Sequence[UUID], age: int
    ) -> None:
        """Keep tenants at hand for this person in this browser."""
        value = ".".join(each.hex for each in (session.user_id, *ids))
        secure = "; Secure" if self.door.pages.jar.secure else ""
        cookie = f"{name}={value}; Path={HOME}; HttpOnly; SameSite=Lax; Max-Age={age}"
        with_cookies(response, (cookie + secure,))

    def _call(self, request: Request) -> ApiCall | None:
        """What the page does, as a program does it."""
        names = {**request.query_params, **request.path_params}
        here = self.naming.origin(request.scope["insula.host"] or "")
        tenant = self.naming.origin(self.naming.host(str(names.get("slug", ""))))
        return call_of(request.scope[_PAGE], names, here, tenant)


def _refuse_strangers(session: AdminSession, *, writes: bool) -> None:
    if not session.sees_platform:
        raise Denied("This account has no role on the platform.")
    if writes and not session.runs_platform:
        raise Denied("A viewer of the platform looks and changes nothing.")


def recent_of(request: Request, session: AdminSession) -> list[UUID]:
    """The tenants that this person has opened in this browser, the last one first."""
    return _kept(request, session, RECENT_COOKIE, _MOST_RECENT)


def favourites_of(request: Request, session: AdminSession) -> list[UUID]:
    """The tenants that this person keeps at hand in this browser, the newest of them first."""
    return _kept(request, session, FAVOURITES_COOKIE, MOST_FAVOURITES)


def _kept(request: Request, session: AdminSession, name: str, most: int) -> list[UUID]:
    whose, *ids = cookies_of(request).get(name, "").split(".")
    if whose != session.user_id.hex:
        return []
    try:
        return [UUID(hex=each) for each in ids[:most]]
    except ValueError:
        return []


def kept_of(request: Request) -> Form:
    """What had been typed into the form of this page and was not taken; empty for nothing."""
    found: Form = request.scope.get(_KEPT, {})
    request.scope[_IS_FILLED] = bool(found)
    return found


def note_opened(request: Request, tenant_id: UUID) -> None:
    """The page that answers is one of this tenant's."""
    request.scope[_OPENED] = tenant_id


def file_of(body: AsyncIterator[str], kind: str, name: str) -> Response:
    """A file to take away, as it is written."""
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return StreamingResponse(body, media_type=kind, headers=headers)


def platform_actor(request: Request, session: AdminSession) -> Actor:
    """Who acts across tenants, and from where."""
    return actor_of(request, session, kind="platform")
