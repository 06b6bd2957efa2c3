"""The applications of an issuer, in memory."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from insula.kernel import clock
from insula.oidc.errors import SlowDown, Unreachable
from insula.oidc.models import Caller, Client, ClientSecret

MAX_FAILURES = 10
MAX_BURST = 60


class MemoryClients:
    def __init__(self) -> None:
        self.active: dict[str, Client] = {}
        self.failures: Counter[tuple[str, str]] = Counter()
        self.bursts: Counter[tuple[str, str]] = Counter()
        self.served: dict[str, Sequence[Mapping[str, Any]]] = {}
        self.noted: Counter[tuple[str, str]] = Counter()
        self.asked: Counter[tuple[str, str | None]] = Counter()

    def add(self, client: Client, secret: str = "") -> Client:
        """Register a client, and one more secret for it if there is one."""
        if secret:
            kept = ClientSecret(hashlib.sha256(secret.encode()).digest())
            client = replace(client, secrets=(*client.secrets, kept))
        self.active[client.client_id] = client
        return client

    async def find(self, client_id: str) -> Client | None:
        return self.active.get(client_id)

    async def keys(self, client: Client, kid: str | None) -> Sequence[Mapping[str, Any]]:
        """Keys at an address are in *served*, by the address."""
        if not client.jwks_uri:
            return client.jwks
        self.asked[client.jwks_uri, kid] += 1
        if client.jwks_uri not in self.served:
            raise Unreachable(f"nothing at {client.jwks_uri}")
        return self.served[client.jwks_uri]

    async def allows_origin(self, origin: str) -> bool:
        return any(origin in client.allowed_origins for client in self.active.values())

    def secret_matches(self, client: Client, secret: str) -> bool:
        presented = hashlib.sha256(secret.encode()).digest()
        now = clock.now()
        matches = [
            hmac.compare_digest(kept.digest, presented)
            and (kept.expires_at is None or kept.expires_at > now)
            for kept in client.secrets
        ]
        return any(matches)

    async def refuse_flood(self, client_id: str, caller: Caller) -> None:
        if self.failures[client_id, caller.ip] >= MAX_FAILURES:
            raise SlowDown("Too many failed attempts", retry_after=30)

    def refuse_burst(self, client: Client, caller: Caller) -> None:
        self.bursts[client.client_id, caller.ip] += 1
        if self.bursts[client.client_id, caller.ip] > MAX_BURST:
            raise SlowDown("Too many requests", retry_after=60)

    async def count_failure(self, client_id: str, caller: Caller) -> None:
        self.failures[client_id, caller.ip] += 1

    def note_issued(self, client: Client, grant_type: str) -> None:
        self.noted[client.client_id, grant_type] += 1

    def note_refused(self, client: Client, code: str) -> None:
        self.noted[client.client_id, code] += 1
