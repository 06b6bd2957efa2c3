"""
The device page: enter the code, look at what asks, decide. Works without script.

Only who is signed in gets as far as typing a code, so guesses are counted by person, by address
and by tenant.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.devices import service
from insula.devices.codes import UserCodes, read, shown
from insula.devices.errors import NoSuchCode, TooManyCodes
from insula.kernel.errors import NotFound
from insula.sign_in import service as sign_in
from insula.sign_in.guard import (
    Pages,
    begin_interaction,
    csrf_token_of,
    here_of,
    in_words,
    only,
    person_shown,
    read_form,
    show_page,
    tenant_of,
)
from insula.sign_in.models import SignedIn, describe
from insula.sign_in.service import Here
from insula.ui.views import App, initials

PATH = "/device"

Handler = Callable[["DevicePages", Request], Awaitable[Response]]
_WRONG = "No device waits under this code. Check the letters, or get a new code on the device."


@dataclass(frozen=True, slots=True)
class DevicePages:
    """What the page needs beside what the pages of sign-in need."""

    pages: Pages
    codes: UserCodes

    def routes(self) -> list[Route]:
        return [self._route(show_device, "GET"), self._route(post_device, "POST")]

    def _route(self, handler: Handler, method: str) -> Route:
        async def endpoint(request: Request) -> Response:
            if not await service.is_on(tenant_of(request)):
                raise NotFound("The address does not belong to anything here.")
            return await handler(self, request)

        return Route(PATH, endpoint, methods=[method], name=handler.__name__)


async def _present(pages: Pages, request: Request) -> tuple[Here, SignedIn | None]:
    here = here_of(pages, request)
    present = await sign_in.signed_in(tenant_of(request), here.tokens)
    return here, present[0] if present else None


async def show_device(device: DevicePages, request: Request) -> Response:
    """The form; whoever is not signed in does that first and comes back with the same code."""
    _, person = await _present(device.pages, request)
    typed = request.query_params.get("user_code", "")
    if person is None:
        return await _sign_in_first(device.pages, request, typed)
    if "another" in request.query_params:
        return await begin_interaction(
            device.pages,
            request,
            "select_account",
            "/sign-in/select-account",
            return_to=_address(typed),
        )
    return _form_page(device, request, person, typed=typed)


def _address(typed: str, **more: str) -> str:
    """Where the form shows the code that was typed, if it is one."""
    code = read(typed)
    pairs = ({"user_code": shown(code)} if code else {}) | more
    return f"{PATH}?{urlencode(pairs)}" if pairs else PATH


async def _sign_in_first(pages: Pages, request: Request, typed: str) -> Response:
    return await begin_interaction(pages, request, "login", "/sign-in", return_to=_address(typed))


def _form_page(  # noqa: PLR0913  (what a form shows)
    device: DevicePages,
    request: Request,
    person: SignedIn,
    *,
    typed: str = "",
    error: str = "",
    alert: str = "",
    status: int = 200,
) -> Response:
    code = read(typed)
    token, cookies = _token(device.pages, request)
    return show_page(
        device.pages,
        request,
        "devices/enter.html",
        status=status,
        cookies=cookies,
        user=person_shown(person),
        code=shown(code) if code else typed[:20],
        error=error,
        alert=alert,
        csrf_token=token,
        action=PATH,
        switch_url=_address(typed, another="1"),
    )


def _token(pages: Pages, request: Request) -> tuple[str, tuple[str, ...]]:
    """A token for the form, and the cookie it is bound to where the browser has none yet."""
    browser, cookies = here_of(pages, request).browser, tuple[str, ...]()
    if not browser:
        browser, header = pages.jar.new_browser()
        cookies = (header,)
    return csrf_token_of(pages, request, browser), cookies


async def post_device(device: DevicePages, request: Request) -> Response:
    """Look the code up and show what asks; with a decision, carry it out."""
    fields = await read_form(device.pages, request)
    here, person = await _present(device.pages, request)
    typed = only(fields, "user_code")
    if person is None:
        return await _sign_in_first(device.pages, request, typed)
    allow, deny = bool(only(fields, "allow")), bool(only(fields, "deny"))
    try:
        code, waiting = await service.find(tenant_of(request), here, person, device.codes, typed)
        if allow == deny:
            return _confirm_page(device, request, person, code, waiting)
        allowed = tuple(fields.get("scope", ())) if allow else None
        await service.decide(tenant_of(request), here, person, device.codes, code, waiting, allowed)
    except NoSuchCode:
        return _form_page(device, request, person, typed=typed, error=_WRONG, status=422)
    except TooManyCodes as refusal:
        text = f"Wait {in_words(refusal.retry_after)}, then try again."
        response = _form_page(device, request, person, alert=text, status=429)
        response.headers["retry-after"] = str(refusal.retry_after)
        return response
    return show_page(
        device.pages,
        request,
        "devices/decided.html",
        application=waiting.application,
        allowed=allow,
    )


def _confirm_page(
    device: DevicePages, request: Request, person: SignedIn, code: str, waiting: service.Waiting
) -> Response:
    token, cookies = _token(device.pages, request)
    return show_page(
        device.pages,
        request,
        "devices/confirm.html",
        cookies=cookies,
        client=App(
            waiting.application,
            "",
            waiting.application_uri or None,
            waiting.policy_uri or None,
            waiting.tos_uri or None,
            waiting.first_party,
            initials(waiting.application),
            verified=waiting.verified,
        ),
        code=shown(code),
        ip=waiting.ip,
        user_agent=waiting.user_agent,
        at=waiting.at,
        scopes=describe(waiting.scopes, waiting.optional_scopes, waiting.texts),
        audiences=waiting.audiences,
        user=person_shown(person),
        switch_url=_address(code, another="1"),
        csrf_token=token,
        action=PATH,
    )
