"""The API as one ASGI application: the one list of its routes, and every refusal in one form."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute

from insula.branding.look import branding_of
from insula.kernel.errors import InsulaError
from insula.management_api import reference
from insula.management_api.audit.routes import router as audit
from insula.management_api.branding.routes import router as branding
from insula.management_api.clients.routes import router as clients
from insula.management_api.configuration.routes import router as configuration
from insula.management_api.deletions.routes import router as deletions
from insula.management_api.description import Descriptions
from insula.management_api.grants.routes import router as grants
from insula.management_api.guard import GuardedRoute
from insula.management_api.isolation.routes import router as isolation
from insula.management_api.jobs.routes import router as jobs
from insula.management_api.keys.routes import router as keys
from insula.management_api.me.routes import router as me
from insula.management_api.parts import Parts
from insula.management_api.plans.routes import platform_router as platform_plans
from insula.management_api.plans.routes import router as plans
from insula.management_api.platform.routes import router as platform
from insula.management_api.platform_history.routes import router as platform_history
from insula.management_api.platform_settings.routes import router as platform_settings
from insula.management_api.problems import (
    Refusal,
    answer,
    not_found,
    refusal_of,
)
from insula.management_api.resources.routes import router as resources
from insula.management_api.sections.routes import router as settings
from insula.management_api.sessions.routes import router as sessions
from insula.management_api.stats.routes import router as stats
from insula.management_api.templates.routes import router as templates
from insula.management_api.tenants.routes import router as tenants
from insula.management_api.users.routes import router as users
from insula.resource_servers.builtin import PATH
from insula.ui.pages import render

_log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: Everything that needs a token, in the order of the document.
_ROUTERS = (
    me, users, sessions, grants, clients, resources, keys, settings, plans, branding, configuration,
    audit, stats, tenants, deletions, platform, platform_settings, platform_plans, platform_history,
    templates, jobs, isolation,
)  # fmt: skip
ROUTES = tuple(
    route for router in _ROUTERS for route in router.routes if isinstance(route, GuardedRoute)
)


class ManagementApi:
    """What a tenant's host serves under `/api/v1`."""

    def __init__(self, parts: Parts) -> None:
        self._app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
        self._app.state.parts = parts
        self._descriptions = Descriptions(ROUTES)
        self._app.router.routes.extend(ROUTES)
        self._app.add_api_route("/openapi.json", self._document, include_in_schema=False)
        self._app.add_api_route("/docs", self._reference, include_in_schema=False)
        for kind, handler in (
            (Refusal, _refused),
            (InsulaError, _refused_by_domain),
            (404, self._unrouted),
            (405, self._unrouted),
            (Exception, _broken),
        ):
            self._app.add_exception_handler(kind, handler)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def fresh(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                if b"cache-control" not in names:
                    message["headers"] = [*message["headers"], (b"cache-control", b"no-store")]
            await send(message)

        await self._app({**scope, "root_path": PATH}, receive, fresh)

    def addresses(self) -> list[tuple[str, str]]:
        """Method and path of every route, those without a token among them."""
        return [
            (method, f"{PATH}{route.path}")
            for route in self._app.routes
            if isinstance(route, APIRoute)
            for method in sorted(route.methods or ())
        ]

    async def _document(self, request: Request) -> Response:
        tenant = request.scope["insula.tenant"]
        return JSONResponse(self._descriptions.of(tenant.slug, tenant.issuer))

    async def _reference(self, request: Request) -> Response:
        tenant = request.scope["insula.tenant"]
        document = self._descriptions.of(tenant.slug, tenant.issuer)
        page = render(
            "management_api/reference.html",
            branding=branding_of(tenant),
            document=document,
            sections=reference.sections(document),
            models=reference.models(document),
        )
        return HTMLResponse(page)

    async def _unrouted(self, request: Request, error: Exception) -> Response:
        if getattr(error, "status_code", 404) != 405:  # noqa: PLR2004  (clearer than a name)
            return _answer(request, not_found())
        allowed = {
            method
            for route in self._app.routes
            if route.matches({**request.scope, "method": "-"})[0].value
            for method in getattr(route, "methods", None) or ()
        }
        headers = [("Allow", ", ".join(sorted(allowed)))]
        text = "The address does not take this method."
        return _answer(request, Refusal(405, "method_not_allowed", text, headers=headers))


def _answer(request: Request, refusal: Refusal) -> Response:
    return answer(refusal, request.scope.get("insula.request_id", ""))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101  (registered for it alone)
    return _answer(request, error)


async def _refused_by_domain(request: Request, error: Exception) -> Response:
    assert isinstance(error, InsulaError)  # noqa: S101  (registered for it alone)
    _log.info("api.refused", code=error.code, detail=error.detail or error.description)
    return _answer(request, refusal_of(error))


async def _broken(request: Request, error: Exception) -> Response:
    _log.error("api.bug", path=request.url.path, error=type(error).__name__)
    return _answer(request, Refusal(500, "server_error", "Something went wrong on our side."))
