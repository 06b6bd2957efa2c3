"""The `Clients` port: a small cache of one tenant's applications, and counted failures."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cachetools import LRUCache, TTLCache

from insula.clients import service
from insula.figures.models import ISSUED, REFUSED
from insula.kernel import clock
from insula.kernel.ids import Kind, digest
from insula.kernel.tally import TALLY
from insula.oidc.errors import SlowDown, Unreachable
from insula.oidc.models import Caller, Client, Profile, stricter
from insula.outbound.errors import OutboundError
from insula.providers.bursts import WINDOW, Bursts
from insula.providers.client_keys import ClientKeys
from insula.providers.settings import RefreshRules
from insula.providers.store import failures
from insula.sign_in.attempts.service import client_subject
from insula.sign_in.settings import BruteForce
from insula.tenancy.db import Tenant

#: Refusals that are part of how things go, and nobody's fault.
_EXPECTED = frozenset({"authorization_pending", "use_dpop_nonce"})


class TenantClients:
    """
    Applications of one tenant, read once and kept as long as the provider instance.

    Any change to a client raises the tenant's version, and with it comes a new instance; an
    unknown name is remembered too, so made-up names cost one query each and then nothing.
    """

    def __init__(  # noqa: PLR0913  (what it answers with, and what its tenant allows)
        self,
        tenant: Tenant,
        blocked: "TTLCache[bytes, bool]",
        published: ClientKeys,
        bursts: Bursts,
        loosest: Profile = "legacy",
        guessing: BruteForce = BruteForce(),  # noqa: B008  (a frozen value)
        refreshing: RefreshRules = RefreshRules(),  # noqa: B008  (the same)
        size: int = 256,
    ) -> None:
        self._tenant = tenant
        self._bursts = bursts
        self._published = published
        self._known: LRUCache[str, Client | None] = LRUCache(size)
        self._loosest: Profile = loosest
        self._guessing = guessing
        self._refreshing = refreshing
        self._origins: frozenset[str] | None = None
        #: Shared by the instances of this process: a rebuilt provider forgets nobody.
        self._blocked = blocked

    async def find(self, client_id: str) -> Client | None:
        if client_id in self._known:
            known: Client | None = self._known[client_id]
            return known
        client = await service.find(self._tenant, client_id)
        if client is not None:  # nobody is freer than the tenant lets applications be
            client = replace(client, profile=stricter(client.profile, self._loosest))
            client = self._refreshing.held(client)
        self._known[client_id] = client
        return client

    async def keys(self, client: Client, kid: str | None) -> Sequence[Mapping[str, Any]]:
        if not client.jwks_uri:
            return client.jwks
        try:
            return await self._published.keys(self._tenant.id, client.id, client.jwks_uri, kid=kid)
        except OutboundError as error:
            raise Unreachable(str(error)) from error

    async def allows_origin(self, origin: str) -> bool:
        if self._origins is None:
            self._origins = await service.allowed_origins(self._tenant)
        return origin in self._origins

    def secret_matches(self, client: Client, secret: str) -> bool:
        presented = digest(Kind.CLIENT_SECRET, self._tenant.id, secret)
        now = clock.now()
        matches = False
        for live in client.secrets:  # all of them, so that the time does not tell which
            alive = live.expires_at is None or live.expires_at > now
            matches |= hmac.compare_digest(live.digest, presented) and alive
        return matches

    def _subject(self, client_id: str, caller: Caller) -> bytes:
        return client_subject(self._tenant.id, client_id, caller.ip)[1]

    async def refuse_flood(self, client_id: str, caller: Caller) -> None:
        if self._blocked and self._subject(client_id, caller) in self._blocked:
            raise SlowDown("Too many failed attempts; try again later", retry_after=60)

    def refuse_burst(self, client: Client, caller: Caller) -> None:
        if self._bursts.is_one_too_many(self._subject(client.client_id, caller)):
            raise SlowDown("Too many requests; try again later", retry_after=WINDOW)

    async def count_failure(self, client_id: str, caller: Caller) -> None:
        subject = self._subject(client_id, caller)
        rows = await self._tenant.once(
            failures.COUNT_CLIENT_FAILURE,
            {
                "subject": subject,
                "window": timedelta(seconds=self._guessing.per_client_window_seconds),
                "actor_id": client_id[:120],
                "ip": caller.ip or None,
                "user_agent": caller.user_agent[:256] or None,
                "request_id": caller.request_id or None,
            },
        )
        if rows[0].n >= self._guessing.per_client:
            self._blocked[subject] = True

    def note_issued(self, client: Client, grant_type: str) -> None:
        TALLY.count(self._tenant.id, f"{ISSUED}{grant_type}", client.id)

    def note_refused(self, client: Client, code: str) -> None:
        if code not in _EXPECTED:
            TALLY.count(self._tenant.id, f"{REFUSED}{code}", client.id)
