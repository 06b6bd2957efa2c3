"""Codes, refresh families and access tokens, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from insula.kernel import clock
from insula.oidc.artefacts import (
    ActiveToken,
    Advance,
    Authorized,
    DeviceRedemption,
    Exchanged,
    FrontChannel,
    NewAccess,
    NewCode,
    Redemption,
    StoredCode,
    StoredRefresh,
    UsedUp,
)
from insula.oidc.memory.clients import MemoryClients
from insula.oidc.memory.people import MemoryPeople
from insula.oidc.memory.requests import MemoryRequests
from insula.oidc.memory.wire import Wire
from insula.oidc.models import Caller, Client, Person, Scopes, Session


@dataclass
class _Code:
    new: NewCode
    expires_at: float
    issue_id: UUID = field(default_factory=uuid4)
    is_consumed: bool = False


@dataclass
class _Issue:
    client: Client
    session: Session | None
    scopes: Scopes
    claims: str = ""
    bound_to_session: bool = False
    is_revoked: bool = False
    parent: "_Issue | None" = None
    act: Mapping[str, Any] | None = None


@dataclass
class _Family:
    given: Authorized
    dpop_jkt: str | None
    current: str
    idle_expires_at: float
    absolute_expires_at: float
    started_at: float
    former: list[str] = field(default_factory=list)
    advanced_at: float = 0
    answer: bytes | None = None
    answer_jkt: str | None = None


class MemoryTokens:
    """Codes, families and access tokens; an issue is what all tokens of one code belong to."""

    def __init__(
        self, wire: Wire, clients: MemoryClients, people: MemoryPeople, requests: MemoryRequests
    ) -> None:
        self._wire = wire
        self._clients = clients
        self._people = people
        self._requests = requests
        self.codes: dict[str, _Code] = {}
        self.issues: dict[UUID, _Issue] = {}
        self.families: dict[UUID, _Family] = {}
        self.opaque: dict[str, tuple[NewAccess, float]] = {}
        self.revoked: set[str] = set()

    def _is_client(self, client: Client) -> bool:
        return client.client_id in self._clients.active

    def _is_alive(self, issue: _Issue) -> bool:
        if issue.is_revoked or not self._is_client(issue.client):
            return False
        if issue.parent is not None and not self._is_alive(issue.parent):
            return False
        if issue.session is None:
            return True
        if issue.bound_to_session:
            return self._people.is_alive(issue.session)
        return issue.session.user_id in self._people.persons

    # codes

    async def issue_code(self, code: NewCode, caller: Caller) -> bool:  # noqa: ARG002  (the port's)
        await self._wire.trip("issue_code")
        if not self._complete(code.authorized):
            return False
        self.codes[code.code] = _Code(code, clock.now() + code.lifetime)
        return True

    async def issue_at_once(self, tokens: FrontChannel, caller: Caller) -> bool:  # noqa: ARG002  (the port's)
        await self._wire.trip("issue_at_once")
        given = tokens.authorized
        if not self._complete(given):
            return False
        self.issues[tokens.issue_id] = _Issue(
            given.client, given.session, given.scopes, given.claims, bound_to_session=True
        )
        if tokens.access is not None:
            self._keep(tokens.access)
        return True

    def _complete(self, given: Authorized) -> bool:
        """Use up what the authorization uses up, all of it or nothing."""
        if not self._people.is_alive(given.session) or not self._is_client(given.client):
            return False
        if not self._people.still_allow(given):
            return False
        waits, used = self._people.interactions, given.used_up
        if used.interaction is not None and used.interaction not in waits:
            return False
        if not self._requests.complete(given.client, used):
            return False
        if used.interaction is not None:
            del waits[used.interaction]
        return True

    def _own_code(self, code: str, client: Client) -> _Code | None:
        kept = self.codes.get(code)
        return kept if kept is not None and kept.new.authorized.client.id == client.id else None

    async def read_code(self, code: str, client: Client) -> StoredCode | None:
        await self._wire.trip("read_code")
        kept = self._own_code(code, client)
        if kept is None:
            return None
        new = kept.new.authorized
        unspent = "live" if kept.expires_at > clock.now() else "expired"
        return StoredCode(
            state="consumed" if kept.is_consumed else unspent,  # type: ignore[arg-type]  # two literals
            alive=self._people.is_alive(new.session) and self._is_client(client),
            issue_id=kept.issue_id,
            session=new.session,
            person=self._person(new.session),
            redirect_uri=kept.new.redirect_uri,
            scopes=new.scopes,
            resources=new.resources,
            nonce=new.nonce,
            code_challenge=kept.new.code_challenge,
            dpop_jkt=kept.new.dpop_jkt,
            claims=new.claims,
            auth_time_wanted=new.auth_time_wanted,
        )

    def _person(self, session: Session) -> Person:
        return self._people.persons.get(session.user_id) or Person(session.user_id)

    async def redeem_code(self, redemption: Redemption) -> bool:
        await self._wire.trip("redeem_code")
        kept = self._own_code(redemption.code, redemption.client)
        now = clock.now()
        if kept is None or kept.is_consumed or kept.expires_at <= now:
            return False
        given = kept.new.authorized
        if not self._people.is_alive(given.session) or not self._is_client(given.client):
            return False
        kept.is_consumed = True
        refresh = redemption.refresh
        bound = refresh is None or refresh.bound_to_session
        self.issues[kept.issue_id] = _Issue(
            redemption.client, given.session, given.scopes, given.claims, bound
        )
        self._keep(redemption.access)
        if refresh is not None:
            self.families[kept.issue_id] = _Family(
                given,
                refresh.dpop_jkt,
                refresh.token,
                now + refresh.idle,
                now + refresh.absolute,
                now,
            )
        return True

    def record_device(self, redemption: DeviceRedemption) -> bool:
        """Record what a device got, if its person and client are alive."""
        approved, refresh = redemption.approved, redemption.refresh
        bound = refresh is None or refresh.bound_to_session
        issue = _Issue(redemption.client, approved.session, approved.scopes, "", bound)
        if not self._is_alive(issue):
            return False
        self.issues[approved.issue_id] = issue
        self._keep(redemption.access)
        if refresh is not None:
            now = clock.now()
            given = Authorized(
                client=redemption.client,
                session=approved.session,
                scopes=approved.scopes,
                must_be_allowed=None,
                resources=approved.resources,
                claims="",
                auth_time_wanted=False,
                nonce=None,
                used_up=UsedUp(),
            )
            self.families[approved.issue_id] = _Family(
                given, refresh.dpop_jkt, refresh.token, now + refresh.idle,
                now + refresh.absolute, now,
            )  # fmt: skip
        return True

    def _keep(self, access: NewAccess) -> None:
        if access.opaque is not None:
            self.opaque[access.opaque] = (access, clock.now())

    async def refuse_code(self, code: str, client: Client, caller: Caller) -> None:  # noqa: ARG002  (the port's)
        await self._wire.trip("refuse_code")
        kept = self._own_code(code, client)
        if kept is None:
            return
        kept.is_consumed = True
        if kept.issue_id in self.issues:
            self.issues[kept.issue_id].is_revoked = True

    # refresh families

    def _family_of(self, token: str) -> UUID | None:
        for family_id, family in self.families.items():
            if token == family.current or token in family.former:
                return family_id
        return None

    @staticmethod
    def _has_expired(family: _Family) -> bool:
        return min(family.idle_expires_at, family.absolute_expires_at) <= clock.now()

    async def read_refresh(self, token: str, client: Client) -> StoredRefresh | None:
        await self._wire.trip("read_refresh")
        family_id = self._family_of(token)
        if family_id is None or self.issues[family_id].client.id != client.id:
            return None
        family, issue, now = self.families[family_id], self.issues[family_id], clock.now()
        replay = None
        if issue.is_revoked or self._has_expired(family):
            state = "dead"
        elif token == family.current:
            state = "current"
        elif token == family.former[-1] and family.advanced_at + client.refresh_grace > now:
            state, replay = "former", family.answer
        else:
            state = "reused"
        return StoredRefresh(
            state=state,  # type: ignore[arg-type]  # the literals of above
            alive=self._is_alive(issue),
            family_id=family_id,
            session=family.given.session,
            person=self._person(family.given.session),
            scopes=family.given.scopes,
            meant=family.given.scopes,
            resources=family.given.resources,
            dpop_jkt=family.dpop_jkt,
            claims=family.given.claims,
            auth_time_wanted=family.given.auth_time_wanted,
            replay=replay,
            replay_jkt=family.answer_jkt if replay else None,
        )

    async def advance_refresh(self, advance: Advance) -> bool:
        await self._wire.trip("advance_refresh")
        family = self.families[advance.stored.family_id]
        issue = self.issues[advance.stored.family_id]
        if family.current != advance.presented or not self._is_alive(issue):
            return False
        if self._has_expired(family):
            return False
        family.former.append(family.current)
        family.current = advance.successor
        family.answer, family.answer_jkt = advance.answer, advance.access.dpop_jkt
        family.advanced_at = clock.now()
        family.idle_expires_at = family.advanced_at + advance.idle
        self._keep(advance.access)
        return True

    async def touch_refresh(  # noqa: PLR0913  (the port's)
        self,
        token: str,
        client: Client,  # noqa: ARG002  (the port's)
        stored: StoredRefresh,
        access: NewAccess,
        idle: int,
        caller: Caller,  # noqa: ARG002  (the port's)
    ) -> bool:
        await self._wire.trip("touch_refresh")
        family = self.families[stored.family_id]
        if family.current != token or not self._is_alive(self.issues[stored.family_id]):
            return False
        if self._has_expired(family):
            return False
        family.idle_expires_at = clock.now() + idle
        self._keep(access)
        return True

    async def revoke_family(self, family_id: UUID, client: Client, caller: Caller) -> None:  # noqa: ARG002  (the port's)
        await self._wire.trip("revoke_family")
        self.issues[family_id].is_revoked = True

    async def revoke_refresh_token(self, token: str, client: Client, caller: Caller) -> bool:  # noqa: ARG002  (the port's)
        await self._wire.trip("revoke_refresh_token")
        family_id = self._family_of(token)
        if family_id is None or self.issues[family_id].client.id != client.id:
            return False
        self.issues[family_id].is_revoked = True
        return True

    async def find_refresh_token(self, token: str) -> ActiveToken | None:
        await self._wire.trip("find_refresh_token")
        family_id = self._family_of(token)
        if family_id is None:
            return None
        family = self.families[family_id]
        ends_at = min(family.idle_expires_at, family.absolute_expires_at)
        if token != family.current or ends_at <= clock.now():
            return None
        return self._active(
            "refresh_token", family_id, family.given.scopes, family.started_at, ends_at
        )

    # access tokens

    def _active(
        self, kind: str, issue_id: UUID, scopes: Scopes, issued_at: float, expires_at: float
    ) -> ActiveToken | None:
        issue = self.issues.get(issue_id)
        if issue is None or not self._is_alive(issue):
            return None
        session = issue.session
        return ActiveToken(
            kind=kind,  # type: ignore[arg-type]  # two literals
            issue_id=issue_id,
            client_id=issue.client.client_id,
            scopes=scopes,
            person=self._person(session) if session else None,
            expires_at=int(expires_at),
            issued_at=int(issued_at),
            auth_time=session.auth_time if session else None,
            acr=session.acr if session else None,
            amr=session.amr if session else (),
            claims=issue.claims,
            act=issue.act,
            about=issue.parent.client.client_id if issue.parent and not session else None,
        )

    async def issue_to_client(self, client: Client, access: NewAccess, caller: Caller) -> bool:  # noqa: ARG002  (the port's)
        await self._wire.trip("issue_to_client")
        if not self._is_client(client):
            return False
        self.issues[access.issue_id] = _Issue(client, None, access.scopes)
        self._keep(access)
        return True

    async def issue_exchanged(self, exchanged: Exchanged) -> bool:
        await self._wire.trip("issue_exchanged")
        parent = self.issues.get(exchanged.subject.issue_id)
        if parent is None or not self._is_alive(parent) or not self._is_client(exchanged.client):
            return False
        self.issues[exchanged.access.issue_id] = replace(
            parent,
            client=exchanged.client,
            scopes=exchanged.access.scopes,
            claims="",  # they were asked for by another client
            parent=parent.parent or parent,
            act=exchanged.act,
        )
        self._keep(exchanged.access)
        return True

    async def find_access_token(self, token: str) -> ActiveToken | None:
        await self._wire.trip("find_access_token")
        kept = self.opaque.get(token)
        if kept is None or token in self.revoked:
            return None
        access, issued_at = kept
        expires_at = issued_at + access.expires_in
        if expires_at <= clock.now():
            return None
        found = self._active("access_token", access.issue_id, access.scopes, issued_at, expires_at)
        if found is None:
            return None
        return replace(found, audience=access.audience, dpop_jkt=access.dpop_jkt)

    async def find_issue(self, issue_id: UUID, jti: str) -> ActiveToken | None:
        await self._wire.trip("find_issue")
        issue = self.issues.get(issue_id)
        if issue is None or jti in self.revoked:
            return None
        return self._active("access_token", issue_id, issue.scopes, 0, 0)

    async def revoke_access_token(self, token: str, client: Client, caller: Caller) -> bool:  # noqa: ARG002  (the port's)
        await self._wire.trip("revoke_access_token")
        kept = self.opaque.get(token)
        if kept is None or self.issues[kept[0].issue_id].client.id != client.id:
            return False
        self.revoked.add(token)
        return True

    async def revoke_issue(self, issue_id: UUID, client: Client, caller: Caller) -> None:  # noqa: ARG002  (the port's)
        await self._wire.trip("revoke_issue")
        if self.issues[issue_id].client.id == client.id:
            self.issues[issue_id].is_revoked = True

    async def revoke_jti(
        self,
        issue_id: UUID,
        jti: str,
        expires_at: int,  # noqa: ARG002  (the port's)
        client: Client,
        caller: Caller,  # noqa: ARG002  (the port's)
    ) -> None:
        await self._wire.trip("revoke_jti")
        issue = self.issues.get(issue_id)
        if issue is not None and issue.client.id == client.id:
            self.revoked.add(jti)
