"""
What every page of a tenant's host does with a request, and how it answers.

It reads whose browser that is and what the form holds, refuses a form that was not the host's own,
and shows a page, or sends the browser on with its cookies.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from insula.accounts.hashing import Passwords
from insula.audit.models import Actor
from insula.kernel.errors import Invalid
from insula.sign_in import csrf, service
from insula.sign_in.cookies import Jar
from insula.sign_in.interactions import service as interactions
from insula.sign_in.models import Kind, Need, Prompt, SignedIn
from insula.sign_in.service import Here
from insula.tenancy.db import Tenant
from insula.ui.branding import Branding
from insula.ui.pages import render, theme_of
from insula.ui.views import Person, hue_of

_LONGEST_BODY = 64 * 1024
_MOST_FIELDS = 100
_IN_SECONDS = 90  # the longest wait that is told in seconds
_IN_MINUTES = 90 * 60  # and in minutes

_R = TypeVar("_R", bound=Response)
Handler = Callable[["Pages", Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Pages:
    """What the pages need, wired once per process."""

    passwords: Passwords
    jar: Jar
    hmac_key: bytes
    branding: Callable[[Tenant], Branding]

    def route(self, path: str, handler: Handler, method: str) -> Route:
        """A page of a tenant's host."""

        async def endpoint(request: Request) -> Response:
            response = await handler(self, request)
            await _clear_foreign(self, request, response)
            return response

        return Route(path, endpoint, methods=[method], name=handler.__name__)


def tenant_of(request: Request) -> Tenant:
    tenant: Tenant = request.scope["insula.tenant"]
    return tenant


async def _clear_foreign(pages: Pages, request: Request, response: Response) -> None:
    """A session cookie that is not this tenant's: nothing of it was read, and it goes (A07)."""
    cookie = pages.jar.read_session(cookies_of(request), tenant_of(request).id)
    if cookie.foreign:
        await service.note_conflict(tenant_of(request), here_of(pages, request).actor)
        written = response.headers.getlist("set-cookie")
        if not any(header.startswith(f"{pages.jar.session_name}=") for header in written):
            with_cookies(response, (pages.jar.write_session(tenant_of(request).id, ()),))


def cookies_of(request: Request) -> dict[str, str]:
    """The cookies of a request; one that came twice is empty: whose it is is unknown (row 83)."""
    found: dict[str, str] = {}
    doubled: set[str] = set()
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            name, mark, value = pair.strip().partition("=")
            if not mark:
                continue
            if name in found:
                doubled.add(name)
            found[name] = value
    return {name: "" if name in doubled else value for name, value in found.items()}


def here_of(pages: Pages, request: Request, browser: str = "") -> Here:
    cookies = cookies_of(request)
    return Here(
        browser=browser or pages.jar.read_browser(cookies) or "",
        tokens=pages.jar.read_session(cookies, tenant_of(request).id).tokens,
        actor=Actor(
            "user",
            None,
            request.scope.get("insula.client_ip", ""),
            request.headers.get("user-agent", ""),
            request.scope.get("insula.request_id", ""),
        ),
    )


def csrf_token_of(pages: Pages, request: Request, browser: str) -> str:
    tenant = tenant_of(request)
    session = ".".join(pages.jar.read_session(cookies_of(request), tenant.id).tokens)
    return csrf.token(pages.hmac_key, tenant.id, browser, session)


async def read_form(pages: Pages, request: Request) -> dict[str, list[str]]:
    """The fields of a form that may have been sent. Raises `CsrfFailed`, `Invalid`."""
    fields = await read_fields(request)
    browser = pages.jar.read_browser(cookies_of(request)) or ""
    csrf.check_token(csrf_token_of(pages, request, browser), only(fields, "csrf_token"))
    return fields


async def read_fields(request: Request, most: int = _MOST_FIELDS) -> dict[str, list[str]]:
    """
    The fields of a form of this host's; whose form it was is for the caller to check.

    Raises `CsrfFailed`, `Invalid`.
    """
    headers = request.headers
    csrf.check_origin(
        request.scope["insula.host"] or "", headers.get("origin"), headers.get("sec-fetch-site")
    )
    if headers.get("content-type", "").split(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Invalid("Send the form as the page does.", code="media_type")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise Invalid("The form is too large.", code="too_large")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            max_num_fields=most,
            errors="strict",
        )
    except ValueError as error:
        raise Invalid("The form cannot be read.") from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise Invalid("The form holds the character U+0000.")
        fields.setdefault(name, []).append(value)
    return fields


def only(fields: dict[str, list[str]], name: str) -> str:
    """A field that is sent once; doubled or absent is empty."""
    values = fields.get(name, [])
    return values[0] if len(values) == 1 else ""


def show_page(
    pages: Pages,
    request: Request,
    name: str,
    *,
    status: int = 200,
    cookies: tuple[str, ...] = (),
    **variables: Any,  # noqa: ANN401  (a template's variables)
) -> HTMLResponse:
    html = render(
        name,
        theme=theme_of(cookies_of(request)),
        branding=pages.branding(tenant_of(request)),
        **variables,
    )
    return with_cookies(HTMLResponse(html, status), cookies)


def go_to(location: str, cookies: tuple[str, ...] = ()) -> Response:
    """303: what was posted is never posted again (RFC9700-4.12)."""
    return with_cookies(RedirectResponse(location, 303), cookies)


def with_cookies(response: _R, cookies: tuple[str, ...]) -> _R:
    for cookie in cookies:
        response.raw_headers.append((b"set-cookie", cookie.encode("latin-1")))
    return response


async def begin_interaction(  # noqa: PLR0913  (each by its name)
    pages: Pages,
    request: Request,
    need: Need,
    path: str,
    kind: Kind = "sign_in",
    return_to: str = "/",
) -> Response:
    """
    Start an interaction that no application asked for, and show its first step.

    *return_to* is a path of ours where a sign-in leads.
    """
    cookies: tuple[str, ...] = ()
    browser = pages.jar.read_browser(cookies_of(request))
    if browser is None:
        browser, header = pages.jar.new_browser()
        cookies = (header,)
    prompt = Prompt(need=need, return_to=return_to if kind == "sign_in" else "")
    txn = await interactions.begin(
        tenant_of(request),
        browser,
        kind,
        prompt,
        service.policies_of(tenant_of(request)).interaction,
    )
    return go_to(f"{path}?txn={txn}", cookies)


def person_shown(person: SignedIn) -> Person:
    return Person(person.name, person.email or person.username, hue_of(str(person.user_id)))


def in_words(seconds: int) -> str:
    if seconds <= _IN_SECONDS:
        return counted(seconds, "second", "seconds")
    if seconds <= _IN_MINUTES:
        return f"{-(-seconds // 60)} minutes"
    return f"{-(-seconds // 3600)} hours"


def counted(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"


def go_on(pages: Pages, request: Request, location: str, tokens: tuple[str, ...]) -> Response:
    """Whoever has just signed in goes on, with the tokens of their browser from now on."""
    return go_to(location, (pages.jar.write_session(tenant_of(request).id, tokens),))
