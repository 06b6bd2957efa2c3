"""People, their sessions, and the part of sign-in that tests play."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from insula.kernel import clock
from insula.oidc.artefacts import Authorized, Redirection
from insula.oidc.memory.wire import Wire
from insula.oidc.models import (
    Ask,
    AskSignOut,
    Caller,
    Client,
    EndedSession,
    Interaction,
    Person,
    Scopes,
    Session,
    Visit,
)
from insula.oidc.ports import Cookies

SESSION_COOKIE = "session"
BROWSER_COOKIE = "browser"


@dataclass
class _Asked:
    ask: Ask
    browser: str
    authenticated: UUID | None = None
    selected: bool = False
    consented: Scopes | None = None
    denied: bool = False


class MemoryPeople:
    """People, their sessions, and the part of sign-in that tests play."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.persons: dict[UUID, Person] = {}
        self.sessions: dict[str, Session] = {}
        self.granted: dict[tuple[UUID, UUID], Scopes] = {}
        self.interactions: dict[UUID, _Asked] = {}
        self.accounts = 0
        #: Where clients clean up after a sign-out.
        self.frames: tuple[str, ...] = ()
        self.sign_outs: list[AskSignOut] = []

    # what the pages of the host do

    def sign_in(self, person: Person, *, ago: int = 0) -> str:
        """Start a session; returns the cookie."""
        self.persons[person.user_id] = person
        cookie = uuid4().hex
        auth_time = int(clock.now()) - ago
        self.sessions[cookie] = Session(
            uuid4(), person.user_id, auth_time, ("pwd",), "urn:1", uuid4().hex
        )
        return cookie

    def prove(self, interaction: UUID, person: Person) -> str:
        """Sign in inside an interaction; returns the cookie of the new session."""
        cookie = self.sign_in(person)
        self.interactions[interaction].authenticated = self.sessions[cookie].id
        return cookie

    def allow(self, interaction: UUID, cookie: str, scopes: Scopes | None = None) -> None:
        """Consent to what the interaction asks for, or to *scopes* of it."""
        asked = self.interactions[interaction]
        asked.consented = frozenset(asked.ask.scopes) if scopes is None else scopes
        key = (self.sessions[cookie].user_id, asked.ask.client.id)
        before = self.granted.get(key, frozenset())
        self.granted[key] = before.difference(asked.ask.scopes) | asked.consented

    def is_alive(self, session: Session) -> bool:
        return session.user_id in self.persons and session in self.sessions.values()

    def still_allow(self, given: Authorized) -> bool:
        must = given.must_be_allowed
        allowed = self.granted.get((given.session.user_id, given.client.id))
        return must is None or (allowed is not None and must <= allowed)

    # the port

    def _session(self, cookies: Cookies) -> Session | None:
        return self.sessions.get(cookies.get(SESSION_COOKIE, ""))

    def _visit(self, cookies: Cookies, client: Client) -> Visit:
        session = self._session(cookies)
        granted = self.granted.get((session.user_id, client.id)) if session else None
        stale = session is None and SESSION_COOKIE in cookies
        gone = (f"{SESSION_COOKIE}=; Max-Age=0",) if stale else ()
        return Visit(session, granted, accounts=self.accounts, set_cookies=gone)

    async def visit(self, cookies: Cookies, client: Client, caller: Caller) -> Visit:  # noqa: ARG002  (the port's)
        await self._wire.trip("visit")
        return self._visit(cookies, client)

    async def ask(self, cookies: Cookies, ask: Ask, caller: Caller) -> Redirection:  # noqa: ARG002  (the port's)
        await self._wire.trip("ask")
        if ask.interaction is not None:
            self.interactions[ask.interaction].ask = ask
            return Redirection(f"/sign-in?txn={ask.interaction}")
        txn = uuid4()
        browser = cookies.get(BROWSER_COOKIE) or uuid4().hex
        self.interactions[txn] = _Asked(ask, browser)
        return Redirection(f"/sign-in?txn={txn}", (f"{BROWSER_COOKIE}={browser}; HttpOnly",))

    async def resume(
        self,
        cookies: Cookies,
        interaction: UUID,
        caller: Caller,  # noqa: ARG002  (the port's)
    ) -> Interaction | None:
        await self._wire.trip("resume")
        asked = self.interactions.get(interaction)
        if asked is None or asked.browser != cookies.get(BROWSER_COOKIE):
            return None
        return Interaction(
            interaction,
            asked.ask.parameters,
            self._visit(cookies, asked.ask.client),
            authenticated=asked.authenticated,
            selected=asked.selected,
            consented=asked.consented,
            denied=asked.denied,
        )

    async def cancel(self, cookies: Cookies, interaction: UUID) -> None:  # noqa: ARG002  (the port's)
        await self._wire.trip("cancel")
        self.interactions.pop(interaction, None)

    async def who(self, cookies: Cookies) -> Visit:
        await self._wire.trip("who")
        return Visit(self._session(cookies))

    async def person(self, user_id: UUID) -> Person | None:
        await self._wire.trip("person")
        return self.persons.get(user_id)

    async def ask_sign_out(self, cookies: Cookies, ask: AskSignOut, caller: Caller) -> Redirection:  # noqa: ARG002  (the port's)
        await self._wire.trip("ask_sign_out")
        self.sign_outs.append(ask)
        return Redirection("/sign-out", (f"{BROWSER_COOKIE}=out; HttpOnly",))

    async def end_session(
        self,
        cookies: Cookies,
        session: UUID,
        client: Client | None,  # noqa: ARG002  (the port's)
        caller: Caller,  # noqa: ARG002  (the port's)
    ) -> EndedSession:
        await self._wire.trip("end_session")
        del self.sessions[cookies[SESSION_COOKIE]]
        self.interactions = {
            txn: asked for txn, asked in self.interactions.items() if asked.authenticated != session
        }
        return EndedSession((f"{SESSION_COOKIE}=; Max-Age=0",), self.frames)
