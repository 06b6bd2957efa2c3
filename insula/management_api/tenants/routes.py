"""/tenants: list, create, read, change, status; their hosts and their people (D03 to D09)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final, Protocol
from uuid import UUID

from fastapi import Path, Query, Response

from insula.accounts import service as accounts
from insula.accounts.models import normalise_name
from insula.audit.models import Actor
from insula.clients import service as clients
from insula.management_api.caller import Caller
from insula.management_api.guard import Calling, router_of
from insula.management_api.paging import After, Count, IncludeCount, Limit, PageOf
from insula.management_api.rules import PREFIX, needs
from insula.management_api.sections.acts import telling_fields
from insula.management_api.step_up import check_step_up
from insula.management_api.tenants.schemas import (
    FoundedTenant,
    HostCheck,
    NewHost,
    NewStatus,
    NewTenant,
    OverrideReason,
    Sort,
    Status,
    Tenant,
    TenantChanges,
    TenantDetail,
    TenantHost,
    TenantHosts,
    TenantUser,
)
from insula.management_api.versions import IfMatch, naming_who, seen, tag
from insula.oidc.errors import InsufficientScope
from insula.registry import models as registry_models
from insula.registry import service as listing
from insula.registry.errors import CursorInvalid
from insula.registry.models import Cursor, Filter
from insula.registry.service import MOST_COUNTED
from insula.tenant_templates.models import Choice
from insula.tenants import founding, registry, service
from insula.tenants.domains import checks
from insula.tenants.domains import service as domains
from insula.tenants.domains.claims import Wish
from insula.tenants.models import normalise_domain

router = router_of("Tenants")
#: Who may give a domain on their word, beside what the route asks for.
_VOUCHING: Final = f"{PREFIX}cross-tenant:write"

Slug = Annotated[str, Path(min_length=1, max_length=63, description="The tenant's slug.")]
Domain = Annotated[str, Path(min_length=1, max_length=253, description="A login domain.")]
Search = Annotated[
    str | None,
    Query(
        max_length=120,
        description="What a slug, a name or a domain begins with; found in order of slug.",
    ),
]


def _actor(caller: Caller) -> Actor:
    """Who acts, as the tenant's own record names them: the platform."""
    return replace(caller.actor, type="platform")


class _MayVouch(Protocol):
    override_reason: OverrideReason


async def _vouched(caller: Caller, wanted: _MayVouch) -> str | None:
    """
    The reason of a caller who vouches for a domain, which is dangerous.

    Raises `InsufficientScope`, `StepUpNeeded`.
    """
    if wanted.override_reason is not None:
        if _VOUCHING not in caller.scopes:
            raise InsufficientScope("The access token lacks the scope of this", scope=_VOUCHING)
        await check_step_up(caller)
    return wanted.override_reason


def _moves_issuer(entry: registry.Entry, changes: TenantChanges) -> bool:
    """Whether the issuer gets another name at once, and not when a domain is proven."""
    if "domain" not in changes.model_fields_set:
        return False
    host = None if changes.domain is None else normalise_domain(changes.domain)
    known = host is None or host in {each.host for each in entry.hosts}
    return known and host != entry.domain


def _counted(n: int) -> Count:
    return Count(value=min(n, MOST_COUNTED), exact=n <= MOST_COUNTED)


_LISTED: Final[dict[Sort, registry_models.Sort]] = {
    "slug": "slug",
    "-created_at": "newest",
    "-users": "users",
    "-last_sign_in_at": "activity",
}


def _filter(status: Status | None, q: str | None, sort: Sort) -> Filter:
    return Filter.read(q or "", [status] if status else [], "slug" if q else _LISTED[sort])


def _place(sealed: Sequence[str]) -> Cursor:
    try:
        return Cursor(sealed[0], UUID(sealed[1]))
    except ValueError as error:
        raise CursorInvalid from error


@router.get("/tenants", summary="List tenants", openapi_extra=needs("tenants:read"))
async def list_tenants(  # noqa: PLR0913  (parameters of the query)
    caller: Calling,
    limit: Limit = 25,
    after: After = None,
    sort: Sort = "slug",
    status: Annotated[Status | None, Query(description="Else all but archived ones.")] = None,
    q: Search = None,
    include_count: IncludeCount = False,  # noqa: FBT002  (a parameter of the query)
) -> PageOf[Tenant]:
    """
    Those of the installation itself are not among them; each is read by its slug.

    A search is in order of slug, whatever is asked for.
    """
    platform, cursors, home = caller.parts.platform, caller.parts.cursors, caller.tenant.id
    wanted = _filter(status, q, sort)
    order = f"tenants\0{wanted.sort}"
    place = _place(cursors.open(home, order, after, 2)) if after else None
    found = await listing.page(platform, wanted, place, limit)
    further, count = found.following, None
    if include_count:
        value, exact = await listing.count(platform, wanted)
        count = Count(value=value, exact=exact)
    return PageOf(
        data=[Tenant.of(line, caller.parts.naming) for line in found.lines],
        next=cursors.seal(home, order, [further.mark, str(further.id)]) if further else None,
        has_more=further is not None,
        count=count,
    )


@router.post(
    "/tenants", summary="Create a tenant", status_code=201, openapi_extra=needs("tenants:write")
)
async def create_tenant(caller: Calling, wanted: NewTenant, response: Response) -> FoundedTenant:
    """
    It has its keys and is served as soon as this answers, on the host of its slug.

    A domain leads to it once that is proven: see its hosts. The link of its first administrator
    is shown here alone.
    """
    parts = caller.parts
    with telling_fields():
        first = await founding.found(
            parts.platform,
            parts.envelope,
            parts.rotation,
            slug=wanted.slug,
            display_name=wanted.display_name,
            wish=None
            if wanted.domain is None
            else Wish(
                wanted.domain,
                wanted.domain_method,
                primary=True,
                vouched=await _vouched(caller, wanted),
            ),
            base=parts.naming.base,
            host_needed=parts.host_needed,
            first_admin_email=wanted.first_admin_email,
            template=Choice(wanted.template, parts.catalogue) if wanted.template else None,
            actor=_actor(caller),
        )
    made = await registry.get(parts.platform, wanted.slug)
    response.headers["Location"] = f"/api/v1/tenants/{made.slug}"
    tag(response, made.updated_at)
    return FoundedTenant.made(made, parts.naming, first)


@router.get("/tenants/{slug}", summary="Read a tenant", openapi_extra=needs("tenants:read"))
async def show_tenant(caller: Calling, slug: Slug, response: Response) -> TenantDetail:
    parts = caller.parts
    entry = await registry.get(parts.platform, slug)
    async with parts.platform.within(entry.id) as db:
        people = await accounts.count(db, most=MOST_COUNTED + 1)
        applications = await clients.count(db, most=MOST_COUNTED + 1)
    tag(response, entry.updated_at)
    return TenantDetail(
        **Tenant.of(entry, parts.naming).model_dump(),
        users=_counted(people),
        clients=_counted(applications),
    )


@router.patch("/tenants/{slug}", summary="Change a tenant", openapi_extra=needs("tenants:write"))
async def change_tenant(
    caller: Calling,
    slug: Slug,
    changes: TenantChanges,
    response: Response,
    if_match: IfMatch = None,
) -> Tenant:
    """
    A domain of the tenant that is proven becomes the issuer's host at once, which needs step-up.

    So does null. Any other does once it is proven. The one before stays the tenant's.
    """
    parts = caller.parts
    entry = await registry.get(parts.platform, slug)
    if _moves_issuer(entry, changes):
        await check_step_up(caller)
    async with naming_who(parts.platform.within(entry.id), "tenant", slug):
        entry = await registry.update(
            parts.platform,
            slug,
            changes.model_dump(exclude_unset=True, exclude={"override_reason"}),
            base=parts.naming.base,
            vouched=await _vouched(caller, changes),
            expected=seen(if_match),
            actor=_actor(caller),
        )
    tag(response, entry.updated_at)
    return Tenant.of(entry, parts.naming)


@router.post(
    "/tenants/{slug}/status",
    summary="Suspend, activate or archive a tenant",
    openapi_extra=needs("tenants:write", dangerous=True),
)
async def set_tenant_status(
    caller: Calling, slug: Slug, wanted: NewStatus, response: Response
) -> Tenant:
    """All sessions and tokens of a tenant that is suspended or archived end at once."""
    parts = caller.parts
    await service.set_status(
        parts.platform, slug, wanted.status, reason=wanted.reason, actor=_actor(caller)
    )
    entry = await registry.get(parts.platform, slug)
    tag(response, entry.updated_at)
    return Tenant.of(entry, parts.naming)


@router.get(
    "/tenants/{slug}/hosts", summary="List a tenant's hosts", openapi_extra=needs("tenants:read")
)
async def list_tenant_hosts(caller: Calling, slug: Slug) -> TenantHosts:
    """Its login domains, with what proves each and how that stands."""
    found = await domains.listed(caller.parts.platform, slug)
    return TenantHosts(data=[TenantHost.of(each) for each in found])


@router.post(
    "/tenants/{slug}/hosts",
    summary="Begin to prove a host for a tenant",
    status_code=201,
    openapi_extra=needs("tenants:write"),
)
async def add_tenant_host(caller: Calling, slug: Slug, wanted: NewHost) -> TenantHost:
    """It leads to the tenant once it is proven; until then another tenant may prove it first."""
    parts = caller.parts
    wish = Wish(
        wanted.host,
        wanted.method,
        primary=wanted.make_primary,
        vouched=await _vouched(caller, wanted),
    )
    found = await domains.add(
        parts.platform, slug, wish, base=parts.naming.base, actor=_actor(caller), field="host"
    )
    return TenantHost.of(found)


@router.post(
    "/tenants/{slug}/hosts/{host}/verify",
    summary="Check now whether a host is proven",
    openapi_extra=needs("tenants:write"),
)
async def verify_tenant_host(
    caller: Calling, slug: Slug, host: Domain, wanted: HostCheck | None = None
) -> TenantHost:
    """The answer says how it stands then, and what was found where the proof should be."""
    parts, actor = caller.parts, _actor(caller)
    reason = None if wanted is None else await _vouched(caller, wanted)
    if reason is not None:
        return TenantHost.of(await domains.vouch(parts.platform, slug, host, reason, actor))
    return TenantHost.of(await checks.verify(parts.platform, parts.prover, slug, host, actor))


@router.post(
    "/tenants/{slug}/hosts/{host}/primary",
    summary="Make a host the issuer's",
    openapi_extra=needs("tenants:write", dangerous=True),
)
async def make_tenant_host_primary(caller: Calling, slug: Slug, host: Domain) -> TenantHosts:
    """Tokens of the issuer before are no longer accepted, since its name was another."""
    platform = caller.parts.platform
    await domains.make_primary(platform, slug, host, _actor(caller))
    found = await domains.listed(platform, slug)
    return TenantHosts(data=[TenantHost.of(each) for each in found])


@router.delete(
    "/tenants/{slug}/hosts/{host}",
    summary="Take a host away",
    status_code=204,
    openapi_extra=needs("tenants:write", tier="delete", dangerous=True),
)
async def remove_tenant_host(caller: Calling, slug: Slug, host: Domain) -> None:
    """No other tenant can have it for thirty days."""
    await domains.remove(caller.parts.platform, slug, host, _actor(caller))


@router.get(
    "/tenants/{slug}/users",
    summary="List a tenant's people",
    openapi_extra=needs("cross-tenant:read"),
)
async def list_tenant_users(
    caller: Calling, slug: Slug, limit: Limit = 25, after: After = None
) -> PageOf[TenantUser]:
    """Stands in the record of both tenants, since it shows personal data."""
    parts, home = caller.parts, caller.tenant.id
    entry = await registry.get(parts.platform, slug)
    order = f"tenant users\0{entry.id}"
    place = parts.cursors.open(home, order, after, 1) if after else [""]
    await registry.note_viewed(parts.platform, entry, home, _actor(caller), "users")
    async with parts.platform.within(entry.id) as db:
        people = await accounts.list_users(db, after=place[0], limit=limit + 1)
    shown, more = people[:limit], len(people) > limit
    return PageOf(
        data=[TenantUser.model_validate(person, from_attributes=True) for person in shown],
        next=parts.cursors.seal(home, order, [normalise_name(shown[-1].username)])
        if more
        else None,
        has_more=more,
    )
