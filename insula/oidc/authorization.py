"""
One authorization request on its way through the endpoint, and the three ways it can end.

It is answered to the client, refused to whoever may be told, or stored while a person acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from insula.kernel.errors import Unavailable
from insula.oidc import refusals
from insula.oidc.errors import OAuthError
from insula.oidc.features import (
    PARAMETERS,
    claims,
    prompt,
    response_modes,
    response_types,
    scopes,
    state,
)
from insula.oidc.http import Request, Response, see_other, set_cookies
from insula.oidc.issuer import Issuer
from insula.oidc.models import Ask, Client, Interaction, Scopes, Session, Visit

#: Among stored parameters; no request can bring these names in, for they are none of PARAMETERS.
_PUSHED, _REQUEST_OBJECT = "insula:pushed", "insula:request_object"
#: Until the host has told who is there.
_NOT_ASKED = Visit(None)


@dataclass(slots=True)
class Authorization:
    """One authorization request on its way down the table; each step fills in what it found."""

    issuer: Issuer
    request: Request
    params: Mapping[str, str] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()
    pairs: list[tuple[str, str]] = field(default_factory=list)
    #: What it rested on had ended when it was to be answered; it is decided for the second time.
    is_repeat: bool = False
    interaction: Interaction | None = None
    client: Client = field(init=False)
    #: It is being pushed: its client has proved itself, and is told at once what is wrong.
    is_push: bool = False
    #: Reference of a pushed request, and mark of a signed one: used up when this completes.
    pushed: str | None = None
    request_object: str | None = None
    #: Why the request object was refused; told once it is known where to.
    refused_object: OAuthError | None = None
    #: Empty until it may be trusted: as long, nothing can be answered but a page.
    redirect_uri: str = ""
    mode: str = response_modes.DEFAULT
    response_type: str = response_types.DEFAULT
    scopes: Scopes = frozenset()
    resources: tuple[str, ...] = ()
    #: The scopes that must be allowed for the claims asked by name, and what is kept of those.
    covering: Scopes = frozenset()
    asked: claims.ClaimsRequest = field(init=False)
    claims_kept: str = ""
    challenge: str | None = None
    dpop_jkt: str | None = None
    prompts: frozenset[str] = frozenset()
    max_age: int | None = None
    visit: Visit = _NOT_ASKED
    #: What the browser was given on the way here.
    new_cookies: Mapping[str, str] = field(default_factory=dict)
    set_cookies: tuple[str, ...] = ()
    session: Session = field(init=False)

    @property
    def is_silent(self) -> bool:
        return prompt.is_silent(self.params)

    @property
    def cookies(self) -> Mapping[str, str]:
        return {**self.request.cookies, **self.new_cookies}

    @property
    def consented(self) -> Scopes | None:
        """What was allowed in this interaction, unless it has been taken back since."""
        if self.interaction is None or self.visit.granted is None:
            return None
        return self.interaction.consented

    @property
    def stored(self) -> dict[str, str]:
        """What is kept while a person acts: the validated request and what it will use up."""
        kept = {name: value for name, value in self.params.items() if name in PARAMETERS}
        if self.pushed is not None:
            kept[_PUSHED] = self.pushed
        if self.request_object is not None:
            kept[_REQUEST_OBJECT] = self.request_object
        return kept

    def again(self) -> "Authorization":
        """The same request, to be decided anew; what the browser was given on the way stays."""
        return Authorization(
            self.issuer,
            self.request,
            pairs=self.pairs,
            is_repeat=True,
            new_cookies=self.new_cookies,
            set_cookies=self.set_cookies,
        )

    def restore(self, interaction: Interaction) -> None:
        """Go on with a request that waited for a person."""
        self.interaction, self.visit = interaction, interaction.visit
        self.recall(interaction.parameters)

    def recall(self, stored: Mapping[str, str]) -> None:
        """Take back what `stored` was."""
        params = dict(stored)
        self.pushed = params.pop(_PUSHED, self.pushed)
        self.request_object = params.pop(_REQUEST_OBJECT, None)
        self.params = params


async def refuse(a: Authorization, refusal: OAuthError) -> Response:
    """Tell the client, if it may be told; otherwise the person (AZ-11)."""
    if a.interaction is not None:
        await a.issuer.people.cancel(a.cookies, a.interaction.id)
    client: Client | None = getattr(a, "client", None)
    if client is not None:
        a.issuer.clients.note_refused(client, refusal.code)
    if not a.redirect_uri or not refusal.redirectable:
        return refusals.as_page(a.issuer, a.request, refusal)
    if not a.is_silent:
        if a.visit is _NOT_ASKED:
            a.visit = await a.issuer.people.visit(a.cookies, a.client, a.request.caller)
        if a.visit.session is None:
            cookies = (*a.visit.set_cookies, *a.set_cookies)
            response = refusals.as_page(a.issuer, a.request, refusal, back=_way_back(a, refusal))
            return set_cookies(response, cookies)
    refusals.note(a.request, refusal)
    return send(a, _told(refusal))


def refuse_for_now(a: Authorization, away: Unavailable) -> Response:
    """
    Tell the client that something is away, where it is certain that it may be told (AZ-10).

    Raises *away* where it is not: nobody can be asked now whether somebody is signed in (AZ-11).
    """
    if not a.redirect_uri or not (a.is_silent or a.visit.session is not None):
        raise away
    refusal = refusals.for_now(away)
    refusals.note(a.request, refusal)
    return send(a, _told(refusal))


def _told(refusal: OAuthError) -> dict[str, str]:
    return {"error": refusal.code, "error_description": refusal.description}


def _way_back(a: Authorization, refusal: OAuthError) -> str | None:
    """Where a button may lead whoever reads the refusal: to the client, with what it is told."""
    fields = _given_back(a, _told(refusal))
    return response_modes.address(a.mode, a.redirect_uri, fields)


def send(a: Authorization, fields: dict[str, str]) -> Response:
    response = response_modes.respond(
        a.issuer.pages, a.mode, a.redirect_uri, _given_back(a, fields)
    )
    return set_cookies(response, (*a.visit.set_cookies, *a.set_cookies))


def _given_back(a: Authorization, fields: dict[str, str]) -> dict[str, str]:
    given_back = state.read_state(a.params)
    if given_back is not None:
        fields["state"] = given_back
    fields["iss"] = a.issuer.url  # RFC9207-2: in every answer, against mix-ups
    return fields


async def ask(
    a: Authorization,
    need: Literal["login", "select_account", "consent"],
    *,
    fresh: bool = False,
) -> Response:
    """Store the request and send the browser to where the person can do what is needed."""
    wanted = scopes.in_order(a.scopes | a.covering, a.issuer.scopes)
    target = urlsplit(a.redirect_uri)
    redirection = await a.issuer.people.ask(
        a.cookies,
        Ask(
            need=need,
            parameters=a.stored,
            client=a.client,
            redirect_host=target.netloc or target.scheme,
            scopes=wanted,
            granted=a.visit.granted or frozenset(),
            audiences=tuple(a.issuer.resources[name].name for name in a.resources),
            optional_scopes=tuple(scope for scope in wanted if scope in scopes.OPTIONAL),
            login_hint=a.params.get("login_hint", ""),
            fresh=fresh,
            interaction=a.interaction.id if a.interaction else None,
        ),
        a.request.caller,
    )
    return set_cookies(
        see_other(redirection.location),
        (*a.visit.set_cookies, *a.set_cookies, *redirection.set_cookies),
    )
