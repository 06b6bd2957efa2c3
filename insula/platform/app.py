"""
The application of one process, and the one list of mounts.

    edge -> static files | tenancy -> ops gateway | tenant application
    tenant application -> that tenant's provider | branding | pages
"""

import gc
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from starlette.routing import Match, Route

from insula.assets.routes import routes as image_routes
from insula.assets.service import Images
from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.branding.look import branding_of
from insula.kernel.errors import (
    InsulaError,
    NotFound,
    Unavailable,
)
from insula.oidc.provider import addresses as protocol_addresses
from insula.ops_gateway.routes import OpsGateway
from insula.platform import environment
from insula.platform.context import whereabouts
from insula.platform.edge import App, Edge, Receive, Scope, Send
from insula.platform.ops_port import answering
from insula.platform.refusals import refuse
from insula.platform.tenant_app import Methods, Mount, TenantApp, provider_of, refuse_resolution
from insula.platform.wiring import Wiring
from insula.platform_admin.routes import routes as platform_routes
from insula.registration.routes import routes as logo_routes
from insula.sign_in.activation.routes import routes as activation_routes
from insula.sign_in.routes import routes as sign_in_routes
from insula.tenancy.db import Tenant
from insula.tenancy.middleware import TenancyMiddleware
from insula.tenancy.resolution import Unresolved
from insula.tenants.domains.routes import PREFIX as PROOFS
from insula.tenants.domains.routes import routes as proof_routes
from insula.ui.assets import assets
from insula.ui.branding import branding_href, stylesheet


async def _branding(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  (a body is never read)
    branding = branding_of(scope["insula.tenant"])
    if scope["method"] not in ("GET", "HEAD") or scope["path"] != branding_href(branding):
        await refuse(scope, send, 404, "not_found", "The address does not belong to anything here.")
        return
    body = stylesheet(branding)
    headers = [
        (b"content-type", b"text/css; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"public, max-age=31536000, immutable"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _at_proofs() -> Mount:
    """The files that prove login domains: of the protocol's folder, and none of its business."""
    routes = tuple(proof_routes())

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        for route in routes:
            match, child = route.matches(scope)
            if match is not Match.NONE:
                scope.update(child)
                await route.handle(scope, receive, send)
                return
        raise NotFound("The address does not belong to anything here.")

    return Mount("proofs", (PROOFS,), answer, lambda: [("GET", route.path) for route in routes])


@dataclass(frozen=True, slots=True)
class Front:
    """Static files on any host but the ops gateway's, also where no tenant is; then tenancy."""

    tenancy: TenancyMiddleware
    static: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/static/") and not self._is_ops(scope):
            await self.static(scope, receive, send)
        else:
            await self.tenancy(scope, receive, send)

    def _is_ops(self, scope: Scope) -> bool:
        resolver = self.tenancy.resolver
        try:
            return resolver.is_ops(resolver.host(scope["headers"]))
        except Unresolved:
            return False


async def _record_disagreement(tenant: Tenant, scope: Scope) -> None:
    actor = Actor(
        "system", None, scope.get("insula.client_ip"), None, scope.get("insula.request_id")
    )
    async with tenant.transaction() as db:
        await audit.record(db, Event("tenant.resolution_conflict", actor, "warning"))


def assemble(wiring: Wiring) -> App:
    """The ASGI application of a wiring that has been opened."""
    pages = (
        *sign_in_routes(wiring.pages),
        *activation_routes(wiring.pages),
        *wiring.device_pages.routes(),
        *wiring.admin_pages.routes(),
        *logo_routes(),
        *image_routes(Images()),
    )
    provider = provider_of(wiring.pool)
    mounts = (
        _at_proofs(),
        Mount("protocol", ("/oauth2/", "/.well-known/"), provider, protocol_addresses),
        Mount("api", ("/api/v1/",), wiring.api, wiring.api.addresses),
        Mount("branding", ("/branding/",), _branding, lambda: [("GET", "/branding/{name}.css")]),
    )
    tenant_app = TenantApp(
        mounts, pages, tuple(platform_routes(wiring.panel)), wiring.naming.multi_tenant
    )
    tenancy = TenancyMiddleware(
        app=tenant_app,
        ops=wiring.ops,
        resolver=wiring.resolver,
        header_peers=wiring.header_peers,
        refuse=refuse_resolution,
        on_disagreement=_record_disagreement,
    )
    return Edge(Front(tenancy, assets()), wiring.edge_rules)


def addresses(app: App) -> Mapping[str, frozenset[Methods]]:
    """
    Every method and path that *app*, as `assemble` has made it, answers, by who answers it.

    Read off the application itself, so that whatever is mounted anywhere is seen: the tests that
    prove tenants apart have a case for each.
    """
    assert isinstance(app, Edge)  # noqa: S101  (as it is made above)
    front = app.inner
    assert isinstance(front, Front)  # noqa: S101  (as it is made above)
    tenant_app, ops = front.tenancy.app, front.tenancy.ops
    assert isinstance(tenant_app, TenantApp)  # noqa: S101  (as it is made above)
    assert isinstance(ops, OpsGateway)  # noqa: S101  (as it is made above)

    def of(routes: Iterable[Route]) -> frozenset[Methods]:
        return frozenset(
            (method, route.path)
            for route in routes
            for method in (route.methods or set()) - {"HEAD"}
        )

    return {
        **{mount.name: frozenset(mount.table()) for mount in tenant_app.mounts},
        "pages": of(tenant_app.routes),
        "platform": of(tenant_app.platform_routes),
        "ops": frozenset(ops.addresses()),
        "static": frozenset({("GET", "/static/{path}")}),
    }


class Application:
    """The ASGI entry point: opens the wiring at start-up, closes it at the end."""

    def __init__(self, settings: environment.Settings) -> None:
        self.wiring = Wiring(settings)
        self._app = assemble(self.wiring)
        #: What is open beside the application, from the start to the end.
        self._beside = AsyncExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        await self._app(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.wiring.open()
            await self._beside.enter_async_context(self._ops_port())
        except InsulaError as refusal:
            where = ""
            if isinstance(refusal, Unavailable):
                where = await whereabouts(self.wiring.database, self.wiring.platform_database)
            message = f"{refusal.description}{where}"
            # what stays open may keep the interpreter from its end
            await self.wiring.close()
            await send({"type": "lifespan.startup.failed", "message": message})
            return
        # What stands by now lives as long as the process. To look through all of it again would
        # hold up every request for a tenth of a second, each time.
        gc.freeze()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._beside.aclose()
        await self.wiring.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _ops_port(self) -> AbstractAsyncContextManager[None]:
        settings = self.wiring.settings
        # how a request came by the proxy is told where proxies lead
        gateway = replace(self.wiring.ops, key=None)
        return answering(gateway, settings.host, settings.ops_port)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Application"]:
        """The application opened and closed without a server around it, for tests."""
        await self.wiring.open()
        try:
            yield self
        finally:
            await self.wiring.close()


def create() -> Application:
    """The application of a worker process, from its environment (uvicorn's factory)."""
    return Application(environment.load())
