"""
The authorization endpoint: RFC6749-3.1, OIDCC-3.1.2.

A request runs down the table below. If a person must act, it is stored and the browser
goes to the host's sign-in; from there it comes back to `/oauth2/authorize/resume`, where
the stored request runs down the same table again: clients, grants and sessions may have
changed meanwhile, and nothing is read from the browser twice (OIDCC-3.1.2.2).
"""

from collections.abc import Awaitable, Callable
from enum import Flag, auto
from uuid import UUID

from insula.kernel import clock
from insula.kernel.ids import Kind, new_secret
from insula.oidc.authorization import Authorization, ask, refuse, send
from insula.oidc.errors import (
    AccessDenied,
    AccountSelectionRequired,
    ConsentRequired,
    InvalidRedirectUri,
    InvalidRequest,
    LoginRequired,
    OAuthError,
    UnknownClient,
    UnmetRequirements,
)
from insula.oidc.features import (
    PARAMETERS,
    claims,
    consent,
    id_token_hint,
    pkce,
    prompt,
    redirect_uris,
    request_objects,
    response_modes,
    response_types,
    scopes,
    state,
)
from insula.oidc.http import Request, Response
from insula.oidc.issuer import Issuer
from insula.oidc.models import NewCode
from insula.oidc.request import Parameters, by_get, read_front_channel

Answer = Response | None
Step = Callable[[Authorization], Answer | Awaitable[Answer]]


class On(Flag):
    A = auto()
    R = auto()


A, R = On.A, On.R


# --- whose request it is, and where its answer may go ------------------------------------


async def read_parameters(a: Authorization) -> None:
    a.pairs = await read_front_channel(a.request)
    params = Parameters(a.pairs)
    a.params, a.repeated = params, params.repeated


async def load_interaction(a: Authorization) -> None:
    try:
        txn = UUID(Parameters(a.request.query()).get("txn", ""))
    except ValueError:
        raise InvalidRequest("This sign-in is not known") from None
    a.interaction = await a.issuer.people.resume(a.request.cookies, txn, a.request.caller)
    if a.interaction is None:
        raise InvalidRequest("This sign-in has ended or belongs to another browser")
    a.params, a.visit = a.interaction.parameters, a.interaction.visit


async def load_client(a: Authorization) -> None:
    client_id = a.params.get("client_id")
    client = await a.issuer.clients.find(client_id) if client_id else None
    if client is None:
        raise UnknownClient("The application is not known here")
    a.client = client


def check_redirect_uri(a: Authorization) -> None:
    if a.repeated & {"client_id", "redirect_uri"}:
        raise InvalidRedirectUri("A parameter was sent more than once")
    a.redirect_uri = redirect_uris.check_redirect_uri(a.params, a.client)


def come_back_by_get(a: Authorization) -> Answer:
    return by_get(a.request, a.pairs, PARAMETERS)


# --- what it asks for ---------------------------------------------------------------------


def check_response_mode(a: Authorization) -> None:
    a.mode = response_modes.check_response_mode(a.params, a.client)


def refuse_repeated(a: Authorization) -> None:
    if a.repeated:
        raise InvalidRequest("A parameter was sent more than once")


def refuse_request_objects(a: Authorization) -> None:
    request_objects.refuse_request_objects(a.params)


def check_response_type(a: Authorization) -> None:
    response_types.check_response_type(a.params, a.client)


def check_state_and_nonce(a: Authorization) -> None:
    state.check_state_and_nonce(a.params)


def read_scopes(a: Authorization) -> None:
    a.scopes = scopes.read_scopes(a.params, a.client, a.issuer.scopes)


def check_challenge(a: Authorization) -> None:
    a.challenge = pkce.check_challenge(a.params, required=pkce.is_required(a.client))


def read_prompts(a: Authorization) -> None:
    a.prompts = prompt.read_prompts(a.params)
    a.max_age = prompt.read_max_age(a.params, a.client)


def read_claims(a: Authorization) -> None:
    a.asked = claims.read_claims(a.params)
    a.covering, a.claims_kept = claims.cover(a.asked, a.scopes, a.client, a.issuer.scopes)


# --- who is there, and what they must do --------------------------------------------------


async def load_visit(a: Authorization) -> None:
    a.visit = await a.issuer.people.visit(a.request.cookies, a.client, a.request.caller)


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
        id_token_hint.check_hint(a.params, a.client, a.session, a.issuer.verifier)
    if not all(str(a.session.user_id) in subjects for subjects in a.asked.subjects):
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


async def respond(a: Authorization) -> Answer:
    code = new_secret(Kind.CODE)
    issued = await a.issuer.tokens.issue_code(
        NewCode(
            code=code,
            client=a.client,
            session=a.session,
            redirect_uri=a.redirect_uri,
            scopes=consent.as_allowed(a.scopes, a.consented),
            nonce=a.params.get("nonce"),
            code_challenge=a.challenge,
            claims=a.claims_kept,
            auth_time_wanted=(
                a.max_age is not None or a.client.require_auth_time or a.asked.auth_time
            ),
            lifetime=a.issuer.lifetimes.code,
            interaction=a.interaction.id if a.interaction else None,
        ),
        a.request.caller,
    )
    if not issued:
        if a.is_silent:
            raise LoginRequired("The session has ended")
        a.redirect_uri = ""  # nobody is signed in any more: a page, and no redirect (AZ-11)
        raise InvalidRequest("This sign-in has ended. Please start again from the application")
    return send(a, {"code": code})


# fmt: off
STEPS: tuple[tuple[Step, On], ...] = (
    # Refused on a page: no answer may travel to an address that is not proven to be the client's
    (read_parameters,         A    ),
    (load_interaction,            R),
    (load_client,             A | R),
    (check_redirect_uri,      A | R),
    (come_back_by_get,        A    ),   # a POST of another site has left the cookies behind
    # Refused to the client from here on, if somebody is signed in or prompt is none; else on
    # a page, or anyone who registers a client could send strangers where they like (AZ-11)
    (check_response_mode,     A | R),
    (refuse_repeated,         A    ),
    (refuse_request_objects,  A    ),
    (check_response_type,     A | R),
    (check_state_and_nonce,   A | R),
    (read_scopes,             A | R),
    (check_challenge,         A | R),
    (read_prompts,            A | R),
    (read_claims,             A | R),
    # Decided with the person
    (load_visit,              A    ),
    (refuse_denied,               R),
    (ask_to_sign_in,          A | R),
    (ask_for_account,         A | R),
    (check_person,            A | R),
    (ask_for_consent,         A | R),
    (respond,                 A | R),
)
# fmt: on

_AUTHORIZE = tuple(step for step, on in STEPS if A in on)
_RESUME = tuple(step for step, on in STEPS if R in on)


async def authorize(issuer: Issuer, request: Request) -> Response:
    return await _run(Authorization(issuer, request), _AUTHORIZE)


async def resume(issuer: Issuer, request: Request) -> Response:
    return await _run(Authorization(issuer, request), _RESUME)


async def _run(a: Authorization, steps: tuple[Step, ...]) -> Response:
    answer: Answer = None
    rest = iter(steps)
    try:
        while answer is None:  # the last step always answers
            outcome = next(rest)(a)
            answer = await outcome if isinstance(outcome, Awaitable) else outcome
    except OAuthError as refusal:
        return await refuse(a, refusal)
    return answer
