"""The `Tokens` port over PostgreSQL: hashes what the engine hands over, sends one statement."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from insula.accounts.models import mapped_claims, standard_claims
from insula.kernel.crypto import DoesNotOpen, open_under, seal_under
from insula.kernel.ids import Kind, digest
from insula.oidc.artefacts import (
    ActiveToken,
    Advance,
    Authorized,
    Exchanged,
    FrontChannel,
    NewAccess,
    NewCode,
    NewRefresh,
    Redemption,
    StoredCode,
    StoredRefresh,
)
from insula.oidc.models import Caller, Client, Lifetimes, Person, Session
from insula.providers.store import access_tokens, codes, families
from insula.resource_servers.catalogue import Catalogue
from insula.sign_in.settings import SessionPolicy
from insula.tenancy.db import Row, Statement, Tenant

#: Kept this long past its life, so that a late replay is still recognised.
_MARGIN = timedelta(days=1)
#: A signed request is remembered as long as one may be valid, and longer (JR-7).
_MARK_KEPT = timedelta(days=30)


def once_mark(tenant_id: UUID, kind: str, subject: str, value: str) -> bytes:
    """What is kept of a value that counts once for its *subject*."""
    return digest(Kind.SEEN_ONCE, tenant_id, f"{kind}\0{subject}\0{value}")


def line(caller: Caller, actor_type: str, actor_id: str, **metadata: Any) -> dict[str, Any]:  # noqa: ANN401  (values of any kind)
    """The parameters of an audit line that rides in a statement."""
    return {
        "actor_type": actor_type,
        "actor_id": actor_id,
        "ip": caller.ip or None,
        "user_agent": caller.user_agent[:256] or None,
        "request_id": caller.request_id or None,
        "metadata": json.dumps(metadata),
    }


def person_of(row: Row, mappings: Mapping[str, str]) -> Person:
    """The person of a row that has the columns of `statements.PERSON`."""
    claims = standard_claims(row._asdict())
    if mappings:
        claims |= mapped_claims(row.attributes, mappings)
    return Person(row.user_id, claims)


class TenantTokens:
    """Codes, refresh families and access tokens of one tenant."""

    def __init__(
        self,
        tenant: Tenant,
        lifetimes: Lifetimes,
        sessions: SessionPolicy,
        catalogue: Catalogue = Catalogue(),  # noqa: B008  (a frozen value)
    ) -> None:
        self._tenant = tenant
        self.catalogue = catalogue
        self._lifetimes = lifetimes
        self._sessions = sessions
        #: A code is remembered as long as what came of it can live (protocol.md section 6 A).
        self._keep = timedelta(seconds=lifetimes.refresh_absolute) + _MARGIN

    def _hash(self, kind: Kind, value: str) -> bytes:
        return digest(kind, self._tenant.id, value)

    def person(self, row: Row) -> Person:
        """The person of a row that has the columns of `statements.PERSON`."""
        return person_of(row, self.catalogue.mappings)

    @staticmethod
    def session(row: Row) -> Session:
        """The session that a row's token came from; its `sid` is gone with the session."""
        sid = "" if row.sid is None else str(row.sid)
        return Session(row.session_id, row.user_id, row.auth_time, tuple(row.amr), row.acr, sid)

    def issued(self, access: NewAccess, refresh: NewRefresh | None) -> dict[str, Any]:
        """The parameters that say what was issued: an access token, and a family if one began."""
        keep = self._keep if refresh else timedelta(seconds=access.expires_in) + _MARGIN
        return {
            "dpop_jkt": refresh.dpop_jkt if refresh else None,
            "session_bound": refresh.bound_to_session if refresh else True,
            "refresh_hash": self._hash(Kind.REFRESH_TOKEN, refresh.token) if refresh else None,
            "idle": timedelta(seconds=refresh.idle if refresh else 0),
            "absolute": timedelta(seconds=refresh.absolute if refresh else 0),
            "keep": keep,
            **self._access(access),
        }

    async def _done(self, statement: Statement, params: Mapping[str, Any]) -> bool:
        return bool(await self._tenant.once(statement, params))

    def _access(self, access: NewAccess) -> dict[str, Any]:
        return {
            "access_hash": self._hash(Kind.ACCESS_TOKEN, access.opaque) if access.opaque else None,
            "access_scopes": sorted(access.scopes),
            "access_life": timedelta(seconds=access.expires_in),
            "audience": list(access.audience),
            "access_jkt": access.dpop_jkt,
        }

    def _authorized(self, given: Authorized) -> dict[str, Any]:
        """What every authorization is stored with, and what it uses up."""
        used, session, must = given.used_up, given.session, given.must_be_allowed
        mark = None
        if used.request_object is not None:
            mark = once_mark(
                self._tenant.id, "request_object", given.client.client_id, used.request_object
            )
        return {
            "client": given.client.id,
            "session_id": session.id,
            "session_idle": self._sessions.idle,
            "session_absolute": self._sessions.absolute,
            "interaction": used.interaction,
            "pushed_hash": self._hash(Kind.PUSHED_REQUEST, used.pushed) if used.pushed else None,
            "mark_hash": mark,
            "once_keep": _MARK_KEPT,
            "scopes": sorted(given.scopes),
            "must_be_allowed": must if must is None else sorted(must),
            "resources": list(given.resources),
            "claims": given.claims,
            "auth_time": session.auth_time,
            "auth_time_wanted": given.auth_time_wanted,
            "amr": list(session.amr),
            "acr": session.acr,
        }

    async def issue_code(self, code: NewCode, caller: Caller) -> bool:  # noqa: ARG002  (no line of its own: consent has one)
        return await self._done(
            codes.ISSUE_CODE,
            {
                "id": uuid4(),
                "code_hash": self._hash(Kind.CODE, code.code),
                "redirect_uri": code.redirect_uri,
                "code_challenge": code.code_challenge,
                "nonce": code.authorized.nonce,
                "dpop_jkt": code.dpop_jkt,
                "lifetime": timedelta(seconds=code.lifetime),
                "keep": timedelta(seconds=code.lifetime) + _MARGIN,
                **self._authorized(code.authorized),
            },
        )

    async def issue_at_once(self, tokens: FrontChannel, caller: Caller) -> bool:
        given = tokens.authorized
        access = tokens.access or NewAccess(tokens.issue_id, given.scopes, 0)
        return await self._done(
            codes.ISSUE_AT_ONCE,
            {
                "issue": tokens.issue_id,
                "keep": timedelta(seconds=access.expires_in) + _MARGIN,
                **self._authorized(given),
                **self._access(access),
                **line(
                    caller,
                    "user",
                    str(given.session.user_id),
                    client=given.client.client_id,
                    grant="implicit",
                ),
            },
        )

    async def read_code(self, code: str, client: Client) -> StoredCode | None:
        rows = await self._tenant.once(
            codes.READ_CODE, {"code_hash": self._hash(Kind.CODE, code), "client": client.id}
        )
        if not rows:
            return None
        row = rows[0]
        resources = self.catalogue.meant_resources(row.resources, row.given_at)
        return StoredCode(
            state=row.state,
            alive=row.alive and bool(resources or not row.resources),
            issue_id=row.id,
            session=self.session(row),
            person=self.person(row),
            redirect_uri=row.redirect_uri,
            scopes=self.catalogue.meant_scopes(row.scopes, row.given_at),
            resources=resources,
            nonce=row.nonce,
            code_challenge=row.code_challenge,
            dpop_jkt=row.dpop_jkt,
            claims=row.claims,
            auth_time_wanted=row.auth_time_wanted,
        )

    async def redeem_code(self, redemption: Redemption) -> bool:
        refresh, stored = redemption.refresh, redemption.stored
        return await self._done(
            codes.REDEEM_CODE,
            {
                "code_hash": self._hash(Kind.CODE, redemption.code),
                "client": redemption.client.id,
                "user_id": stored.person.user_id,
                "scopes": sorted(stored.scopes),
                "resources": list(stored.resources),
                **self.issued(redemption.access, refresh),
                **line(
                    redemption.caller,
                    "user",
                    str(stored.person.user_id),
                    client=redemption.client.client_id,
                    grant="authorization_code",
                ),
            },
        )

    async def refuse_code(self, code: str, client: Client, caller: Caller) -> None:
        params = {
            "code_hash": self._hash(Kind.CODE, code),
            "client": client.id,
            **line(caller, "client", client.client_id),
        }
        if not await self._done(codes.BURN_CODE, params):
            await self._done(codes.REPLAYED_CODE, params)

    async def read_refresh(self, token: str, client: Client) -> StoredRefresh | None:
        rows = await self._tenant.once(
            families.READ_REFRESH,
            {
                "refresh_hash": self._hash(Kind.REFRESH_TOKEN, token),
                "client": client.id,
                "grace": timedelta(seconds=client.refresh_grace),
            },
        )
        if not rows:
            return None
        row = rows[0]
        state, replay, jkt = row.state, None, b""
        if state == "former":
            try:
                kept = open_under(token, bytes(row.replay_copy), self._place(row.id))
                jkt, _, replay = kept.rpartition(b"\0")
            except DoesNotOpen:
                state = "reused"
        resources = self.catalogue.meant_resources(row.resources, row.given_at)
        return StoredRefresh(
            state=state,
            alive=row.alive and bool(resources or not row.resources),
            family_id=row.id,
            session=self.session(row),
            person=self.person(row),
            scopes=frozenset(row.scopes),
            meant=self.catalogue.meant_scopes(row.scopes, row.given_at),
            resources=resources,
            dpop_jkt=row.dpop_jkt,
            claims=row.claims,
            auth_time_wanted=row.auth_time_wanted,
            replay=replay,
            replay_jkt=jkt.decode() or None,
        )

    def _place(self, family_id: UUID) -> str:
        return f"refresh replay\0{self._tenant.id}\0{family_id}"

    async def advance_refresh(self, advance: Advance) -> bool:
        stored = advance.stored
        copy = None
        if advance.client.refresh_grace:
            kept = b"\0".join(((advance.access.dpop_jkt or "").encode(), advance.answer))
            copy = seal_under(advance.presented, kept, self._place(stored.family_id))
        return await self._done(
            families.ADVANCE_REFRESH,
            {
                "refresh_hash": self._hash(Kind.REFRESH_TOKEN, advance.presented),
                "new_hash": self._hash(Kind.REFRESH_TOKEN, advance.successor),
                "family": stored.family_id,
                "client": advance.client.id,
                "user_id": stored.person.user_id,
                "replay_copy": copy,
                "idle": timedelta(seconds=advance.idle),
                **self._access(advance.access),
                **line(
                    advance.caller,
                    "user",
                    str(stored.person.user_id),
                    client=advance.client.client_id,
                    grant="refresh_token",
                ),
            },
        )

    async def touch_refresh(  # noqa: PLR0913  (the port's)
        self,
        token: str,
        client: Client,
        stored: StoredRefresh,
        access: NewAccess,
        idle: int,
        caller: Caller,
    ) -> bool:
        return await self._done(
            families.TOUCH_REFRESH,
            {
                "refresh_hash": self._hash(Kind.REFRESH_TOKEN, token),
                "family": stored.family_id,
                "client": client.id,
                "user_id": stored.person.user_id,
                "idle": timedelta(seconds=idle),
                **self._access(access),
                **line(
                    caller,
                    "user",
                    str(stored.person.user_id),
                    client=client.client_id,
                    grant="refresh_token",
                ),
            },
        )

    async def revoke_family(self, family_id: UUID, client: Client, caller: Caller) -> None:
        await self._done(
            families.END_FAMILY,
            {
                "family": family_id,
                "client": client.id,
                "why": "refresh_reuse",
                **line(caller, "client", client.client_id),
            },
        )

    async def issue_to_client(self, client: Client, access: NewAccess, caller: Caller) -> bool:
        return await self._done(
            access_tokens.ISSUE_TO_CLIENT,
            {
                "issue": access.issue_id,
                "client": client.id,
                **self._access(access),
                **line(caller, "client", client.client_id, grant="client_credentials"),
            },
        )

    async def issue_exchanged(self, exchanged: Exchanged) -> bool:
        act = exchanged.act
        return await self._done(
            access_tokens.ISSUE_EXCHANGED,
            {
                "issue": exchanged.access.issue_id,
                "parent": exchanged.subject.issue_id,
                "client": exchanged.client.id,
                "act": None if act is None else json.dumps(act),
                "keep": timedelta(seconds=exchanged.access.expires_in) + _MARGIN,
                **self._access(exchanged.access),
                **line(
                    exchanged.caller,
                    "client",
                    exchanged.client.client_id,
                    grant="token_exchange",
                    mode=exchanged.mode,
                    subject_client=exchanged.subject.client_id,
                ),
            },
        )

    async def find_access_token(self, token: str) -> ActiveToken | None:
        return await self._active(
            "access_token",
            await self._tenant.once(
                access_tokens.FIND_ACCESS_TOKEN,
                {"access_hash": self._hash(Kind.ACCESS_TOKEN, token)},
            ),
        )

    async def find_issue(self, issue_id: UUID, jti: str) -> ActiveToken | None:
        return await self._active(
            "access_token",
            await self._tenant.once(
                access_tokens.FIND_ISSUE, {"issue": issue_id, "jti_hash": self._hash(Kind.JTI, jti)}
            ),
        )

    async def find_refresh_token(self, token: str) -> ActiveToken | None:
        return await self._active(
            "refresh_token",
            await self._tenant.once(
                access_tokens.FIND_REFRESH_TOKEN,
                {"refresh_hash": self._hash(Kind.REFRESH_TOKEN, token)},
            ),
        )

    async def _active(self, kind: Any, rows: Any) -> ActiveToken | None:  # noqa: ANN401  (a literal; rows of the driver)
        """The token of a row; a second trip for one that came of another by exchange."""
        if not rows:
            return None
        row, about = rows[0], None
        if row.parent_id is not None:
            parents = await self._tenant.once(access_tokens.FIND_PARENT, {"parent": row.parent_id})
            if not parents:
                return None
            about = parents[0].client_id if row.user_id is None else None
        return ActiveToken(
            kind=kind,
            issue_id=row.id,
            client_id=row.client_id,
            scopes=self.catalogue.meant_scopes(row.scopes, row.given_at),
            person=self.person(row) if row.user_id is not None else None,
            expires_at=row.expires_at,
            issued_at=row.issued_at,
            auth_time=row.auth_time,
            acr=row.acr,
            amr=tuple(row.amr),
            claims=row.claims,
            audience=tuple(row.audience),
            dpop_jkt=row.dpop_jkt,
            act=row.act,
            about=about,
        )

    async def revoke_access_token(self, token: str, client: Client, caller: Caller) -> bool:
        return await self._done(
            access_tokens.REVOKE_ACCESS_TOKEN,
            {
                "access_hash": self._hash(Kind.ACCESS_TOKEN, token),
                "client": client.id,
                **line(caller, "client", client.client_id),
            },
        )

    async def revoke_issue(self, issue_id: UUID, client: Client, caller: Caller) -> None:
        await self._done(
            access_tokens.REVOKE_ISSUE,
            {
                "issue": issue_id,
                "client": client.id,
                **line(caller, "client", client.client_id),
            },
        )

    async def revoke_jti(
        self, issue_id: UUID, jti: str, expires_at: int, client: Client, caller: Caller
    ) -> None:
        await self._done(
            access_tokens.REVOKE_JTI,
            {
                "issue": issue_id,
                "jti_hash": self._hash(Kind.JTI, jti),
                "expires_at": expires_at,
                "client": client.id,
                **line(caller, "client", client.client_id),
            },
        )

    async def revoke_refresh_token(self, token: str, client: Client, caller: Caller) -> bool:
        return await self._done(
            families.REVOKE_REFRESH_TOKEN,
            {
                "refresh_hash": self._hash(Kind.REFRESH_TOKEN, token),
                "client": client.id,
                **line(caller, "client", client.client_id),
            },
        )
