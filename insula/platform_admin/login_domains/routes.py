"""A tenant's login domains: begun, checked, vouched for, made the issuer's, taken away."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.admin_sessions.models import AdminSession
from insula.kernel.errors import Conflict, Invalid
from insula.platform_admin.guard import Form, Panel, platform_actor
from insula.platform_admin.one_tenant.routes import ONE, changeable, edit_page, line_of
from insula.platform_admin.tenants.routes import worded
from insula.registry import service as registry
from insula.registry.models import TenantLine
from insula.sign_in.guard import go_to, only
from insula.tenants import registry as tenants
from insula.tenants.domains import checks
from insula.tenants.domains import service as domains
from insula.tenants.domains.claims import Wish
from insula.tenants.domains.models import METHODS, Domain, Method
from insula.tenants.errors import DomainTaken, NoSuchDomain
from insula.tenants.models import normalise_domain

_Errors = Sequence[tuple[str, str]]


def routes(panel: Panel) -> list[Route]:
    return [
        panel.act(f"{ONE}/domains", post_domain),
        panel.act(f"{ONE}/domains/check", post_check),
        panel.page(f"{ONE}/domains/vouch", show_vouch, proved=True),
        panel.act(f"{ONE}/domains/vouch", post_vouch, proved=True, query=("domain",)),
        panel.page(f"{ONE}/domains/primary", show_primary, proved=True),
        panel.act(f"{ONE}/domains/primary", post_primary, proved=True, query=("domain",)),
        panel.page(f"{ONE}/domains/remove", show_remove, proved=True),
        panel.act(f"{ONE}/domains/remove", post_remove, proved=True, query=("domain",)),
    ]


async def post_domain(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    """Begin to prove one more domain."""
    line = changeable(await line_of(panel, request))
    domain, chosen = only(form, "domain").strip(), only(form, "method")
    method: Method = next((each for each in METHODS if each == chosen), "dns")
    try:
        await domains.add(
            panel.platform,
            line.slug,
            Wish(domain, method, primary=bool(only(form, "primary"))),
            base=panel.naming.base,
            actor=platform_actor(request, session),
        )
    except Invalid as refusal:
        error, status = worded(refusal), 422
    except DomainTaken as refusal:
        error, status = await _taken(panel, line, domain, refusal), 409
    else:
        return _back(line, "domain_added")
    return await edit_page(
        panel, request, session, line, domain=domain, method=method,
        errors=(("domain", error),), status=status,
    )  # fmt: skip


async def _taken(panel: Panel, line: TenantLine, domain: str, refusal: DomainTaken) -> str:
    """Why a domain cannot be had; who runs the platform may know whose it is."""
    host = normalise_domain(domain, panel.naming.base)
    owner = await registry.slug_of_host(panel.platform, host)
    if owner is None or owner == line.slug:
        return refusal.description
    return f"This domain belongs to the tenant “{owner}”."


def _back(line: TenantLine, done: str) -> Response:
    return go_to(f"/platform/tenants/{line.slug}/hosts?done={done}")


async def _domain_of(panel: Panel, line: TenantLine, host: str) -> Domain:
    """Raises `NoSuchDomain`."""
    for each in await domains.listed(panel.platform, line.slug):
        if each.host == host:
            return each
    raise NoSuchDomain("The tenant has no such domain.")


async def post_check(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
    """Look now whether a domain is proven."""
    line = changeable(await line_of(panel, request))
    domain = await _domain_of(panel, line, only(form, "domain"))
    actor = platform_actor(request, session)
    try:
        found = await checks.verify(panel.platform, panel.prover, line.slug, domain.host, actor)
    except DomainTaken:
        return _back(line, "domain_unproven")
    is_good = found.state == "verified" and not found.found
    return _back(line, "domain_proven" if is_good else "domain_unproven")


def _ask(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    name: str,
    line: TenantLine,
    *,
    errors: _Errors = (),
    **variables: object,
) -> Response:
    """A page that leads to an act and nowhere else."""
    return panel.show(
        request, session, f"{name}.html", current="Tenants", status=422 if errors else 200,
        tenant=line, errors=list(errors), **variables,
    )  # fmt: skip


def _asked(request: Request) -> str:
    return request.query_params.get("domain", "")


def _unconfirmed(form: Form, word: str) -> _Errors:
    return () if only(form, "typed").strip() == word else (("typed", f"Type {word} to confirm."),)


async def _known(panel: Panel, line: TenantLine, host: str) -> Domain | None:
    try:
        return await _domain_of(panel, line, host)
    except NoSuchDomain:
        return None


def _choose_again(line: TenantLine) -> Response:
    """For who proved themselves on the way, and so lost what they had chosen."""
    return go_to(f"/platform/tenants/{line.slug}/edit")


# --- vouching


async def show_vouch(panel: Panel, request: Request, session: AdminSession) -> Response:
    line = changeable(await line_of(panel, request))
    domain = await _known(panel, line, _asked(request))
    if domain is None:
        return _choose_again(line)
    return _ask(panel, request, session, "domain_vouch", line, domain=domain, reason="", typed="")


async def post_vouch(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
    line = changeable(await line_of(panel, request))
    domain, reason = await _domain_of(panel, line, only(form, "domain")), only(form, "reason")
    actor = platform_actor(request, session)
    errors = list(_unconfirmed(form, domain.host))
    if not errors:
        try:
            await domains.vouch(panel.platform, line.slug, domain.host, reason, actor)
        except Invalid as refusal:
            errors = [("reason", worded(refusal))]
        except DomainTaken as refusal:
            errors = [("reason", await _taken(panel, line, domain.host, refusal))]
        else:
            return _back(line, "domain_proven")
    return _ask(
        panel, request, session, "domain_vouch", line,
        domain=domain, reason=reason, typed=only(form, "typed"), errors=errors,
    )  # fmt: skip


# --- the issuer's host


async def _primary_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    line: TenantLine,
    host: str,
    *,
    errors: _Errors = (),
    typed: str = "",
) -> Response:
    own = panel.naming.host(line.slug)
    return _ask(
        panel, request, session, "domain_primary", line,
        domain=host, errors=errors, typed=typed,
        impact=await registry.impact(panel.platform, line.id),
        issuer_before=panel.naming.origin(line.primary_host or own),
        issuer_after=panel.naming.origin(host),
    )  # fmt: skip


async def _may_be_primary(panel: Panel, line: TenantLine, host: str) -> bool:
    if host == panel.naming.host(line.slug):
        return line.primary_host is not None
    domain = await _known(panel, line, host)
    return domain is not None and domain.is_served and not domain.is_primary


async def show_primary(panel: Panel, request: Request, session: AdminSession) -> Response:
    line = changeable(await line_of(panel, request))
    if not await _may_be_primary(panel, line, _asked(request)):
        return _choose_again(line)
    return await _primary_page(panel, request, session, line, _asked(request))


async def post_primary(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    line = changeable(await line_of(panel, request))
    host, actor = only(form, "domain"), platform_actor(request, session)
    is_own = host == panel.naming.host(line.slug)
    if not is_own:
        await _domain_of(panel, line, host)
    errors = list(_unconfirmed(form, host))
    if not errors:
        try:
            if is_own:
                await tenants.update(panel.platform, line.slug, {"domain": None}, actor=actor)
            else:
                await domains.make_primary(panel.platform, line.slug, host, actor)
        except Conflict as refusal:
            errors = [("typed", refusal.description)]
        else:
            return _back(line, "domain_primary")
    return await _primary_page(
        panel, request, session, line, host, errors=errors, typed=only(form, "typed")
    )


# --- taking away


def _remove_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    line: TenantLine,
    domain: Domain,
    *,
    errors: _Errors = (),
    typed: str = "",
) -> Response:
    return _ask(
        panel, request, session, "domain_remove", line, domain=domain, errors=errors, typed=typed,
        issuer_after=panel.naming.origin(panel.naming.host(line.slug)),
    )  # fmt: skip


async def show_remove(panel: Panel, request: Request, session: AdminSession) -> Response:
    line = changeable(await line_of(panel, request))
    domain = await _known(panel, line, _asked(request))
    if domain is None:
        return _choose_again(line)
    return _remove_page(panel, request, session, line, domain)


async def post_remove(
    panel: Panel, request: Request, session: AdminSession, form: Form
) -> Response:
    line = changeable(await line_of(panel, request))
    domain = await _domain_of(panel, line, only(form, "domain"))
    errors = _unconfirmed(form, domain.host)
    if errors:
        typed = only(form, "typed")
        return _remove_page(panel, request, session, line, domain, errors=errors, typed=typed)
    await domains.remove(panel.platform, line.slug, domain.host, platform_actor(request, session))
    return _back(line, "domain_removed")
