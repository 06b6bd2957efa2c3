"""
The authorization endpoint: RFC6749-3.1, OIDCC-3.1.2.

A request runs down the table below. If a person must act, it is stored and the browser
goes to the host's sign-in; from there it comes back to `/oauth2/authorize/resume`, where
the stored request runs down the same table again: clients, grants and sessions may have
changed meanwhile, and nothing is read from the browser twice (OIDCC-3.1.2.2). A pushed
request runs down the same table too, as far as no person is needed (PAR-2.1).
"""

from collections.abc import Awaitable, Callable
from enum import Flag, auto
from uuid import UUID

from insula.kernel import clock
from insula.kernel.errors import Unavailable
from insula.oidc.authorization import Authorization, ask, refuse, refuse_for_now
from insula.oidc.authorization_response import respond
from insula.oidc.errors import (
    AccessDenied,
    AccountSelectionRequired,
    ConsentRequired,
    InvalidRedirectUri,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    LoginRequired,
    OAuthError,
    Overtaken,
    RequestUriNotSupported,
    UnknownClient,
    UnknownRequestUri,
    UnmetRequirements,
)
from insula.oidc.features import (
    PARAMETERS,
    authorization_details,
    claims,
    consent,
    dpop,
    id_token_hint,
    par,
    pause,
    pkce,
    prompt,
    redirect_uris,
    request_objects,
    resources,
    response_modes,
    response_types,
    scopes,
    state,
)
from insula.oidc.http import Request, Response
from insula.oidc.issuer import Issuer
from insula.oidc.models import Client
from insula.oidc.request import Parameters, by_get, read_front_channel

Answer = Response | None
Step = Callable[[Authorization], Answer | Awaitable[Answer]]


class On(Flag):
    A = auto()
    R = auto()
    P = auto()


A, R, P = On.A, On.R, On.P


# --- whose request it is, and where its answer may go ------------------------------------


async def read_parameters(a: Authorization) -> None:
    a.pairs = a.pairs or await read_front_channel(a.request)
    params = Parameters(a.pairs)
    a.params, a.repeated = params, params.repeated


async def load_interaction(a: Authorization) -> None:
    try:
        txn = UUID(Parameters(a.request.query()).get("txn", ""))
    except ValueError:
        raise InvalidRequest("This sign-in is not known") from None
    interaction = await a.issuer.people.resume(a.cookies, txn, a.request.caller)
    if interaction is None:
        raise InvalidRequest("This sign-in has ended or belongs to another browser")
    a.restore(interaction)


async def load_client(a: Authorization) -> None:
    client_id = a.params.get("client_id")
    client = await a.issuer.clients.find(client_id) if client_id else None
    if client is None:
        raise UnknownClient("The application is not known here")
    a.client = client


def come_back_by_get(a: Authorization) -> Answer:
    if not request_objects.is_present(a.params):
        check_redirect_uri(a)  # nothing is carried on for an address that is not the client's
    return by_get(a.request, a.pairs, PARAMETERS)


async def take_pushed_request(a: Authorization) -> None:
    if not par.is_reference(a.params):
        return
    if not a.issuer.features.par:
        raise RequestUriNotSupported("Pushed authorization requests are not supported")
    reference = a.params["request_uri"]
    taken = await a.issuer.requests.take(reference, a.client, a.cookies)
    if taken is None:
        raise UnknownRequestUri("request_uri is unknown, used, expired or of another browser")
    a.recall(taken.parameters)
    a.pushed, a.repeated = reference, frozenset()
    a.new_cookies = {**a.new_cookies, **taken.cookies}
    a.set_cookies = (*a.set_cookies, *taken.set_cookies)


async def open_request_object(a: Authorization) -> None:
    if a.pushed is not None or not request_objects.is_present(a.params):
        return
    if "request_uri" in a.params and not a.is_push:  # a stranger makes us fetch it
        a.issuer.clients.refuse_burst(a.client, a.request.caller)
    try:
        a.params, a.request_object = await request_objects.open_request(
            a.issuer, a.client, a.params, pushed=a.is_push
        )
    except OAuthError as refusal:
        if a.is_push:
            raise
        a.refused_object = refusal  # told when it is known where to


def check_redirect_uri(a: Authorization) -> None:
    if a.repeated & {"client_id", "redirect_uri"}:
        raise InvalidRedirectUri("A parameter was sent more than once")
    a.redirect_uri = redirect_uris.check_redirect_uri(a.params, a.client)


# --- what it asks for ---------------------------------------------------------------------


def check_response_mode(a: Authorization) -> None:
    a.mode = response_modes.default_mode(a.params, a.issuer.features)
    a.mode = response_modes.check_response_mode(a.params, a.client, a.issuer.features)


def refuse_repeated(a: Authorization) -> None:
    if a.repeated:
        raise InvalidRequest("A parameter was sent more than once")


def refuse_paused(a: Authorization) -> None:
    pause.refuse_paused(a.client)


def refuse_bad_object(a: Authorization) -> None:
    if a.refused_object is not None:
        raise a.refused_object


def refuse_unsigned(a: Authorization) -> None:
    if a.request_object is None:
        request_objects.refuse_unsigned(a.params, a.client, a.issuer.features)


def refuse_unpushed(a: Authorization) -> None:
    if a.pushed is None:
        par.refuse_unpushed(a.client, a.issuer.features)


def check_response_type(a: Authorization) -> None:
    a.response_type = response_types.check_response_type(a.params, a.client, a.issuer.features)


def check_state_and_nonce(a: Authorization) -> None:
    state.check_state_and_nonce(a.params)


def read_scopes(a: Authorization) -> None:
    a.scopes = scopes.read_scopes(a.params, a.client, a.issuer.scopes)
    if a.response_type == response_types.CODE:
        return
    a.scopes -= {scopes.OFFLINE}  # nothing could make use of it without a code: OIDCC-11
    if scopes.OPENID not in a.scopes:
        raise InvalidScope("scope must hold openid for an id_token")


def read_resources(a: Authorization) -> None:
    known, own = a.issuer.resources, a.issuer.url
    a.resources = resources.read_resources(a.params, a.client, a.scopes, known, own)
    if response_types.has_token(a.response_type) and len(a.resources) > 1:
        raise InvalidTarget("A token is for one resource; name one")


def refuse_details(a: Authorization) -> None:
    authorization_details.refuse_details(a.params)


def check_challenge(a: Authorization) -> None:
    is_required = a.response_type == response_types.CODE and pkce.is_required(
        a.client, a.issuer.features
    )
    a.challenge = pkce.check_challenge(a.params, required=is_required)


def read_dpop_key(a: Authorization) -> None:
    a.dpop_jkt = dpop.read_thumbprint(a.params, a.issuer.features)


def read_prompts(a: Authorization) -> None:
    a.prompts = prompt.read_prompts(a.params)
    a.max_age = prompt.read_max_age(a.params, a.client)


def read_claims(a: Authorization) -> None:
    a.asked = claims.read_claims(a.params, a.client, a.issuer.features)
    a.covering, a.claims_kept = claims.cover(a.asked, a.scopes, a.client, a.issuer.scopes)


# --- who is there, and what they must do --------------------------------------------------


async def load_visit(a: Authorization) -> None:
    a.visit = await a.issuer.people.visit(a.cookies, a.client, a.request.caller)


def refuse_denied(a: Authorization) -> None:
    if a.interaction is not None and a.interaction.denied:
        raise AccessDenied("The person refused the request")


async def ask_to_sign_in(a: Authorization) -> Answer:
    visit = a.visit
    needed = prompt.sign_in_needed(
        visit.session,
        prompts=a.prompts,
        max_age=a.max_age,
        proved=a.interaction.authenticated if a.interaction else None,
        now=clock.now(),
    )
    if visit.session is not None and needed == "no":
        a.session = visit.session
        return None
    is_choice = visit.session is None and visit.accounts > 1
    if a.is_silent:
        if is_choice:
            raise AccountSelectionRequired("Several people are signed in, and none was chosen")
        raise LoginRequired("Nobody is signed in, or not recently enough")
    return await ask(a, "select_account" if is_choice else "login", fresh=needed == "again")


async def ask_for_account(a: Authorization) -> Answer:
    if "select_account" not in a.prompts:
        return None
    # Whoever has just signed in has thereby said which account it is to be.
    done = a.interaction and (a.interaction.selected or a.interaction.authenticated == a.session.id)
    return None if done else await ask(a, "select_account")


def check_person(a: Authorization) -> None:
    if a.is_silent:
        id_token_hint.check_hint(a.params, a.client, a.issuer, a.session)
    subject = a.issuer.subject(a.client, a.session.user_id)
    if not all(subject in subjects for subjects in a.asked.subjects):
        raise LoginRequired("Another person is signed in than the request names")
    if not all(a.session.acr in acrs for acrs in a.asked.acrs):
        raise UnmetRequirements("The sign-in does not reach the level that is asked for")


async def ask_for_consent(a: Authorization) -> Answer:
    granted = a.visit.granted
    a.scopes = scopes.without_unfounded_offline_access(a.scopes, a.client, a.prompts, granted)
    if not consent.consent_needed(
        a.scopes | a.covering, a.client, a.prompts, granted=granted, consented=a.consented
    ):
        return None
    if a.is_silent:
        raise ConsentRequired("The person has not allowed this yet")
    return await ask(a, "consent")


# fmt: off
STEPS: tuple[tuple[Step, On], ...] = (
    # Refused on a page: no answer may travel to an address that is not proven to be the client's
    # A: a request of a browser  R: the same, resumed  P: a pushed one, whose client is known
    (read_parameters,         A        ),
    (load_interaction,            R    ),
    (load_client,             A | R    ),
    (come_back_by_get,        A        ),   # a POST of another site has left the cookies behind
    (take_pushed_request,     A        ),
    (open_request_object,     A     | P),
    (check_redirect_uri,      A | R | P),
    # Refused to the client from here on, if somebody is signed in or prompt is none; else on
    # a page, or anyone who registers a client could send strangers where they like (AZ-11)
    (check_response_mode,     A | R | P),
    (refuse_repeated,         A        ),
    (refuse_paused,           A     | P),   # who is half-way may come back
    (refuse_bad_object,       A        ),
    (refuse_unsigned,         A | R | P),
    (refuse_unpushed,         A | R    ),
    (check_response_type,     A | R | P),
    (check_state_and_nonce,   A | R | P),
    (read_scopes,             A | R | P),
    (read_resources,          A | R | P),
    (refuse_details,          A     | P),
    (check_challenge,         A | R | P),
    (read_dpop_key,           A | R | P),
    (read_prompts,            A | R | P),
    (read_claims,             A | R | P),
    # Decided with the person
    (load_visit,              A        ),
    (refuse_denied,               R    ),
    (ask_to_sign_in,          A | R    ),
    (ask_for_account,         A | R    ),
    (check_person,            A | R    ),
    (ask_for_consent,         A | R    ),
    (respond,                 A | R    ),
)
# fmt: on

_AUTHORIZE = tuple(step for step, on in STEPS if A in on)
_RESUME = tuple(step for step, on in STEPS if R in on)
_PUSHED = tuple(step for step, on in STEPS if P in on)


async def authorize(issuer: Issuer, request: Request) -> Response:
    return await _run(Authorization(issuer, request), _AUTHORIZE)


async def resume(issuer: Issuer, request: Request) -> Response:
    return await _run(Authorization(issuer, request), _RESUME)


async def check_pushed(
    issuer: Issuer, request: Request, client: Client, params: Parameters
) -> Authorization:
    """
    Check a request that *client* pushed, as if a browser had brought it.

    Returns it with the parameters that count; raises what would have been answered.
    """
    a = Authorization(issuer, request, params=params, is_push=True)
    a.client = client
    for step in _PUSHED:
        outcome = step(a)
        if isinstance(outcome, Awaitable):
            await outcome
    return a


async def _run(a: Authorization, steps: tuple[Step, ...]) -> Response:
    answer: Answer = None
    rest = iter(steps)
    try:
        while answer is None:  # the last step always answers
            outcome = next(rest)(a)
            answer = await outcome if isinstance(outcome, Awaitable) else outcome
    except Overtaken:
        return await _run(a.again(), steps)
    except OAuthError as refusal:
        return await refuse(a, refusal)
    except Unavailable as away:
        return refuse_for_now(a, away)
    return answer
