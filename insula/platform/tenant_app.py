"""What a tenant's host serves: mounts and pages, and each refusal in one form."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from starlette.routing import Match, Route

from insula.branding.look import branding_of
from insula.kernel.errors import (
    Conflict,
    Denied,
    InsulaError,
    Invalid,
    NotFound,
    Unavailable,
)
from insula.kernel.metrics import DATABASE_AWAY
from insula.oidc.provider import Provider
from insula.platform.edge import App, Receive, Scope, Send
from insula.platform.refusals import refuse
from insula.providers.pool import ProviderPool
from insula.tenancy.db import Tenant
from insula.tenancy.models import PLATFORMS

_log = structlog.get_logger(__name__)

#: The five families, each mapped once.
_STATUS: tuple[tuple[type[InsulaError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (Denied, 403),
    (Invalid, 422),
    (Unavailable, 503),
)
_AWAY = "The service is not available at the moment. Try again soon."
_STATUS_OF_CODE = {
    "session_expired": 400,
    "link_expired": 410,
    "too_large": 413,
    "media_type": 415,
    "quota_reached": 429,
    "rate_limited": 429,
    "cursor_invalid": 400,
}
#: Where a refusal's page leads on.
_ONWARD = {
    "session_expired": ("Start again", "/sign-in"),
    "link_expired": ("Sign in", "/sign-in"),
}


Methods = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Mount:
    """What answers everything below some prefixes; *table* is its methods and paths."""

    name: str
    prefixes: tuple[str, ...]
    app: App
    table: Callable[[], Iterable[Methods]]


@dataclass(frozen=True, slots=True)
class TenantApp:
    """What every tenant's host serves. The hot paths are looked at first."""

    mounts: tuple[Mount, ...]
    routes: tuple[Route, ...]
    #: On the platform's own host, beside the others (features.md D01).
    platform_routes: tuple[Route, ...] = ()
    multi_tenant: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tenant: Tenant = scope["insula.tenant"]
        path: str = scope["path"]
        try:
            for mount in self.mounts:
                if path.startswith(mount.prefixes):
                    await mount.app(scope, receive, send)
                    return
            await self._page(scope, receive, send, self._routes_of(tenant))
        except InsulaError as refusal:
            await self._refused(scope, send, refusal)

    def _routes_of(self, tenant: Tenant) -> tuple[Route, ...]:
        is_platform = tenant.slug == PLATFORMS and self.multi_tenant
        return (*self.routes, *self.platform_routes) if is_platform else self.routes

    async def _page(
        self, scope: Scope, receive: Receive, send: Send, routes: tuple[Route, ...]
    ) -> None:
        allowed: set[str] = set()
        for route in routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                scope.update(child)
                await route.handle(scope, receive, send)
                return
            if match is Match.PARTIAL:
                allowed |= route.methods or set()
        status, code, text = (
            (405, "method_not_allowed", "The address does not take this method.")
            if allowed
            else (404, "not_found", "The address does not belong to anything here.")
        )
        await refuse(
            scope, send, status, code, text,
            branding=branding_of, allow=", ".join(sorted(allowed)) or None,
        )  # fmt: skip

    async def _refused(self, scope: Scope, send: Send, refusal: InsulaError) -> None:
        status = _STATUS_OF_CODE.get(refusal.code) or next(
            number for family, number in _STATUS if isinstance(refusal, family)
        )
        if isinstance(refusal, Unavailable):
            DATABASE_AWAY.inc()
        _log.info(
            "request.refused",
            code=refusal.code,
            status=status,
            detail=refusal.detail or str(refusal),
        )
        away = isinstance(refusal, Unavailable)
        text = _AWAY if away else refusal.description
        if refusal.code == "session_expired":
            text += " Nothing was shared. Go back to the application and start again."
        await refuse(
            scope,
            send,
            status,
            refusal.code,
            text,
            retry_after=refusal.retry_after if isinstance(refusal, Unavailable) else None,
            branding=branding_of,
            action=_ONWARD.get(refusal.code),
        )


def provider_of(pool: ProviderPool[Provider]) -> App:
    """Each tenant's provider, as the pool has it."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        tenant: Tenant = scope["insula.tenant"]
        provider = pool.known(tenant) or await pool.get(tenant)
        await provider(scope, receive, send)

    return answer


async def refuse_resolution(scope: Scope, send: Send, status: int, code: str, text: str) -> None:
    """A request that names no tenant, in the caller's format."""
    await refuse(scope, send, status, code, text)
