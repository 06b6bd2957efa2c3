"""
The pages of sign-in: each step a form, a POST and a 303 to the next step.

They work without script, keep what was typed (secrets excepted) after a refusal, and answer
an expired interaction with a page that says how to start again.
"""

import contextlib
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.accounts.errors import WeakPassword
from insula.sign_in import consents, service, signing_out
from insula.sign_in.errors import InteractionGone, TooManyAttempts
from insula.sign_in.guard import (
    Pages,
    begin_interaction,
    counted,
    csrf_token_of,
    go_on,
    go_to,
    here_of,
    in_words,
    only,
    person_shown,
    read_form,
    show_page,
    tenant_of,
)
from insula.sign_in.interactions import service as interactions
from insula.sign_in.models import Interaction, Prompt, SignedIn, describe
from insula.sign_in.proof import InvalidCredentials
from insula.sign_in.service import Here
from insula.ui.pages import framing_policy
from insula.ui.views import Account, App, Person, hue_of, initials

#: Where the browser goes when the person has done what was needed.
RESUME = "/oauth2/authorize/resume"
_FEW_TRIES = 3  # as many or fewer are told


def routes(pages: Pages) -> list[Route]:
    """The steps of a sign-in, and of a sign-out."""
    return [
        pages.route("/", landing, "GET"),
        pages.route("/sign-in", show_sign_in, "GET"),
        pages.route("/sign-in", post_sign_in, "POST"),
        pages.route("/sign-in/new-password", show_new_password, "GET"),
        pages.route("/sign-in/new-password", post_new_password, "POST"),
        pages.route("/sign-in/select-account", show_accounts, "GET"),
        pages.route("/sign-in/select-account", post_account, "POST"),
        pages.route("/sign-in/consent", show_consent, "GET"),
        pages.route("/sign-in/consent", post_consent, "POST"),
        pages.route("/sign-in/out", show_sign_out, "GET"),
        pages.route("/sign-in/out", post_sign_out, "POST"),
    ]


async def _interaction(pages: Pages, request: Request) -> tuple[Here, Interaction]:
    """The interaction in the URL, if it is this browser's. Raises `InteractionGone`."""
    here = here_of(pages, request)
    with contextlib.suppress(ValueError):
        txn = UUID(request.query_params.get("txn", ""))
        return here, await interactions.load(tenant_of(request), here.browser or None, txn)
    raise InteractionGone


def _next(interaction: Interaction) -> str:
    """Where an interaction leads when its step is done."""
    if interaction.kind == "authorize":
        return f"{RESUME}?txn={interaction.id}"
    return interaction.prompt.return_to or "/"


def action_of(path: str, interaction: Interaction) -> str:
    return f"{path}?{urlencode({'txn': interaction.id})}"


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
        await interactions.decline(tenant_of(request), here.browser, interaction.id)
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


def _signed_in(
    pages: Pages, request: Request, interaction: Interaction, tokens: tuple[str, ...]
) -> Response:
    return go_on(pages, request, _next(interaction), tokens)


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
    await consents.decide(tenant_of(request), here, interaction, person, allowed)
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
        await interactions.cancel(tenant_of(request), here.browser, interaction.id)
        return go_to("/")
    frames = await signing_out.sign_out(tenant_of(request), here)
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
