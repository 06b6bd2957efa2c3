"""The list of tenants: searched, narrowed, sorted, paged by key, and taken away as a file."""

import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict, replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from insula.accounts.activation.models import Link
from insula.admin_sessions.models import AdminSession
from insula.audit import service as audit
from insula.audit.models import Event
from insula.kernel.errors import Conflict, Invalid
from insula.kernel.spreadsheets import csv_lines
from insula.platform_admin.guard import (
    Form,
    Panel,
    favourites_of,
    file_of,
    platform_actor,
    recent_of,
)
from insula.platform_admin.navigation import TENANTS
from insula.platform_admin.tenants import asked
from insula.registry import need
from insula.registry import service as registry
from insula.registry.models import Cursor, Filter, Page, TenantLine
from insula.sign_in.guard import go_to, only, tenant_of
from insula.tenant_templates import service as tenant_templates
from insula.tenant_templates.models import Choice
from insula.tenants import founding
from insula.tenants.domains.claims import Wish
from insula.tenants.errors import DomainTaken, NoSuchTenant, SlugTaken
from insula.tenants.models import normalise_domain

_LIMIT = 25
_COLUMNS = ("slug", "display_name", "status", "hosts", "users", "created_at", "last_sign_in_at")
#: Of the form that makes a tenant.
_FIELDS = ("slug", "display_name", "domain", "template", founding.FIELD)


def routes(panel: Panel) -> list[Route]:
    return [
        panel.page(TENANTS, show_tenants),
        panel.page(f"{TENANTS}.csv", export_csv),
        panel.page(f"{TENANTS}.json", export_json),
        panel.page(f"{TENANTS}/new", show_new, writes=True),
        panel.act(f"{TENANTS}/new", post_new, keeps=_FIELDS),
    ]


def _asked(request: Request) -> Filter:
    query = request.query_params
    search, sort = query.get("q", ""), query.get("sort", "")
    return asked.read(search, query.getlist("status"), sort, in_need="attention" in query)


async def show_tenants(panel: Panel, request: Request, session: AdminSession) -> Response:
    asked_for = _asked(request)
    cursor = Cursor.read(request.query_params.get("at", ""))
    page = await registry.page(panel.platform, asked_for, cursor, _LIMIT)
    wanted = replace(asked_for, sort=page.sort)
    is_first = wanted.is_default and cursor is None
    recent = recent_of(request, session) if is_first else []
    starred = favourites_of(request, session) if is_first else []
    return panel.show(
        request,
        session,
        "tenants.html",
        current="Tenants",
        wanted=wanted,
        lines=page.lines,
        ailments=await need.ailments(panel.platform, page.lines),
        in_need=page.in_need,
        most_in_need=need.MOST,
        said=_said(page),
        previous=asked.address(wanted, page.previous) if page.previous else "",
        following=asked.address(wanted, page.following) if page.following else "",
        chips=asked.chips(wanted, page.totals),
        need_chip=asked.need_chip(wanted),
        sorts=asked.sorts(wanted),
        chosen_sort=asked.chosen_sort(wanted),
        most_sorted=None if page.sort == asked_for.sort else registry.MOST_SORTED,
        csv_url=asked.address(wanted, path=f"{TENANTS}.csv"),
        json_url=asked.address(wanted, path=f"{TENANTS}.json"),
        favourites=await registry.in_order(panel.platform, starred) if starred else [],
        recent=await registry.in_order(panel.platform, recent) if recent else [],
        is_search="search" in request.query_params,
    )


def _said(page: Page) -> str:
    """How many stand here, of how many where that is kept."""
    n = len(page.lines)
    if page.total is None:
        return f"{n} found" if page.following is None and page.previous is None else f"{n} shown"
    return f"{n} of {page.total:,}"


async def export_csv(panel: Panel, request: Request, session: AdminSession) -> Response:
    wanted = await _taken_away(request, session, "csv")
    return file_of(_csv(panel, wanted), "text/csv; charset=utf-8", "tenants.csv")


async def export_json(panel: Panel, request: Request, session: AdminSession) -> Response:
    wanted = await _taken_away(request, session, "json")
    return file_of(_json(panel, wanted), "application/json", "tenants.json")


async def _taken_away(request: Request, session: AdminSession, form: str) -> Filter:
    """Whom a file is to hold; that it is taken away is recorded first."""
    wanted = _asked(request)
    details = {"what": "tenants", "format": form, "filter": asdict(wanted)}
    actor = platform_actor(request, session)
    event = Event("data.exported", actor, "info", target_type="tenant", metadata=details)
    async with tenant_of(request).transaction() as db:
        await audit.record(db, event)
    return wanted


async def _csv(panel: Panel, wanted: Filter) -> AsyncIterator[str]:
    yield csv_lines([_COLUMNS])
    async for lines in registry.batches(panel.platform, wanted):
        yield csv_lines(_values(line).values() for line in lines)


def _values(line: TenantLine) -> dict[str, object]:
    last = line.last_sign_in_at
    return {
        "slug": line.slug,
        "display_name": line.display_name,
        "status": line.status,
        "hosts": list(line.hosts),
        "users": line.users,
        "created_at": line.created_at.isoformat(),
        "last_sign_in_at": last.isoformat() if last else None,
    }


async def _json(panel: Panel, wanted: Filter) -> AsyncIterator[str]:
    before = "["
    async for lines in registry.batches(panel.platform, wanted):
        for line in lines:
            yield before + json.dumps(_values(line))
            before = ",\n"
    yield "[]" if before == "[" else "]\n"


async def show_new(panel: Panel, request: Request, session: AdminSession) -> Response:
    return await _new_page(panel, request, session)


async def _new_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    form: Form | None = None,
    errors: tuple[tuple[str, str], ...] = (),
    status: int = 200,
) -> Response:
    values = {name: only(form or {}, name) for name in _FIELDS}
    async with panel.platform.transaction() as db:
        templates = await tenant_templates.list_all(db)
    return panel.show(
        request,
        session,
        "tenant_new.html",
        current="Tenants",
        status=status,
        values=values,
        templates=templates,
        errors=list(errors),
        example_host=panel.naming.host("acme"),
        base=panel.naming.base,
    )


async def post_new(panel: Panel, request: Request, session: AdminSession, form: Form) -> Response:
    slug = only(form, "slug").strip()
    domain, template = only(form, "domain").strip(), only(form, "template")
    errors = _mistakes(form, panel.naming.base)
    if errors:
        return await _new_page(panel, request, session, form, errors, 422)
    try:
        first = await founding.found(
            panel.platform,
            panel.envelope,
            panel.rotation,
            slug=slug,
            display_name=only(form, "display_name"),
            wish=Wish(domain, primary=True) if domain else None,
            base=panel.naming.base,
            first_admin_email=only(form, founding.FIELD).strip() or None,
            template=Choice(template, panel.catalogue) if template else None,
            actor=platform_actor(request, session),
        )
    except Invalid as refusal:
        error = _beside(refusal, template)
        return await _new_page(panel, request, session, form, (error,), 422)
    except Conflict as refusal:
        error = await _taken(panel, refusal, slug, domain)
        return await _new_page(panel, request, session, form, (error,), 409)
    if first is None:
        return go_to(f"{TENANTS}/{slug}?done=created")
    line = await registry.get(panel.platform, slug)
    return link_page(panel, request, session, line, first.link, first.email, is_new=True)


def _mistakes(form: Form, base: str | None) -> tuple[tuple[str, str], ...]:
    """All that is wrong with what was typed, each beside its field."""
    typed = {name: only(form, name).strip() for name in _FIELDS if name != "template"}
    missing = {"display_name": "Enter a name.", "slug": "Enter a slug."}
    return tuple(
        (found.field, worded(found) if typed[found.field] else missing[found.field])
        for found in founding.mistakes(**typed, base=base)
    )


def link_page(  # noqa: PLR0913  (each by its name)
    panel: Panel,
    request: Request,
    session: AdminSession,
    line: TenantLine,
    link: Link,
    email: str,
    *,
    is_new: bool = False,
) -> Response:
    """
    Show a link, in the answer to the form that made it: no address, cookie or cache has it.

    Who reloads the page sends the form again, which makes another link or is refused.
    """
    issuer = panel.naming.origin(line.primary_host or panel.naming.host(line.slug))
    return panel.show(
        request,
        session,
        "tenant_link.html",
        current="Tenants",
        tenant=line,
        email=email,
        url=link.url(issuer),
        expires_at=link.expires_at,
        is_new=is_new,
    )


def worded(refusal: Invalid) -> str:
    """A refusal as a sentence under its field."""
    text = refusal.description
    example = f" For example: {refusal.example}" if refusal.example else ""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}{example}"


def _beside(refusal: Invalid, template: str) -> tuple[str, str]:
    """Which field is refused and why; of a value that a template holds, the template."""
    if template and "." in refusal.field:
        return "template", f"Its {refusal.field} cannot be. {worded(refusal)}"
    return refusal.field or "slug", worded(refusal)


async def _taken(panel: Panel, refusal: Conflict, slug: str, domain: str) -> tuple[str, str]:
    """Which field is taken, and by whom."""
    if isinstance(refusal, DomainTaken):
        owner = await registry.slug_of_host(
            panel.platform, normalise_domain(domain, panel.naming.base)
        )
        if not owner:
            return "domain", refusal.description
        return "domain", f"This domain is in use by the tenant “{owner}”. It belongs to one tenant."
    if isinstance(refusal, SlugTaken) and refusal.free_at is None:
        with suppress(NoSuchTenant):  # its purge may have ended meanwhile
            line = await registry.get(panel.platform, slug)
            return "slug", f"“{slug}” is the slug of {line.display_name}, which is {line.status}."
    return "slug", refusal.description
