"""
What is decided about a domain inside a transaction that is bound to the tenant who wants it.

A claim is only a wish: it leads nowhere and keeps nobody else from proving the same domain. Whoever
proves it first has it. A domain that a tenant no longer has rests before another may have it, so
that nobody inherits visitors, cookies and clients who still trust its name.
"""

import secrets
from dataclasses import dataclass
from uuid import UUID

from insula.audit.models import SYSTEM, Actor
from insula.kernel.errors import Conflict, Invalid
from insula.tenancy.db import Connection, raise_version, rebind
from insula.tenants import acts
from insula.tenants.domains import store as hosts
from insula.tenants.domains.models import MOST_DOMAINS, Domain, Method
from insula.tenants.errors import DomainTaken, NoSuchDomain

_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """
    A domain that a tenant wants, and how it will be proven.

    *primary*: to be the issuer's host as soon as it is proven. *vouched* is the reason of an
    operator who says that it is the tenant's; it counts as proven then.
    """

    domain: str
    method: Method = "dns"
    primary: bool = False
    vouched: str | None = None


async def claim(db: Connection, host: str, wish: Wish, actor: Actor) -> None:
    """Begin to prove a domain for the bound tenant. Raises `DomainTaken`, `Invalid`."""
    if await hosts.count(db, MOST_DOMAINS) >= MOST_DOMAINS:
        raise Invalid(f"A tenant has at most {MOST_DOMAINS} domains.", field="domain")
    await _refuse_taken(db, host)
    if not await hosts.add_proof(db, host, wish.method, new_token(), primary=wish.primary):
        raise DomainTaken("The tenant has this domain already.")
    if wish.primary:
        await hosts.want_primary(db, host)
    facts = {"method": wish.method, "primary": wish.primary}
    await acts.record_of_domain(db, "domain.added", host, actor, facts)
    if wish.vouched is not None:
        await vouch(db, await found(db, host), wish.vouched, actor)


async def vouch(db: Connection, domain: Domain, reason: str, actor: Actor) -> None:
    """Count a domain of the bound tenant as proven. Raises `DomainTaken`, `Invalid`."""
    await settle(db, domain, vouched=checked_reason(reason), actor=actor, checked=False)


async def settle(
    db: Connection, domain: Domain, *, vouched: str | None, actor: Actor, checked: bool
) -> None:
    """A domain of the bound tenant is proven."""
    await _hold(db, domain.host)
    by = "admin_override" if vouched is not None else domain.method
    await hosts.note_good(db, domain.host, by, vouched, checked=checked)
    if domain.primary_wanted:
        await hosts.set_primary(db, domain.host)
    facts: dict[str, object] = {"method": by, "primary": domain.primary_wanted}
    if vouched is not None:
        facts["reason"] = vouched
    await acts.record_of_domain(db, "domain.verified", domain.host, actor, facts)


async def set_primary(db: Connection, host: str | None) -> None:
    """Let a domain of the bound tenant be the issuer's host; None for the host by the slug."""
    if host is not None and not (await found(db, host)).is_served:
        raise Conflict("Only a domain that is proven can be the issuer's host.")
    await hosts.set_primary(db, host)


async def find(db: Connection, host: str) -> Domain | None:
    """A domain of the tenant that *db* is bound to."""
    return await hosts.find(db, host)


async def want_primary(db: Connection, domain: Domain, vouched: str | None, actor: Actor) -> None:
    """Let a domain of the bound tenant be the issuer's host once it is proven, or *vouched* for."""
    await hosts.want_primary(db, domain.host)
    if vouched is not None:
        await vouch(db, await found(db, domain.host), vouched, actor)


async def found(db: Connection, host: str) -> Domain:
    found = await hosts.find(db, host)
    if found is None:
        raise NoSuchDomain("The tenant has no such domain.")
    return found


def new_token() -> str:
    return secrets.token_hex(20)


def checked_reason(text: str, field: str = "override_reason") -> str:
    clean = text.strip()
    if not 1 <= len(clean) <= _LONGEST_REASON:
        raise Invalid(f"Say why, in 1 to {_LONGEST_REASON} characters.", field=field)
    return clean


async def _refuse_taken(db: Connection, host: str) -> None:
    """Raises `DomainTaken` for a domain that the bound tenant could not have now."""
    holder = await hosts.holder(db, host)
    if holder is not None and holder.tenant_id != holder.mine and not holder.is_free:
        raise DomainTaken("The domain belongs to another tenant.")
    until = await hosts.rests_until(db, host)
    if until is not None:
        raise DomainTaken(
            "The domain was another tenant's until lately. "
            f"It can be claimed from {until:%Y-%m-%d} on."
        )


async def _hold(db: Connection, host: str) -> None:
    """Let a domain whose proof is good lead to the bound tenant. Raises `DomainTaken`."""
    await _refuse_taken(db, host)
    holder = await hosts.holder(db, host)
    if holder is not None and holder.tenant_id == holder.mine:
        await hosts.set_lapsed(db, host, lapsed=False)
        return
    if holder is not None:
        await _take_over(db, host, holder.tenant_id, holder.mine)
    if not await hosts.add_host(db, host):
        raise DomainTaken("The domain belongs to another tenant.")
    await hosts.forget_rest(db, host)


async def _take_over(db: Connection, host: str, former: UUID, here: UUID) -> None:
    """End another tenant's claim on a domain that it could not prove for a long time."""
    await rebind(db, former)
    if await hosts.take_lapsed(db, host):
        await acts.record_of_domain(db, "domain.deleted", host, SYSTEM, {"proven_by_another": True})
        await raise_version(db, "tenant")
    await rebind(db, here)
