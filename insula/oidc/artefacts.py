"""What passes between the engine and its stores as it is issued, spent or revoked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from insula.oidc.models import Caller, Client, Person, Scopes, Session


@dataclass(frozen=True, slots=True)
class Redirection:
    """Where the host wants the browser to go next, with the cookies it sets."""

    location: str
    set_cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewPushed:
    """An authorization request that a client pushed; *lifetime* in seconds (PAR-2.2)."""

    reference: str
    client: Client
    parameters: Mapping[str, str]
    lifetime: int


@dataclass(frozen=True, slots=True)
class TakenPush:
    """A pushed request, bound from now on to the browser that brought its reference."""

    parameters: Mapping[str, str]
    #: Cookies that the browser has from now on, and the headers that give them to it.
    cookies: Mapping[str, str] = field(default_factory=dict)
    set_cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsedUp:
    """
    What an authorization uses up when it completes, in the same act.

    *interaction* is the stored request, *pushed* the reference of a pushed one, *request_object*
    the mark of a signed one (JR-7).
    """

    interaction: UUID | None = None
    pushed: str | None = None
    request_object: str | None = None


@dataclass(frozen=True, slots=True)
class Authorized:
    """What a person authorized, whether a code or tokens come of it (AZ-8)."""

    client: Client
    session: Session
    scopes: Scopes
    #: What the person must still allow when this is stored; None: nobody needs to be asked.
    must_be_allowed: Scopes | None
    resources: tuple[str, ...]
    #: The `claims` request of this authorization, canonical JSON or empty.
    claims: str
    #: auth_time must be in the id_token (max_age was asked, or the client requires it).
    auth_time_wanted: bool
    nonce: str | None
    used_up: UsedUp


@dataclass(frozen=True, slots=True)
class NewCode:
    """An authorization code to be stored, with all that it is bound to; *lifetime* in seconds."""

    code: str
    authorized: Authorized
    redirect_uri: str
    code_challenge: str | None
    #: Thumbprint of the key that must be proven when the code is redeemed (DPOP-10).
    dpop_jkt: str | None
    lifetime: int


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A token exchange to be recorded: what came of *subject*, for whom, and who acts (TX-3)."""

    subject: "ActiveToken"
    client: Client
    access: "NewAccess"
    act: Mapping[str, Any] | None
    mode: Literal["delegation", "impersonation"]
    caller: Caller


CodeState = Literal["live", "consumed", "expired"]


@dataclass(frozen=True, slots=True)
class StoredCode:
    """A code of the asking client, read; `alive` joins tenant, client, user and session."""

    state: CodeState
    alive: bool
    issue_id: UUID
    session: Session
    person: Person
    redirect_uri: str
    scopes: Scopes
    resources: tuple[str, ...]
    nonce: str | None
    code_challenge: str | None
    dpop_jkt: str | None
    claims: str
    auth_time_wanted: bool


@dataclass(frozen=True, slots=True)
class NewRefresh:
    """A refresh token to start a family with; lives in seconds."""

    token: str
    idle: int
    absolute: int
    #: Dies with the session it came from (no `offline_access`).
    bound_to_session: bool
    #: Thumbprint of the key that a public client must prove with it (DPOP-5).
    dpop_jkt: str | None = None


@dataclass(frozen=True, slots=True)
class NewAccess:
    """
    An access token that was minted.

    *opaque* is the token itself when it is to be stored by hash; a JWT is not stored, its
    issue id travels in `jti`. A refresh family is known by the id of its issue.
    """

    issue_id: UUID
    scopes: Scopes
    expires_in: int
    opaque: str | None = None
    audience: tuple[str, ...] = ()
    dpop_jkt: str | None = None


@dataclass(frozen=True, slots=True)
class FrontChannel:
    """Tokens that leave by the authorization endpoint; *access* when one of them is one."""

    issue_id: UUID
    authorized: Authorized
    access: NewAccess | None


@dataclass(frozen=True, slots=True)
class Redemption:
    """What is to be recorded in the statement that spends a code."""

    code: str
    client: Client
    stored: StoredCode
    access: NewAccess
    refresh: NewRefresh | None
    caller: Caller


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device that will wait for a person; *lifetime* and *interval* in seconds (RFC8628-3.2)."""

    device_code: str
    #: Letters alone, in capitals: how it is shown is not how it is compared.
    user_code: str
    client: Client
    scopes: Scopes
    resources: tuple[str, ...]
    lifetime: int
    interval: int


PollState = Literal["pending", "too_fast", "denied", "expired", "approved", "redeemed"]


@dataclass(frozen=True, slots=True)
class Poll:
    """What a poll found; *approved* when tokens may be made (RFC8628-3.5)."""

    state: PollState
    approved: "ApprovedDevice | None" = None


@dataclass(frozen=True, slots=True)
class ApprovedDevice:
    """A device that a person has let in; what came of it will be known by *issue_id*."""

    issue_id: UUID
    session: Session
    person: Person
    scopes: Scopes
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceRedemption:
    """What is to be recorded in the statement that spends a device code."""

    device_code: str
    client: Client
    approved: ApprovedDevice
    access: NewAccess
    refresh: NewRefresh | None
    caller: Caller


RefreshState = Literal["current", "former", "reused", "dead"]


@dataclass(frozen=True, slots=True)
class StoredRefresh:
    """
    A refresh token of the asking client, read.

    *state*: `current` may be advanced; `former` was superseded within the grace, and *replay*
    holds the answer that was given then, to whoever proved the key *replay_jkt*; `reused` is any
    other earlier generation; `dead` has expired or was revoked. *meant* are those of *scopes* that
    are still the ones that were granted, and not others that bear their names since.
    """

    state: RefreshState
    alive: bool
    family_id: UUID
    session: Session
    person: Person
    scopes: Scopes
    meant: Scopes
    resources: tuple[str, ...]
    dpop_jkt: str | None
    claims: str
    auth_time_wanted: bool
    replay: bytes | None = None
    replay_jkt: str | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """A rotation: the presented token becomes *successor*; *answer* is kept for the grace."""

    presented: str
    successor: str
    client: Client
    stored: StoredRefresh
    access: NewAccess
    answer: bytes
    idle: int
    caller: Caller


@dataclass(frozen=True, slots=True)
class ActiveToken:
    """An access or refresh token that is alive now: it, its client, its person, its session."""

    kind: Literal["access_token", "refresh_token"]
    issue_id: UUID
    client_id: str
    scopes: Scopes
    person: Person | None
    expires_at: int
    issued_at: int
    auth_time: int | None = None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    #: The `claims` request of the authorization this token came from.
    claims: str = ""
    #: The `jti` of a JWT, filled in by the engine.
    jti: str = ""
    #: Whom it is for: identifiers of resource servers, the issuer's URL for our own endpoints.
    audience: tuple[str, ...] = ()
    #: Thumbprint of the key that must be proven with it (DPOP-6).
    dpop_jkt: str | None = None
    #: Who acts for the person (RFC8693-4.1), and who alone may (RFC8693-4.4).
    act: Mapping[str, Any] | None = None
    may_act: Mapping[str, Any] | None = None
    #: The client_id that it is about, when it is about another client than its own (TX-6).
    about: str | None = None
