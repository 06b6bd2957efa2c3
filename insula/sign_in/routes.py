"""
The pages of sign-in: each step a form, a POST and a 303 to the next step.

They work without script, keep what was typed (secrets excepted) after a refusal, and answer
an expired interaction with a page that says how to start again.
"""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from insula.accounts.errors import WeakPassword
from insula.accounts.hashing import Passwords
from insula.audit.models import Actor
from insula.kernel.errors import Invalid
from insula.sign_in import csrf, service
from insula.sign_in.cookies import Jar
from insula.sign_in.errors import InteractionGone, TooManyAttempts
from insula.sign_in.models import Interaction, Kind, Need, Prompt, SignedIn, describe
from insula.sign_in.proof import InvalidCredentials
from insula.sign_in.service import Here
from insula.tenancy.db import Tenant
from insula.ui.branding import Branding
from insula.ui.pages import framing_policy, render, theme_of
from insula.ui.views import Account, App, Person, hue_of, initials

#: Where the browser goes when the person has done what was needed.
RESUME = "/oauth2/authorize/resume"
_LONGEST_BODY = 64 * 1024
_MOST_FIELDS = 100
_IN_SECONDS = 90  # the longest wait that is told in seconds
_IN_MINUTES = 90 * 60  # and in minutes
_FEW_TRIES = 3  # as many or fewer are told

_R = TypeVar("_R", bound=Response)
Handler = Callable[["Pages", Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Pages:
    """What the pages need, wired once per process."""

    passwords: Passwords
    jar: Jar
    hmac_key: bytes
    branding: Callable[[Tenant], Branding]

    def routes(self) -> list[Route]:
        return [
            self.route("/", landing, "GET"),
            self.route("/sign-in", show_sign_in, "GET"),
            self.route("/sign-in", post_sign_in, "POST"),
            self.route("/sign-in/new-password", show_new_password, "GET"),
            self.route("/sign-in/new-password", post_new_password, "POST"),
            self.route("/sign-in/select-account", show_accounts, "GET"),
            self.route("/sign-in/select-account", post_account, "POST"),
            self.route("/sign-in/consent", show_consent, "GET"),
            self.route("/sign-in/consent", post_consent, "POST"),
            self.route("/sign-in/out", show_sign_out, "GET"),
            self.route("/sign-in/out", post_sign_out, "POST"),
        ]

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


async def _interaction(pages: Pages, request: Request) -> tuple[Here, Interaction]:
    """The interaction in the URL, if it is this browser's. Raises `InteractionGone`."""
    here = here_of(pages, request)
    with contextlib.suppress(ValueError):
        txn = UUID(request.query_params.get("txn", ""))
        return here, await service.load(tenant_of(request), here.browser or None, txn)
    raise InteractionGone


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


def _next(interaction: Interaction) -> str:
    """Where an interaction leads when its step is done."""
    if interaction.kind == "authorize":
        return f"{RESUME}?txn={interaction.id}"
    return interaction.prompt.return_to or "/"


def action_of(path: str, interaction: Interaction) -> str:
    return f"{path}?{urlencode({'txn': interaction.id})}"


def person_shown(person: SignedIn) -> Person:
    return Person(person.name, person.email or person.username, hue_of(str(person.user_id)))


async def landing(pages: Pages, request: Request) -> Response:
    """Who is signed in at this tenant, and nothing else."""
    present = await service.signed_in(tenant_of(request), here_of(pages, request).tokens)
    if not present:
        return go_to("/sign-in")
    return show_page(
        pages,
        request,
        "sign_in/signed_in.html",
        user=person_shown(present[0]),
        sign_out_url="/sign-in/out",
        switch_url="/sign-in/select-account",
    )


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
    txn = await service.begin(
        tenant_of(request),
        browser,
        kind,
        prompt,
        service.policies_of(tenant_of(request)).interaction,
    )
    return go_to(f"{path}?txn={txn}", cookies)


async def show_sign_in(pages: Pages, request: Request) -> Response:
    """The sign-in form; without an interaction, one begins here."""
    if "txn" not in request.query_params:
        return await begin_interaction(pages, request, "login", "/sign-in")
    here, interaction = await _interaction(pages, request)
    return await _sign_in_page(pages, request, here, interaction)


async def _sign_in_page(  # noqa: PLR0913  (each by its name)
    pages: Pages,
    request: Request,
    here: Here,
    interaction: Interaction,
    *,
    username: str | None = None,
    alert: tuple[str, str, str] | None = None,
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    prompt = interaction.prompt
    known, another = None, "another" in request.query_params
    if prompt.fresh and not another:
        present = await service.signed_in(tenant_of(request), here.tokens)
        known = present[0] if present else None
    action = action_of("/sign-in", interaction)
    return show_page(
        pages,
        request,
        "sign_in/sign_in.html",
        status=status,
        app=prompt.application or None,
        client=_app_of(prompt) if prompt.application else None,
        username=(
            known.username if known else username if username is not None else prompt.login_hint
        ),
        errors=list(errors),
        alert=alert,
        csrf_token=csrf_token_of(pages, request, here.browser),
        action=f"{action}&another=1" if another else action,
        user=person_shown(known) if known else None,
        switch_url=f"{action}&another=1" if known else None,
    )


async def post_sign_in(pages: Pages, request: Request) -> Response:
    fields = await read_form(pages, request)
    here, interaction = await _interaction(pages, request)
    if only(fields, "cancel"):
        await service.decline(tenant_of(request), here, interaction.id)
        return go_to(_next(interaction))
    username, password = only(fields, "username").strip(), only(fields, "password")
    missing = tuple(
        (field, text)
        for field, value, text in (
            ("username", username, "Enter your e-mail address or username."),
            ("password", password, "Enter your password."),
        )
        if not value
    )
    if missing:
        return await _sign_in_page(
            pages, request, here, interaction, username=username, errors=missing, status=422
        )
    try:
        proved = await service.prove(
            tenant_of(request), here, interaction, pages.passwords,
            service.policies_of(tenant_of(request)),
            name=username[:254], password=password[:1024],
        )  # fmt: skip
    except InvalidCredentials as refusal:
        left = counted(refusal.left, "try", "tries")
        tries = f" {left} left before a pause." if 0 < refusal.left <= _FEW_TRIES else ""
        return await _sign_in_page(
            pages, request, here, interaction, username=username, status=422,
            errors=(("password", f"The name and password do not match.{tries}"),),
        )  # fmt: skip
    except TooManyAttempts as refusal:
        text = f"Wait {in_words(refusal.retry_after)}, then try again."
        response = await _sign_in_page(
            pages, request, here, interaction, username=username, status=429,
            alert=("bad", "Too many tries", text),
        )  # fmt: skip
        response.headers["retry-after"] = str(refusal.retry_after)
        return response
    if proved.must_change_password:
        return go_to(action_of("/sign-in/new-password", interaction))
    return _signed_in(pages, request, interaction, proved.tokens)


def in_words(seconds: int) -> str:
    if seconds <= _IN_SECONDS:
        return counted(seconds, "second", "seconds")
    if seconds <= _IN_MINUTES:
        return f"{-(-seconds // 60)} minutes"
    return f"{-(-seconds // 3600)} hours"


def counted(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"


def _signed_in(
    pages: Pages, request: Request, interaction: Interaction, tokens: tuple[str, ...]
) -> Response:
    return go_on(pages, request, _next(interaction), tokens)


def go_on(pages: Pages, request: Request, location: str, tokens: tuple[str, ...]) -> Response:
    """Whoever has just signed in goes on, with the tokens of their browser from now on."""
    return go_to(location, (pages.jar.write_session(tenant_of(request).id, tokens),))


async def show_new_password(pages: Pages, request: Request) -> Response:
    here, interaction = await _interaction(pages, request)
    return await _new_password_page(pages, request, here, interaction)


async def _new_password_page(
    pages: Pages,
    request: Request,
    here: Here,
    interaction: Interaction,
    errors: tuple[tuple[str, str], ...] = (),
) -> Response:
    person = await service.proved_person(tenant_of(request), interaction)
    if person is None:
        return go_to(action_of("/sign-in", interaction))
    return show_page(
        pages,
        request,
        "sign_in/new_password.html",
        status=422 if errors else 200,
        by_link=False,
        app=interaction.prompt.application or None,
        user=Person(person.label, person.email or person.username, hue_of(str(person.id))),
        username=person.email or person.username,
        min_length=service.policies_of(tenant_of(request)).password.min_length,
        errors=list(errors),
        csrf_token=csrf_token_of(pages, request, here.browser),
        action=action_of("/sign-in/new-password", interaction),
    )


async def post_new_password(pages: Pages, request: Request) -> Response:
    fields = await read_form(pages, request)
    here, interaction = await _interaction(pages, request)
    password = only(fields, "new_password")
    if password != only(fields, "repeat"):
        return await _new_password_page(
            pages, request, here, interaction, (("repeat", "The two passwords differ."),)
        )
    try:
        tokens = await service.replace_password(
            tenant_of(request),
            here,
            interaction,
            pages.passwords,
            service.policies_of(tenant_of(request)),
            password,
        )
    except WeakPassword as refusal:
        return await _new_password_page(
            pages, request, here, interaction, (("new_password", refusal.description),)
        )
    return _signed_in(pages, request, interaction, tokens)


async def show_accounts(pages: Pages, request: Request) -> Response:
    if "txn" not in request.query_params:
        return await begin_interaction(pages, request, "select_account", "/sign-in/select-account")
    here, interaction = await _interaction(pages, request)
    present = await service.signed_in(tenant_of(request), here.tokens)
    if not present:
        return go_to(action_of("/sign-in", interaction))
    return show_page(
        pages,
        request,
        "sign_in/select_account.html",
        accounts=[
            Account(
                str(p.session_id),
                p.name,
                p.email or p.username,
                hue_of(str(p.user_id)),
                "Signed in",
            )
            for p in present
        ],
        app=interaction.prompt.application or None,
        csrf_token=csrf_token_of(pages, request, here.browser),
        action=action_of("/sign-in/select-account", interaction),
        other_url=f"{action_of('/sign-in', interaction)}&another=1",
    )


async def post_account(pages: Pages, request: Request) -> Response:
    fields = await read_form(pages, request)
    here, interaction = await _interaction(pages, request)
    try:
        chosen = UUID(only(fields, "account"))
    except ValueError:
        return go_to(action_of("/sign-in/select-account", interaction))
    tokens = await service.choose(tenant_of(request), here, interaction, chosen)
    return _signed_in(pages, request, interaction, tokens)


async def _present(request: Request, here: Here) -> SignedIn:
    """The person signed in here. Raises `InteractionGone` when there is none any more."""
    present = await service.signed_in(tenant_of(request), here.tokens)
    if not present:
        raise InteractionGone("You are not signed in any more.")
    return present[0]


def _app_of(prompt: Prompt) -> App:
    """What is shown of the application that asks."""
    return App(
        prompt.application,
        prompt.host,
        prompt.application_uri or None,
        prompt.policy_uri or None,
        prompt.tos_uri or None,
        prompt.first_party,
        initials(prompt.application),
        verified=prompt.verified,
        logo_url=prompt.logo or None,
    )


async def show_consent(pages: Pages, request: Request) -> Response:
    here, interaction = await _interaction(pages, request)
    prompt = interaction.prompt
    if prompt.need != "consent":
        return go_to(_next(interaction))
    person = await _present(request, here)
    return show_page(
        pages,
        request,
        "sign_in/consent.html",
        client=_app_of(prompt),
        scopes=describe(
            prompt.scopes, prompt.optional_scopes, prompt.texts, granted=prompt.granted
        ),
        audiences=prompt.audiences,
        is_known=bool(prompt.granted),
        user=person_shown(person),
        csrf_token=csrf_token_of(pages, request, here.browser),
        action=action_of("/sign-in/consent", interaction),
        switch_url=action_of("/sign-in/select-account", interaction),
    )


async def post_consent(pages: Pages, request: Request) -> Response:
    fields = await read_form(pages, request)
    here, interaction = await _interaction(pages, request)
    person = await _present(request, here)
    allow, deny = bool(only(fields, "allow")), bool(only(fields, "deny"))
    if allow == deny or interaction.prompt.need != "consent":
        return go_to(action_of("/sign-in/consent", interaction))
    allowed = tuple(fields.get("scope", ())) if allow else None
    await service.decide(tenant_of(request), here, interaction, person, allowed)
    return go_to(_next(interaction))


async def show_sign_out(pages: Pages, request: Request) -> Response:
    """Ask before signing out; an application may have asked, or the person came by themselves."""
    if "txn" not in request.query_params:
        return await begin_interaction(pages, request, "sign_out", "/sign-in/out", kind="sign_out")
    here, interaction = await _interaction(pages, request)
    present = await service.signed_in(tenant_of(request), here.tokens)
    if not present:
        return await _after_sign_out(pages, request, interaction, ())
    return show_page(
        pages,
        request,
        "sign_in/sign_out.html",
        user=person_shown(present[0]),
        app=interaction.prompt.application or None,
        csrf_token=csrf_token_of(pages, request, here.browser),
        action=action_of("/sign-in/out", interaction),
    )


async def post_sign_out(pages: Pages, request: Request) -> Response:
    fields = await read_form(pages, request)
    here, interaction = await _interaction(pages, request)
    if not only(fields, "sign_out"):
        await service.cancel(tenant_of(request), here.browser, interaction.id)
        return go_to("/")
    frames = await service.sign_out(tenant_of(request), here)
    return await _after_sign_out(pages, request, interaction, frames)


async def _after_sign_out(
    pages: Pages, request: Request, interaction: Interaction, frames: tuple[str, ...]
) -> Response:
    gone = (pages.jar.write_session(tenant_of(request).id, ()),)
    return_to = interaction.prompt.return_to or None
    if return_to and not frames:
        return go_to(return_to, gone)
    response = show_page(
        pages,
        request,
        "sign_in/signed_out.html",
        cookies=gone,
        app=interaction.prompt.application or None,
        frames=frames,
        return_to=return_to,
    )
    if frames:
        response.headers["content-security-policy"] = framing_policy(frames)
    return response
