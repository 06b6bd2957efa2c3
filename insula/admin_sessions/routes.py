"""The pages of the administrators' door: in, out, once more, and who is there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from insula.admin_sessions import service
from insula.admin_sessions.errors import NotAdmin
from insula.admin_sessions.guard import (
    SIGN_IN,
    STEP_UP,
    UNSENT,
    Door,
    actor_of,
    coming_back,
    is_ours,
)
from insula.admin_sessions.models import AdminSession
from insula.admin_sessions.settings import Sudo
from insula.config_overrides.service import of
from insula.sign_in import csrf
from insula.sign_in import service as ordinary
from insula.sign_in.errors import TooManyAttempts
from insula.sign_in.guard import (
    cookies_of,
    counted,
    go_to,
    in_words,
    only,
    read_fields,
    show_page,
    tenant_of,
    with_cookies,
)
from insula.sign_in.interactions import service as interactions
from insula.sign_in.models import Prompt
from insula.sign_in.proof import InvalidCredentials, Proof
from insula.sign_in.settings import InteractionLife
from insula.tenancy.models import PLATFORMS
from insula.ui.pages import THEME_COOKIE
from insula.ui.views import Person, hue_of

HOME = "/admin"
PLATFORM = "/platform"
_FEW_TRIES = 3
_YEAR = 31_536_000
_THEMES = ("light", "dark", "system")

Handler = Callable[["AdminPages", Request], Awaitable[Response]]
Held = Callable[["AdminPages", Request, AdminSession], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class AdminPages:
    """What the pages need; *multi_tenant* is whether there is a platform to go to."""

    door: Door
    multi_tenant: bool

    def routes(self) -> list[Route]:
        return [
            self._route(SIGN_IN, show_sign_in, "GET"),
            self._route(SIGN_IN, post_sign_in, "POST"),
            self._held(HOME, show_home, "GET"),
            self._held("/admin/session", show_session, "GET"),
            self._held(STEP_UP, show_step_up, "GET"),
            self._held(STEP_UP, post_step_up, "POST"),
            self._held("/admin/theme", post_theme, "POST"),
            self._held("/admin/sign-out", post_sign_out, "POST"),
        ]

    def _route(self, path: str, handler: Handler, method: str) -> Route:
        async def endpoint(request: Request) -> Response:
            return await handler(self, request)

        return Route(path, endpoint, methods=[method], name=handler.__name__)

    def _held(self, path: str, handler: Held, method: str) -> Route:
        """A page for whoever is signed in as an administrator."""

        async def endpoint(request: Request) -> Response:
            session = await self.door.session(request)
            if session is None:
                return self.door.sign_in_first(request)
            response = await handler(self, request, session)
            self.door.renew(request, session, response)
            return response

        return Route(path, endpoint, methods=[method], name=handler.__name__)

    def home_of(self, request: Request, session: AdminSession) -> str:
        """Where an administrator starts."""
        platform = self.multi_tenant and tenant_of(request).slug == PLATFORMS
        return PLATFORM if platform and session.sees_platform else HOME


def _return_to(request: Request, default: str = "") -> str:
    wanted = request.query_params.get("return_to", "")
    return wanted if is_ours(wanted) else default


def _sign_in_token(pages: AdminPages, request: Request, browser: str) -> str:
    tenant = tenant_of(request)
    return csrf.token(pages.door.pages.hmac_key, tenant.id, browser, "administrator's sign-in")


def _is_unsent(request: Request) -> bool:
    """Whether a form was sent too late, and brought them here."""
    return UNSENT in request.query_params and bool(_return_to(request))


def _action(path: str, request: Request) -> str:
    return f"{path}{coming_back(_return_to(request), _is_unsent(request))}"


async def show_sign_in(pages: AdminPages, request: Request) -> Response:
    """The form; whoever is signed in already goes on."""
    session = await pages.door.session(request)
    if session is not None:
        return go_to(_return_to(request, pages.home_of(request, session)))
    return _sign_in_page(pages, request)


def _sign_in_page(  # noqa: PLR0913  (each by its name)
    pages: AdminPages,
    request: Request,
    *,
    username: str = "",
    alert: tuple[str, str] | None = None,
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    jar = pages.door.pages.jar
    cookies = pages.door.cleared(request)
    browser = jar.read_browser(cookies_of(request))
    if browser is None:
        browser, header = jar.new_browser()
        cookies = (*cookies, header)
    return show_page(
        pages.door.pages,
        request,
        "admin_sessions/sign_in.html",
        status=status,
        cookies=cookies,
        username=username,
        errors=list(errors),
        alert=alert,
        csrf_token=_sign_in_token(pages, request, browser),
        action=_action(SIGN_IN, request),
        is_unsent=_is_unsent(request),
        is_platform=pages.multi_tenant and tenant_of(request).slug == PLATFORMS,
    )


async def post_sign_in(pages: AdminPages, request: Request) -> Response:
    fields = await read_fields(request)
    browser = pages.door.pages.jar.read_browser(cookies_of(request)) or ""
    csrf.check_token(_sign_in_token(pages, request, browser), only(fields, "csrf_token"))
    username, password = only(fields, "username").strip()[:254], only(fields, "password")[:1024]
    missing = tuple(
        (field, text)
        for field, value, text in (
            ("username", username, "Enter your e-mail address or username."),
            ("password", password, "Enter your password."),
        )
        if not value
    )
    if missing:
        return _sign_in_page(pages, request, username=username, errors=missing, status=422)
    try:
        opened = await service.sign_in(
            tenant_of(request), actor_of(request, kind="user"), pages.door.pages.passwords,
            name=username, password=password,
            former=pages.door.token(request),
        )  # fmt: skip
    except InvalidCredentials as refusal:
        errors = (("password", _wrong("The name and password do not match.", refusal)),)
        return _sign_in_page(pages, request, username=username, errors=errors, status=422)
    except NotAdmin:
        alert = ("Not an administrator", "This account has no role that opens these pages.")
        return _sign_in_page(pages, request, username=username, alert=alert, status=403)
    except TooManyAttempts as refusal:
        alert = ("Too many tries", f"Wait {in_words(refusal.retry_after)}, then try again.")
        return _later(
            _sign_in_page(pages, request, username=username, alert=alert, status=429), refusal
        )
    if opened.must_change is not None:
        return await _new_password_first(request, browser, opened.must_change)
    # who asked for nothing is sent on by the form, which knows then who is there
    return go_to(
        _return_to(request, SIGN_IN), (pages.door.cookie(tenant_of(request), opened.token),)
    )


def _wrong(text: str, refusal: InvalidCredentials) -> str:
    few = 0 < refusal.left <= _FEW_TRIES
    return f"{text} {counted(refusal.left, 'try', 'tries')} left before a pause." if few else text


def _later(response: Response, refusal: TooManyAttempts) -> Response:
    response.headers["retry-after"] = str(refusal.retry_after)
    return response


async def _new_password_first(request: Request, browser: str, judged: Proof) -> Response:
    """Through the ordinary change of a password that was set by somebody else, and back."""
    prompt = Prompt(need="login", return_to=_action(SIGN_IN, request))
    life = of(tenant_of(request), InteractionLife)
    txn = await interactions.begin(
        tenant_of(request), browser, "sign_in", ordinary.must_replace(prompt, judged), life
    )
    return go_to(f"/sign-in/new-password?txn={txn}")


async def show_home(pages: AdminPages, request: Request, session: AdminSession) -> Response:
    """Who is signed in as an administrator, and where they can go."""
    home = pages.home_of(request, session)
    return show_page(
        pages.door.pages,
        request,
        "admin_sessions/home.html",
        user=_person(session),
        title=session.title,
        platform_url=home if home == PLATFORM else None,
        csrf_token=pages.door.csrf_token(request),
    )


def _person(session: AdminSession) -> Person:
    return Person(session.name, session.email or session.username, hue_of(str(session.user_id)))


async def show_session(pages: AdminPages, request: Request, session: AdminSession) -> Response:  # noqa: ARG001  (as every handler)
    """What the server's row says of whoever asks (F12)."""
    return JSONResponse(
        {
            "sub": str(session.user_id),
            "email": session.email,
            "name": session.name,
            "admin": True,
            "roles": sorted(session.roles),
            "iat": int(session.begun_at.timestamp()),
            "exp": int(session.expires_at.timestamp()),
            "type": "admin_access",
            "aud": "admin",
            "amr": list(session.amr),
        },
        headers={"cache-control": "no-store"},
    )


async def show_step_up(pages: AdminPages, request: Request, session: AdminSession) -> Response:
    return _step_up_page(pages, request, session)


def _step_up_page(  # noqa: PLR0913  (each by its name)
    pages: AdminPages,
    request: Request,
    session: AdminSession,
    *,
    alert: tuple[str, str] | None = None,
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    back = _return_to(request, pages.home_of(request, session))
    return show_page(
        pages.door.pages,
        request,
        "admin_sessions/step_up.html",
        status=status,
        user=_person(session),
        username=session.email or session.username,
        minutes=of(tenant_of(request), Sudo).ttl_minutes,
        alert=alert,
        errors=list(errors),
        csrf_token=pages.door.csrf_token(request),
        action=_action(STEP_UP, request),
        is_unsent=_is_unsent(request),
        cancel_url=back.partition("?")[0].rpartition("/")[0] or back,
    )


async def post_step_up(pages: AdminPages, request: Request, session: AdminSession) -> Response:
    fields = await pages.door.form(request)
    password = only(fields, "password")[:1024]
    if not password:
        errors = (("password", "Enter your password."),)
        return _step_up_page(pages, request, session, errors=errors, status=422)
    try:
        token = await service.step_up(
            tenant_of(request), actor_of(request, session), pages.door.pages.passwords,
            session, password,
        )  # fmt: skip
    except InvalidCredentials as refusal:
        errors = (("password", _wrong("This is not your password.", refusal)),)
        return _step_up_page(pages, request, session, errors=errors, status=422)
    except TooManyAttempts as refusal:
        alert = ("Too many tries", f"Wait {in_words(refusal.retry_after)}, then try again.")
        return _later(_step_up_page(pages, request, session, alert=alert, status=429), refusal)
    return go_to(
        _return_to(request, pages.home_of(request, session)),
        (pages.door.cookie(tenant_of(request), token),),
    )


async def post_theme(pages: AdminPages, request: Request, session: AdminSession) -> Response:
    """Light, dark, or as the system has it; a cookie of this host."""
    fields = await pages.door.form(request)
    theme, back = only(fields, "theme"), only(fields, "return_to")
    response = go_to(back if is_ours(back) else pages.home_of(request, session))
    if theme in _THEMES:
        age = 0 if theme == "system" else _YEAR
        secure = "; Secure" if pages.door.pages.jar.secure else ""
        cookie = f"{THEME_COOKIE}={theme}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}"
        return with_cookies(response, (cookie,))
    return response


async def post_sign_out(pages: AdminPages, request: Request, session: AdminSession) -> Response:
    await pages.door.form(request)
    token = pages.door.token(request)
    if token is not None:
        await service.sign_out(tenant_of(request), actor_of(request, session), token)
    response = go_to(SIGN_IN, (pages.door.cookie(tenant_of(request), ""),))
    response.headers["clear-site-data"] = '"storage"'  # docs/decisions/0015
    return response
