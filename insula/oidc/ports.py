"""
What the host of the engine must supply.

Secrets cross these ports in clear and are hashed by the host, which alone knows the
tenant that the hash is bound to. Every method that changes something writes its audit
row in the same act. A method raises `kernel.errors.Unavailable` when what it depends
on is away; the engine answers 503 and nothing has happened.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from insula.oidc.artefacts import (
    ActiveToken,
    Advance,
    DeviceRedemption,
    Exchanged,
    FrontChannel,
    NewAccess,
    NewCode,
    NewDevice,
    NewPushed,
    Poll,
    Redemption,
    Redirection,
    StoredCode,
    StoredRefresh,
    TakenPush,
)
from insula.oidc.models import (
    Ask,
    AskSignOut,
    Caller,
    Client,
    EndedSession,
    Interaction,
    Person,
    RegisteredClient,
    Visit,
)

#: The cookies of the request, name to value; a name sent twice is absent.
Cookies = Mapping[str, str]


class Clients(Protocol):
    """The applications of this issuer."""

    async def find(self, client_id: str) -> Client | None:
        """Find the active client of that id; None for unknown, inactive and foreign alike."""

    async def allows_origin(self, origin: str) -> bool:
        """Whether any active client of this issuer registered *origin*, for a CORS preflight."""

    def secret_matches(self, client: Client, secret: str) -> bool:
        """Whether *secret* is one of the client's live secrets, compared in constant time."""

    async def refuse_flood(self, client_id: str, caller: Caller) -> None:
        """Raise `oidc.errors.SlowDown` when this client failed too often from this address."""

    def refuse_burst(self, client: Client, caller: Caller) -> None:
        """
        Count what a client without a secret makes us keep, by its address (PA-4).

        Whoever knows its name can ask in its name. Raises `oidc.errors.SlowDown`.
        """

    async def count_failure(self, client_id: str, caller: Caller) -> None:
        """Record a failed client authentication; never locks the client itself out (CA-10)."""

    async def keys(self, client: Client, kid: str | None) -> Sequence[Mapping[str, Any]]:
        """
        The client's public keys as JWKs, from its registration or its `jwks_uri`.

        A *kid* that is not among them is looked for once more at the address (CA-4). Raises
        `oidc.errors.Unreachable` when the address gives no keys.
        """

    def note_issued(self, client: Client, grant_type: str) -> None:
        """Count tokens that left for a client, for its statistics; nothing waits for it."""

    def note_refused(self, client: Client, code: str) -> None:
        """Count a refusal of a client's request by its error code, likewise."""


class People(Protocol):
    """The person in front of the browser: sessions, sign-in, consent."""

    async def visit(self, cookies: Cookies, client: Client, caller: Caller) -> Visit:
        """Who is signed in here and what they have granted this client. One trip."""

    async def ask(self, cookies: Cookies, ask: Ask, caller: Caller) -> Redirection:
        """Store (or move on) the interaction and say where the person does what is needed."""

    async def resume(
        self, cookies: Cookies, interaction: UUID, caller: Caller
    ) -> Interaction | None:
        """Load the interaction if it is this browser's and alive, else None. One trip."""

    async def cancel(self, cookies: Cookies, interaction: UUID) -> None:
        """End an interaction that was refused."""

    async def who(self, cookies: Cookies) -> Visit:
        """Who is signed in here, for the logout endpoint."""

    async def ask_sign_out(self, cookies: Cookies, ask: AskSignOut, caller: Caller) -> Redirection:
        """Store a sign-out that must be confirmed and say where."""

    async def person(self, user_id: UUID) -> Person | None:
        """The claims of somebody who is alive. One trip."""

    async def end_session(
        self, cookies: Cookies, session: UUID, client: Client | None, caller: Caller
    ) -> EndedSession:
        """End the session, and refresh families that die with it; clients are told of it."""


class Tokens(Protocol):
    """Codes, refresh families and access tokens: each spent or advanced by one statement."""

    async def issue_code(self, code: NewCode, caller: Caller) -> bool:
        """
        Store a code and use up what it completes, in one act.

        False when session, person or client has ended, or what is used up was before.
        """

    async def issue_at_once(self, tokens: FrontChannel, caller: Caller) -> bool:
        """Record tokens that the authorization endpoint hands out. False as `issue_code`."""

    async def read_code(self, code: str, client: Client) -> StoredCode | None:
        """Read a code; None if unknown or issued to another client. Decides nothing."""

    async def redeem_code(self, redemption: Redemption) -> bool:
        """
        Spend the code and record what was issued, in one statement.

        False when it is spent, expired or not alive: another redemption won.
        """

    async def refuse_code(self, code: str, client: Client, caller: Caller) -> None:
        """
        Burn a code that failed a check; if it was spent before, end all that came of it.

        That is RFC6749-4.1.2. Committed when this returns.
        """

    async def read_refresh(self, token: str, client: Client) -> StoredRefresh | None:
        """Read a refresh token; None if unknown or another client's."""

    async def advance_refresh(self, advance: Advance) -> bool:
        """Rotate, in one statement. False: another request was first, or the family is dead."""

    async def touch_refresh(  # noqa: PLR0913  (what one statement records)
        self,
        token: str,
        client: Client,
        stored: StoredRefresh,
        access: NewAccess,
        idle: int,
        caller: Caller,
    ) -> bool:
        """Use a refresh token that does not rotate: move its idle limit, record the access."""

    async def revoke_family(self, family_id: UUID, client: Client, caller: Caller) -> None:
        """End a family because a former token was used again; its access tokens end with it."""

    async def issue_to_client(self, client: Client, access: NewAccess, caller: Caller) -> bool:
        """Record an access token for the client itself. False when the client is not active."""

    async def issue_exchanged(self, exchanged: Exchanged) -> bool:
        """
        Record an access token that came of another; it ends with what that one came from (TX-6).

        False when the subject has ended meanwhile.
        """

    async def find_access_token(self, token: str) -> ActiveToken | None:
        """Find an opaque access token that is alive (liveness joined), by its value."""

    async def find_issue(self, issue_id: UUID, jti: str) -> ActiveToken | None:
        """
        Find the living issue of a JWT whose signature was checked, unless revoked by *jti*.

        What the token itself says (its scope and times) the engine reads from the token; of its
        scopes those hold that the issue still has.
        """

    async def find_refresh_token(self, token: str) -> ActiveToken | None:
        """Find a refresh token that is alive, for introspection."""

    async def revoke_access_token(self, token: str, client: Client, caller: Caller) -> bool:
        """Revoke an opaque access token of this client. False: not one of its own."""

    async def revoke_issue(self, issue_id: UUID, client: Client, caller: Caller) -> None:
        """Revoke all that was issued from one act to this client, its refresh family too."""

    async def revoke_jti(
        self, issue_id: UUID, jti: str, expires_at: int, client: Client, caller: Caller
    ) -> None:
        """Revoke one JWT of this client until it expires (RV-4)."""

    async def revoke_refresh_token(self, token: str, client: Client, caller: Caller) -> bool:
        """Revoke the family of a refresh token of this client. False: not one of its own."""


class Requests(Protocol):
    """Authorization requests by reference, and values that count once."""

    async def push(self, pushed: NewPushed, caller: Caller) -> None:
        """Keep a pushed request until its reference is used."""

    async def take(self, reference: str, client: Client, cookies: Cookies) -> TakenPush | None:
        """
        Read a pushed request of *client* and bind it to this browser (PA-7).

        None when it is unknown, expired, completed, or another browser's.
        """

    async def fetch(self, uri: str) -> bytes:
        """Get a request object by its address. Raises `oidc.errors.Unreachable`."""

    async def is_first(self, kind: str, subject: str, value: str, lifetime: int) -> bool:
        """Remember a value for *lifetime* seconds; False if it was there already. One trip."""


class Devices(Protocol):
    """Devices that wait for a person at another screen (RFC 8628)."""

    async def begin(self, device: NewDevice, caller: Caller) -> bool:
        """Keep a waiting device. False: somebody waits under this user code already."""

    async def poll(self, device_code: str, client: Client) -> Poll | None:
        """
        Note a poll and say how things stand; None for an unknown code or another client's.

        Polls that come too fast make the interval longer. One trip, whatever comes of it.
        """

    async def redeem(self, redemption: DeviceRedemption) -> bool:
        """Spend an approved code and record what was issued. False: another poll was first."""


class Registrations(Protocol):
    """
    Clients that register and manage themselves (RFC 7591, RFC 7592).

    Members are those of `features.registration`, their kinds checked. What the host's own rules
    refuse raises `oidc.errors.InvalidClientMetadata`.
    """

    async def register(
        self, members: Mapping[str, Any], token: str | None, caller: Caller
    ) -> RegisteredClient:
        """
        Register a client, and take a use from the initial access *token*, in one act.

        Raises `oidc.errors.InvalidToken`, and `SlowDown` where a quota is reached.
        """

    async def find(self, client_id: str, token: str) -> RegisteredClient | None:
        """Find the active client that the registration *token* is for; else None, alike."""

    async def replace(
        self,
        client_id: str,
        token: str,
        members: Mapping[str, Any],
        secret: str | None,
        caller: Caller,
    ) -> RegisteredClient | None:
        """
        Replace all of a client and its token, in one act; None when *token* is not for it now.

        *secret* must be the client's when there is one. Raises `oidc.errors.AccessDenied` when an
        administrator has taken the client over.
        """

    async def delete(self, client_id: str, token: str, caller: Caller) -> bool:
        """End a client with all that was issued to it; False and raises as `replace`."""


class Pages(Protocol):
    """The few pages the engine itself answers with."""

    def error(  # noqa: PLR0913  (what a page says)
        self,
        *,
        status: int,
        code: str,
        title: str,
        text: str,
        request_id: str,
        back: str | None = None,
    ) -> bytes:
        """
        Render an error page at the provider, in the look of its owner.

        *back* is where a button leads; the page names its host.
        """

    def form_post(self, action: str, fields: Mapping[str, str]) -> tuple[bytes, str]:
        """Render the page that posts *fields* to the client, and name its CSP."""

    def signed_out(
        self, client: Client | None, frames: Sequence[str], return_to: str | None
    ) -> tuple[bytes, str | None]:
        """
        Render the page after a sign-out, and name its CSP if it needs another than pages have.

        It loads *frames*, where clients clean up in the browser, and then goes to *return_to*
        (OIDCFCL-3).
        """
