"""
The tenant of a request, decided once and put into the ASGI scope.

Nothing behind this reads Host, X-Forwarded-Host, the tenant header or `request.url`.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

from insula.kernel.errors import Unavailable
from insula.tenancy.db import Tenant
from insula.tenancy.hosts import Networks
from insula.tenancy.resolution import Disagreement, Resolver, Unresolved

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Writes the refusal in the caller's format.
Refuse = Callable[[Scope, Send, int, str, str], Awaitable[None]]
#: Tells the host's tenant that a header named another one.
OnDisagreement = Callable[[Tenant, Scope], Awaitable[None]]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TenancyMiddleware:
    """
    Resolves, then hands on to the tenant application, or to the ops gateway on its host.

    *header_peers* are the networks whose tenant header counts.
    """

    app: App
    ops: App
    resolver: Resolver
    header_peers: Networks
    refuse: Refuse
    on_disagreement: OnDisagreement

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = scope["headers"]
        try:
            # a probe by address names nobody, and needs nobody (features.md E02)
            if scope["path"] == "/health":
                await self.ops(scope, receive, send)
                return
            host = self.resolver.host(headers)
            if self.resolver.is_ops(host):
                await self.ops(scope, receive, send)
                return
            peer = scope["client"][0] if scope["client"] else ""
            trusted = peer in self.header_peers and scope.get("insula.edge_trusted", True)
            tenant = await self.resolver.resolve(host, headers, trusted=trusted)
        except Disagreement as refusal:
            if refusal.tenant is not None:
                await self._tell(refusal.tenant, scope)
            await self.refuse(scope, send, refusal.status, refusal.code, refusal.description)
            return
        except Unresolved as refusal:
            _log.info("tenant.unresolved", code=refusal.code, detail=refusal.detail)
            await self.refuse(scope, send, refusal.status, refusal.code, refusal.description)
            return
        except Unavailable as away:
            _log.warning("tenant.unavailable", detail=away.detail)
            await self.refuse(
                scope, send, 503, "busy", "The service is not available at the moment."
            )
            return
        scope["insula.tenant"] = tenant
        scope["insula.host"] = host
        await self.app(scope, receive, send)

    async def _tell(self, tenant: Tenant, scope: Scope) -> None:
        try:
            await self.on_disagreement(tenant, scope)
        except Unavailable as away:
            _log.warning("tenant.conflict_unrecorded", tenant=tenant.slug, detail=away.detail)
