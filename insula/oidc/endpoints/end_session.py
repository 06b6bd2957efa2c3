"""
The end session endpoint: OpenID Connect RP-Initiated Logout.

An id_token_hint that names the person who is signed in here proves that the client may
ask; then the session ends at once. Anything less is confirmed by the person first. The
browser is sent on only to an address that the proven client has registered.
"""

from insula.oidc.errors import InvalidRequest, UnknownClient
from insula.oidc.features import state
from insula.oidc.http import Request, Response, page, see_other, set_cookies, with_query
from insula.oidc.issuer import Issuer
from insula.oidc.models import AskSignOut, Client, Session
from insula.oidc.request import Parameters, by_get, read_front_channel
from insula.oidc.sightings import note_token

PARAMETERS = frozenset(
    {
        "client_id",
        "id_token_hint",
        "logout_hint",
        "post_logout_redirect_uri",
        "state",
        "ui_locales",
    }
)


async def end_session(issuer: Issuer, request: Request) -> Response:
    pairs = await read_front_channel(request)
    params = Parameters(pairs)
    if params.repeated:
        raise InvalidRequest("A parameter was sent more than once")
    state.check_state_and_nonce(params)
    subject, client = await _read_hint(issuer, params)
    return_to = _read_return(params, client if subject else None)
    if (again := by_get(request, pairs, PARAMETERS)) is not None:
        return again

    visit = await issuer.people.who(request.cookies)
    cookies = visit.set_cookies
    frames: tuple[str, ...] = ()
    if visit.session is not None:
        if not _names(issuer, subject, client, visit.session):
            redirection = await issuer.people.ask_sign_out(
                request.cookies, AskSignOut(return_to, client), request.caller
            )
            return set_cookies(
                see_other(redirection.location), (*cookies, *redirection.set_cookies)
            )
        ended = await issuer.people.end_session(
            request.cookies, visit.session.id, client, request.caller
        )
        cookies, frames = cookies + ended.set_cookies, ended.frames
    if return_to and not frames:
        return set_cookies(see_other(return_to), cookies)
    body, policy = issuer.pages.signed_out(client, frames, return_to)
    return set_cookies(page(body, policy=policy) if policy else page(body), cookies)


def _names(issuer: Issuer, subject: str | None, client: Client | None, session: Session) -> bool:
    """Whether the hint is about the person who is signed in."""
    return client is not None and subject == issuer.subject(client, session.user_id)


async def _read_hint(issuer: Issuer, params: Parameters) -> tuple[str | None, Client | None]:
    """Return whom the hint names and which client asks; without a hint it only says so."""
    hint, client_id = params.get("id_token_hint"), params.get("client_id")
    subject = None
    if hint is not None:
        says = issuer.verifier.id_token_hint(hint)
        if says is None:
            raise InvalidRequest("id_token_hint is not an id_token of this provider")
        if client_id is not None and client_id != says["aud"]:
            raise InvalidRequest("id_token_hint was not issued to this client")
        subject, client_id = says["sub"], says["aud"]
    if client_id is None:
        return None, None
    client = await issuer.clients.find(client_id)
    if client is None:
        raise UnknownClient("The application is not known here")
    if hint is not None:
        note_token(issuer.sightings, client, hint)
    return subject, client


def _read_return(params: Parameters, proven: Client | None) -> str | None:
    """Return where to go afterwards, exactly as the client registered it (OIDCRIL-3)."""
    uri = params.get("post_logout_redirect_uri")
    if uri is None:
        return None
    if proven is None or uri not in proven.post_logout_redirect_uris:
        raise InvalidRequest("post_logout_redirect_uri is not registered for a proven client")
    return with_query(uri, {"state": params["state"]}) if "state" in params else uri
