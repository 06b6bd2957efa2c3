"""Clients that registered themselves, in memory: what a token opens, no rules about values."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from insula.kernel import clock
from insula.kernel.ids import Kind, new_secret
from insula.oidc.errors import AccessDenied, InvalidClientMetadata, InvalidToken, SlowDown
from insula.oidc.memory.wire import Wire
from insula.oidc.models import Caller, RegisteredClient

_WITH_SECRET = frozenset({"client_secret_basic", "client_secret_post"})


@dataclass
class _Kept:
    client: RegisteredClient
    token: str
    secret: str | None


class MemoryRegistrations:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        #: Uses that are left, by initial access token.
        self.tokens: Counter[str] = Counter()
        self.kept: dict[str, _Kept] = {}
        self.most = 100

    def adopt(self, client_id: str) -> None:
        """What an administrator does."""
        kept = self.kept[client_id]
        kept.client = replace(kept.client, is_adopted=True)

    async def register(
        self,
        members: Mapping[str, Any],
        token: str | None,
        caller: Caller,  # noqa: ARG002  (the port's)
    ) -> RegisteredClient:
        await self._wire.trip("register")
        if token is not None and self.tokens[token] <= 0:
            raise InvalidToken("The initial access token is not valid")
        if len(self.kept) >= self.most:
            raise SlowDown("There are too many clients", retry_after=60)
        if token is not None:
            self.tokens[token] -= 1
        client_id = f"ins_cl_{uuid4().hex}"
        return self._keep(client_id, int(clock.now()), members, None)

    def _keep(
        self, client_id: str, issued_at: int, members: Mapping[str, Any], secret: str | None
    ) -> RegisteredClient:
        method = members.get("token_endpoint_auth_method", "client_secret_basic")
        new = new_secret(Kind.CLIENT_SECRET) if method in _WITH_SECRET and not secret else None
        client = RegisteredClient(client_id, issued_at, dict(members))
        token = new_secret(Kind.REGISTRATION_TOKEN)
        kept = (new or secret) if method in _WITH_SECRET else None
        self.kept[client_id] = _Kept(client, token, kept)
        return replace(client, token=token, secret=new)

    def _find(self, client_id: str, token: str) -> _Kept | None:
        kept = self.kept.get(client_id)
        return kept if kept is not None and kept.token == token else None

    async def find(self, client_id: str, token: str) -> RegisteredClient | None:
        await self._wire.trip("find_registered")
        kept = self._find(client_id, token)
        return None if kept is None else kept.client

    async def replace(
        self,
        client_id: str,
        token: str,
        members: Mapping[str, Any],
        secret: str | None,
        caller: Caller,  # noqa: ARG002  (the port's)
    ) -> RegisteredClient | None:
        await self._wire.trip("replace_registered")
        kept = self._find(client_id, token)
        if kept is None:
            return None
        if kept.client.is_adopted:
            raise AccessDenied("An administrator manages this client")
        if secret is not None and secret != kept.secret:
            raise InvalidClientMetadata("client_secret is not the one of this client")
        return self._keep(client_id, kept.client.issued_at, members, kept.secret)

    async def delete(self, client_id: str, token: str, caller: Caller) -> bool:  # noqa: ARG002  (the port's)
        await self._wire.trip("delete_registered")
        kept = self._find(client_id, token)
        if kept is None:
            return False
        if kept.client.is_adopted:
            raise AccessDenied("An administrator manages this client")
        del self.kept[client_id]
        return True
