"""
Who may call a route: token, scope, role, step-up, rate; in this order, before the body is read.

A route says what it needs in its description (`needs`), and that description is what is checked
here, so the two cannot differ.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.params import Query
from fastapi.routing import APIRoute
from starlette.requests import Request

from insula.accounts import service as accounts
from insula.audit import service as audit
from insula.audit.models import Actor, ActorType, Event
from insula.config_overrides import service as config_overrides
from insula.kernel.errors import InsulaError
from insula.management_api import bodies
from insula.management_api.caller import Caller
from insula.management_api.parts import Parts
from insula.management_api.problems import Problem, Refusal, WrongField, invalid, refusal_of, shown
from insula.management_api.rates import Standing
from insula.management_api.repetition import once
from insula.management_api.rules import MAY_SEE, MAY_SEE_ACROSS, PREFIX, Rule, rule_of
from insula.management_api.step_up import check_step_up
from insula.oidc.artefacts import ActiveToken
from insula.oidc.errors import (
    BearerError,
    InsufficientScope,
    InvalidBearerRequest,
    MissingToken,
    StepUpNeeded,
)
from insula.oidc.http import Request as ProtocolRequest
from insula.oidc.models import Client
from insula.oidc.provider import Provider
from insula.resource_servers.builtin import answers, audience
from insula.resource_servers.settings import DeveloperApi
from insula.tenancy.db import Tenant
from insula.tenancy.models import PLATFORMS


def _caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


#: A parameter of every route.
Calling = Annotated[Caller, Depends(_caller)]


class GuardedRoute(APIRoute):
    """A route of the API: nothing of it runs before the guard has agreed."""

    @property
    def rule(self) -> Rule:
        return rule_of(self.openapi_extra or {})

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        act = super().get_route_handler()
        rule = self.rule

        async def handle(request: Request) -> Response:
            caller, standing = await _admit(request, rule, self.path)
            request.state.caller = caller
            try:
                _check_query(request, self)
                return _with(standing, await _run(request, caller, act, rule))
            except Refusal as refusal:
                refusal.headers += tuple(standing.headers())
                raise
            except RequestValidationError as error:
                refused = invalid(error.errors())
                refused.headers += tuple(standing.headers())
                raise refused from error
            except BearerError as error:
                said = ProtocolRequest(request.scope, request.receive)
                refused = _not_allowed(caller.provider, said, error)
                refused.headers += tuple(standing.headers())
                raise refused from error
            except InsulaError as error:
                refused = refusal_of(error, getattr(request.state, "sent", None))
                refused.headers += tuple(standing.headers())
                raise refused from error

        return handle


def router_of(tag: str) -> APIRouter:
    """Make the router of one subject: its routes are guarded and refuse in one form."""
    refused = {"description": "A refusal.", "model": Problem}
    return APIRouter(route_class=GuardedRoute, tags=[tag], responses={"default": refused})


def _with(standing: Standing, response: Response) -> Response:
    for name, value in standing.headers():
        response.headers[name] = value
    return response


async def _admit(request: Request, rule: Rule, path: str) -> tuple[Caller, Standing]:
    tenant: Tenant = request.scope["insula.tenant"]
    parts: Parts = request.app.state.parts
    if not answers(tenant.slug, config_overrides.of(tenant, DeveloperApi)):
        raise Refusal(403, "api_disabled", "The management API of this tenant is switched off.")
    provider = parts.pool.known(tenant) or await parts.pool.get(tenant)
    said = ProtocolRequest(request.scope, request.receive)
    try:
        token, client = await provider.admit(said, audience(tenant.issuer))
    except BearerError as refusal:
        raise _not_in(provider, said, refusal) from refusal
    standing = await parts.rates.take(tenant.id, rule.tier, client.id)
    if not standing.allowed:
        raise Refusal(
            429,
            "rate_limited",
            "Too many requests of this kind; try again later.",
            headers=[*standing.headers(), ("Retry-After", str(max(1, standing.reset)))],
        )
    caller = await _caller_of(request, tenant, parts, provider, token, client)
    try:
        await _check(caller, rule)
    except BearerError as refusal:
        refused = _not_allowed(provider, said, refusal)
        refused.headers += tuple(standing.headers())
        await _note_refusal(request, caller, rule, path, refused.code)
        raise refused from refusal
    except Refusal as refused:
        refused.headers += tuple(standing.headers())
        await _note_refusal(request, caller, rule, path, refused.code)
        raise
    return caller, standing


def _challenge(
    provider: Provider, said: ProtocolRequest, refusal: BearerError
) -> list[tuple[str, str]]:
    return [
        (name.decode("ascii"), value.decode("ascii"))
        for name, value in provider.challenge(said, refusal)
    ]


def _not_in(provider: Provider, said: ProtocolRequest, refusal: BearerError) -> Refusal:
    headers = _challenge(provider, said, refusal)
    if isinstance(refusal, MissingToken):
        return Refusal(401, "token_missing", "Bring an access token.", headers=headers)
    if isinstance(refusal, InvalidBearerRequest):
        return Refusal(400, "bad_request", refusal.description, headers=headers)
    return Refusal(401, "token_invalid", refusal.description, headers=headers)


def _not_allowed(provider: Provider, said: ProtocolRequest, refusal: BearerError) -> Refusal:
    headers = _challenge(provider, said, refusal)
    if isinstance(refusal, StepUpNeeded):
        return Refusal(401, "step_up_required", refusal.description, headers=headers)
    return Refusal(403, "forbidden", refusal.description, headers=headers)


async def _caller_of(  # noqa: PLR0913  (what a caller is made of)
    request: Request,
    tenant: Tenant,
    parts: Parts,
    provider: Provider,
    token: ActiveToken,
    client: Client,
) -> Caller:
    user = None if token.person is None else token.person.user_id
    roles: frozenset[str] = frozenset()
    if user is not None:
        async with tenant.transaction() as db:  # read each time: a demotion counts at once
            roles = frozenset(await accounts.roles_of(db, user))
    kind: ActorType = "client" if user is None else "admin"
    if user is not None and not roles & (MAY_SEE | MAY_SEE_ACROSS):
        kind = "user"
    actor = Actor(
        kind,
        client.client_id if user is None else str(user),
        request.scope.get("insula.client_ip"),
        request.headers.get("user-agent"),
        request.scope.get("insula.request_id"),
        name=_called(token),
    )
    return Caller(tenant, parts, provider, client, token, user, roles, actor)


def _called(token: ActiveToken) -> str | None:
    """What the person of a token is called."""
    claims = {} if token.person is None else token.person.claims
    name = claims.get("name") or claims.get("preferred_username")
    return None if name is None else str(name)


async def _check(caller: Caller, rule: Rule) -> None:
    if rule.scope is None:
        return
    if rule.across and caller.tenant.slug != PLATFORMS:
        raise Refusal(
            403, "scope_not_allowed", "What crosses tenants is done on the platform's own host."
        )
    wanted = PREFIX + rule.scope
    if wanted not in caller.scopes:
        raise InsufficientScope("The access token lacks the scope of this", scope=wanted)
    if caller.user is not None and not caller.roles & rule.roles:
        raise Refusal(403, "forbidden", "The person has no role that may do this.")
    if rule.dangerous:
        await check_step_up(caller)


async def _note_refusal(request: Request, caller: Caller, rule: Rule, path: str, why: str) -> None:
    """A caller who was known and refused stands in the record."""
    details = {
        "method": request.method,
        "route": path,
        "scope": rule.scope,
        "why": why,
        "client": caller.client.client_id,
    }
    async with caller.tenant.transaction() as db:
        await audit.record(
            db, Event("api.request_denied", caller.actor, "failed", metadata=details)
        )


def _check_query(request: Request, route: APIRoute) -> None:
    """Refuse parameters that the route does not have, and those that are there twice."""
    fields = get_flat_params(route.dependant)
    known = {field.alias for field in fields if isinstance(field.field_info, Query)}
    given = [name for name, _ in request.query_params.multi_items()]
    unknown = sorted(set(given) - known)
    if unknown:
        raise Refusal(
            422,
            "validation_failed",
            "There are parameters that this route does not have.",
            errors=[WrongField(field=shown(name), code="extra_forbidden") for name in unknown[:20]],
        )
    if len(set(given)) != len(given):
        raise Refusal(400, "bad_request", "A parameter stands twice in the query.")
    if any("\0" in value for value in request.query_params.values()):
        raise Refusal(400, "bad_request", "A parameter holds the character U+0000.")


async def _run(
    request: Request,
    caller: Caller,
    act: Callable[[Request], Coroutine[Any, Any, Response]],
    rule: Rule,
) -> Response:
    body = b""
    if bodies.takes_body(request.method):
        body = await request.body()
        if body and not rule.takes_file:
            request.state.sent = bodies.read(body, request.headers.get("content-type", ""))
    key = request.headers.get("idempotency-key")
    if key is None or request.method != "POST":
        return await act(request)
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body
    return await once(caller, key, asked, lambda: act(request))
