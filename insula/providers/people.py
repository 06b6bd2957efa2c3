"""The `People` port: what the engine needs of sign-in, in the tenant's own browser cookies."""

from typing import Any
from uuid import UUID

from insula.audit.models import Actor
from insula.kernel.ids import Kind, digest
from insula.oidc.artefacts import Redirection
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
from insula.providers.store import visits
from insula.providers.tokens import person_of
from insula.registration.logos import PATH as LOGOS
from insula.resource_servers.catalogue import Catalogue
from insula.sign_in import service, signing_out
from insula.sign_in.cookies import Jar
from insula.sign_in.errors import InteractionGone
from insula.sign_in.interactions import service as interactions
from insula.sign_in.models import Prompt
from insula.sign_in.settings import InteractionLife
from insula.tenancy.db import Tenant

_PAGES = {
    "login": "/sign-in",
    "select_account": "/sign-in/select-account",
    "consent": "/sign-in/consent",
}
_NOBODY = bytes(32)


def _actor(caller: Caller) -> Actor:
    return Actor("user", None, caller.ip, caller.user_agent, caller.request_id)


def _session(row: Any) -> Session | None:  # noqa: ANN401  (a row of the driver)
    if row.id is None:
        return None
    return Session(row.id, row.user_id, row.auth_time, tuple(row.amr), row.acr, str(row.sid))


class TenantPeople:
    """Sessions, interactions and consent of one tenant."""

    def __init__(
        self,
        tenant: Tenant,
        jar: Jar,
        life: InteractionLife,
        catalogue: Catalogue = Catalogue(),  # noqa: B008  (a frozen value)
    ) -> None:
        self._tenant = tenant
        self._catalogue = catalogue
        self._jar = jar
        self._life = life

    def _session_hash(self, tokens: tuple[str, ...]) -> bytes:
        return digest(Kind.SESSION, self._tenant.id, tokens[0]) if tokens else _NOBODY

    def _granted(self, row: Any) -> Scopes | None:  # noqa: ANN401  (a row of the driver)
        """What the person allowed the client; None where nothing is in force."""
        if row.granted is None:
            return None
        return self._catalogue.meant_scopes(row.granted, row.granted_at)

    async def visit(self, cookies: Cookies, client: Client, caller: Caller) -> Visit:
        return await self._visit(cookies, client.id, caller)

    async def _visit(self, cookies: Cookies, client: UUID, caller: Caller) -> Visit:
        cookie = self._jar.read_session(cookies, self._tenant.id)
        if cookie.foreign:
            # The host wins; whose session it was is not looked up (features.md A07).
            await service.note_conflict(self._tenant, _actor(caller))
            return Visit(None, set_cookies=(self._jar.write_session(self._tenant.id, ()),))
        if not cookie.tokens:
            return Visit(None)
        rows = await self._tenant.once(
            visits.VISIT, {"client": client, "session_hash": self._session_hash(cookie.tokens)}
        )
        if not rows:
            return Visit(None, accounts=len(cookie.tokens) - 1)
        row = rows[0]
        return Visit(
            _session(row),
            self._granted(row),
            accounts=len(cookie.tokens),
        )

    async def who(self, cookies: Cookies) -> Visit:
        return await self._visit(cookies, UUID(int=0), Caller("", "", ""))

    async def ask(self, cookies: Cookies, ask: Ask, caller: Caller) -> Redirection:  # noqa: ARG002  (the row says when; the step says who)
        client = ask.client
        prompt = Prompt(
            need=ask.need,
            application=client.name,
            application_uri=client.client_uri,
            policy_uri=client.policy_uri,
            tos_uri=client.tos_uri,
            first_party=client.consent == "skip",
            host=ask.redirect_host,
            scopes=ask.scopes,
            optional_scopes=ask.optional_scopes,
            granted=tuple(sorted(ask.granted)),
            audiences=ask.audiences,
            verified=client.is_verified,
            texts={
                scope: self._catalogue.texts[scope]
                for scope in ask.scopes
                if scope in self._catalogue.texts
            },
            logo=f"{LOGOS}/{client.logo}.png" if client.logo else "",
            login_hint=ask.login_hint,
            fresh=ask.fresh,
        )
        browser, set_cookies = self._browser(cookies)
        txn = ask.interaction
        if txn is not None:
            try:
                await interactions.move(self._tenant, browser, txn, prompt, self._life)
            except InteractionGone:
                txn = None
        if txn is None:
            txn = await interactions.begin(
                self._tenant,
                browser,
                "authorize",
                prompt,
                self._life,
                client_id=client.id,
                parameters=dict(ask.parameters),
            )
        return Redirection(f"{_PAGES[ask.need]}?txn={txn}", set_cookies)

    def _browser(self, cookies: Cookies) -> tuple[str, tuple[str, ...]]:
        browser = self._jar.read_browser(cookies)
        if browser is not None:
            return browser, ()
        browser, header = self._jar.new_browser()
        return browser, (header,)

    async def resume(
        self, cookies: Cookies, interaction: UUID, caller: Caller
    ) -> Interaction | None:
        browser = self._jar.read_browser(cookies)
        if browser is None:
            return None
        cookie = self._jar.read_session(cookies, self._tenant.id)
        set_cookies: tuple[str, ...] = ()
        if cookie.foreign:
            await service.note_conflict(self._tenant, _actor(caller))
            set_cookies = (self._jar.write_session(self._tenant.id, ()),)
        rows = await self._tenant.once(
            visits.RESUME,
            {
                "interaction": interaction,
                "browser_hash": interactions.browser_hash(self._tenant, browser),
                "session_hash": self._session_hash(cookie.tokens),
            },
        )
        if not rows:
            return None
        row = rows[0]
        session = _session(row)
        return Interaction(
            id=row.interaction,
            parameters=row.parameters,
            visit=Visit(
                session,
                self._granted(row),
                accounts=len(cookie.tokens),
                set_cookies=set_cookies,
            ),
            authenticated=row.proved if row.authenticated_at is not None else None,
            selected=row.selected_at is not None,
            consented=None if row.consented is None else frozenset(row.consented),
            denied=row.denied_at is not None,
        )

    async def cancel(self, cookies: Cookies, interaction: UUID) -> None:
        browser = self._jar.read_browser(cookies)
        if browser is not None:
            await interactions.cancel(self._tenant, browser, interaction)

    async def person(self, user_id: UUID) -> Person | None:
        rows = await self._tenant.once(visits.PERSON_OF, {"user_id": user_id})
        return person_of(rows[0], self._catalogue.mappings) if rows else None

    async def ask_sign_out(self, cookies: Cookies, ask: AskSignOut, caller: Caller) -> Redirection:  # noqa: ARG002  (the port's)
        browser, set_cookies = self._browser(cookies)
        prompt = Prompt(
            need="sign_out",
            application=ask.client.name if ask.client else "",
            return_to=ask.return_to or "",
        )
        txn = await interactions.begin(self._tenant, browser, "sign_out", prompt, self._life)
        return Redirection(f"/sign-in/out?txn={txn}", set_cookies)

    async def end_session(
        self,
        cookies: Cookies,
        session: UUID,
        client: Client | None,  # noqa: ARG002  (whoever asked: the end is the person's)
        caller: Caller,
    ) -> EndedSession:
        """
        End the present session.

        Whoever else is signed in here stays, but does not step into the place of the one who
        left: the ended token keeps it until somebody chooses (LO-5).
        """
        frames = await signing_out.end_session(self._tenant, session, _actor(caller))
        tokens = self._jar.read_session(cookies, self._tenant.id).tokens
        gone = () if len(tokens) > 1 else (self._jar.write_session(self._tenant.id, ()),)
        return EndedSession(gone, frames)
