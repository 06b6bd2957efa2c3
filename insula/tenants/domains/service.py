"""A tenant's login domains, as whoever runs the platform gives and takes them."""

from collections.abc import Sequence

from insula.audit.models import SYSTEM, Actor
from insula.tenancy.db import Platform, Row, Tenant, raise_version, rebind
from insula.tenancy.models import PLATFORMS
from insula.tenants import acts, store
from insula.tenants.domains import claims
from insula.tenants.domains import store as hosts
from insula.tenants.domains.claims import Wish
from insula.tenants.domains.models import Domain
from insula.tenants.models import check_without_domain, normalise_domain


async def listed(platform: Platform, slug: str) -> list[Domain]:
    """A tenant's domains by name. Raises `NoSuchTenant`."""
    async with platform.transaction() as db:
        await acts.bound(db, slug)
        return await hosts.listed(db)


async def add(  # noqa: PLR0913  (each by its name)
    platform: Platform,
    slug: str,
    wish: Wish,
    *,
    base: str | None = None,
    actor: Actor = SYSTEM,
    field: str = "domain",
) -> Domain:
    """
    Begin to prove a domain for a tenant, or give it on an operator's word.

    *field* is what the caller calls it.

    Raises `NoSuchTenant`, `TenantProtected`, `DomainTaken`, `InvalidTenant`.
    """
    host = normalise_domain(wish.domain, base, field)
    async with platform.transaction() as db:
        row = await acts.locked_for_edit(db, slug)
        await rebind(db, row.id)
        await claims.claim(db, host, wish, actor)
        await store.touch(db, row.id)
        await raise_version(db, "tenant")
        return await claims.found(db, host)


async def vouch(
    platform: Platform, slug: str, domain: str, reason: str, actor: Actor = SYSTEM
) -> Domain:
    """
    Count a domain as proven on an operator's word; it is not looked at again.

    Raises `NoSuchTenant`, `TenantProtected`, `NoSuchDomain`, `DomainTaken`, and `Invalid` without a
    reason.
    """
    host = normalise_domain(domain)
    async with platform.transaction() as db:
        row = await acts.locked_for_edit(db, slug)
        await rebind(db, row.id)
        await hosts.add_missing_proof(db, host, claims.new_token())
        await claims.vouch(db, await claims.found(db, host), reason, actor)
        await store.touch(db, row.id)
        await raise_version(db, "tenant")
        return await claims.found(db, host)


async def make_primary(platform: Platform, slug: str, domain: str, actor: Actor = SYSTEM) -> Domain:
    """
    Let one of a tenant's domains be its issuer's host.

    Raises `NoSuchTenant`, `TenantProtected`, `NoSuchDomain`, and `Conflict` for one that is not
    proven.
    """
    host = normalise_domain(domain)
    async with platform.transaction() as db:
        row = await acts.locked_for_edit(db, slug)
        await rebind(db, row.id)
        await claims.set_primary(db, host)
        await store.touch(db, row.id)
        await acts.record(db, "tenant.updated", slug, actor, domain_primary=host)
        await raise_version(db, "tenant")
        return await claims.found(db, host)


async def remove(platform: Platform, slug: str, domain: str, actor: Actor = SYSTEM) -> None:
    """
    Take a domain away; it rests then.

    Raises `NoSuchTenant`, `NoSuchDomain`, `SlugNotHostSafe` where nothing else leads to the tenant.
    """
    host = normalise_domain(domain)
    async with platform.transaction() as db:
        row = await acts.locked(db, slug)
        await rebind(db, row.id)
        before = await claims.found(db, host)
        if before.is_primary:
            check_without_domain(slug)
        await hosts.remove(db, host)
        await store.touch(db, row.id)
        facts = {"state": before.state, "primary": before.is_primary}
        await acts.record_of_domain(db, "domain.deleted", host, actor, facts)
        await raise_version(db, "tenant")


async def end_rest(platform: Platform, domain: str, reason: str) -> bool:
    """
    Let a domain be claimed again by anybody before its rest is over; whether it rested.

    For what was given to a wrong tenant by mistake. Raises `Invalid` without a reason.
    """
    host, why = normalise_domain(domain), claims.checked_reason(reason, "reason")
    async with platform.transaction() as db:
        if not await hosts.forget_rest(db, host):
            return False
        _, home = await store.bound_and_home(db, PLATFORMS)
        if home is None:  # an installation that has never served
            return True
        await rebind(db, home)
        await acts.record_of_domain(
            db, "domain.deleted", host, SYSTEM, {"rest": "ended", "reason": why}
        )
    return True


async def in_doubt(platform: Platform, most: int) -> Sequence[Row]:
    """Domains of all active tenants whose proof fails, with whose they are; primary ones first."""
    async with platform.transaction() as db:
        return await hosts.in_doubt(db, most)


async def serves_file(tenant: Tenant, host: str, token: str) -> bool:
    """Whether *token* is what proves *host*, one of the tenant's domains."""
    return bool(
        await tenant.once(hosts.FILE, {"tenant_id": tenant.id, "host": host, "token": token})
    )
