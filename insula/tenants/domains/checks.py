"""
Looking whether domains are proven: when somebody asks, and again by the clock.

A primary domain whose proof fails for good leads nowhere, as any other would, and stays the name of
the issuer: which issuer a tenant has is changed by people and never by a check, since its clients
know it by that name. The one exception is that another tenant proves the domain after its rest;
two tenants never have one issuer.
"""

from uuid import UUID

import structlog

from insula.audit.models import SYSTEM, Actor
from insula.config_overrides import service as config
from insula.jobs.queue import enqueue
from insula.tenancy.db import Connection, Platform, Tenant, raise_version, rebind
from insula.tenants import acts, store
from insula.tenants.domains import claims
from insula.tenants.domains import store as hosts
from insula.tenants.domains.models import Domain
from insula.tenants.domains.proofs import Finding, Prover
from insula.tenants.domains.settings import DomainRules
from insula.tenants.errors import DomainTaken, NoSuchDomain
from insula.tenants.models import normalise_domain

_log = structlog.get_logger(__name__)

#: Checks in a row without any answer that count as one that failed: a day of silence.
_SILENT = 4
#: The most proofs that are queued in one transaction.
_BATCH = 100
_RESTED_BATCH = 1000
_FIRST = UUID(int=0)


async def verify(
    platform: Platform, prover: Prover, slug: str, domain: str, actor: Actor = SYSTEM
) -> Domain:
    """
    Look now whether a domain is proven; as it stands then, with what was found.

    It can gain by this and not lose: whether a proven domain lapses is decided by the checks that
    come by the clock. Raises `NoSuchTenant`, `NoSuchDomain`, and `DomainTaken` where the proof is
    good and another tenant has the domain.
    """
    host = normalise_domain(domain)
    async with platform.transaction() as db:
        tenant_id = (await acts.bound(db, slug)).id
        await hosts.add_missing_proof(db, host, claims.new_token())
        before = await claims.found(db, host)
    finding = await prover.check(
        host, before.method, before.token, party=str(tenant_id), held=before.is_held
    )
    return await _conclude(platform, slug, before, finding, actor)


async def recheck(platform: Platform, prover: Prover, tenant: Tenant, proof: UUID) -> None:
    """Look again at a domain whose proof is old; it lapses when that fails once too often."""
    async with platform.within(tenant.id) as db:
        before = await hosts.of_proof(db, proof)
    if before is None or not before.is_held or before.proven_by in (None, "admin_override"):
        return
    finding = await prover.check(
        before.host, before.method, before.token, party=str(tenant.id), held=True
    )
    grace = config.of(tenant, DomainRules).failure_grace_checks
    try:
        await _conclude(platform, tenant.slug, before, finding, SYSTEM, grace=grace)
    except (NoSuchDomain, DomainTaken):  # taken away meanwhile
        return


async def queue_due(platform: Platform) -> int:
    """Queue a look at every proof that is old, in batches, and forget what has rested; how many."""
    place, queued = (_FIRST, _FIRST), 0
    while rows := await hosts.due(platform, place, _BATCH):
        async with platform.transaction() as db:
            for row in rows:
                await rebind(db, row.tenant_id)
                await enqueue(
                    db, "domains.recheck", {"proof": row.id}, once=f"domains.recheck:{row.id}"
                )
        place, queued = (rows[-1].tenant_id, rows[-1].id), queued + len(rows)
    while True:
        async with platform.transaction() as db:
            if await hosts.forget_rested(db, _RESTED_BATCH) < _RESTED_BATCH:
                return queued


def judged(domain: Domain, finding: Finding) -> tuple[int, int]:
    """Failures and silences of a proven domain after another check that did not succeed."""
    if finding.outcome == "silent" and domain.silences + 1 < _SILENT:
        return domain.failures, domain.silences + 1
    return domain.failures + 1, 0


async def _conclude(  # noqa: PLR0913  (each by its name)
    platform: Platform,
    slug: str,
    before: Domain,
    finding: Finding,
    actor: Actor,
    *,
    grace: int | None = None,
) -> Domain:
    """Keep what a check has found; without *grace* it makes nothing lapse."""
    if finding.outcome != "proven":
        return await _note_failure(platform, slug, before, finding, actor, grace)
    try:
        async with platform.transaction() as db:
            row = await acts.locked(db, slug)
            await rebind(db, row.id)
            domain = await _same(db, before)
            await claims.settle(db, domain, vouched=None, actor=actor, checked=True)
            if not domain.is_served or domain.primary_wanted:
                await store.touch(db, row.id)
                await raise_version(db, "tenant")
            return await claims.found(db, before.host)
    except DomainTaken as refusal:
        found = Finding("refuted", f"The proof is good. {refusal.description}")
        await _note_failure(platform, slug, before, found, actor, None)
        raise


async def _same(db: Connection, before: Domain) -> Domain:
    """The domain as it is now, if it is still the claim that was checked."""
    domain = await claims.found(db, before.host)
    if domain.token != before.token:
        raise NoSuchDomain("The tenant has no such domain.")
    return domain


async def _note_failure(  # noqa: PLR0913  (each by its name)
    platform: Platform,
    slug: str,
    before: Domain,
    finding: Finding,
    actor: Actor,
    grace: int | None,
) -> Domain:
    async with platform.transaction() as db:
        row = await acts.locked(db, slug)
        await rebind(db, row.id)
        domain = await _same(db, before)
        failures, silences = domain.failures, domain.silences
        if grace is not None:
            failures, silences = judged(domain, finding)
        lapses = grace is not None and domain.is_served and failures > grace
        await hosts.note_bad(db, domain.host, finding.found, failures, silences)
        if lapses:
            await hosts.set_lapsed(db, domain.host, lapsed=True)
            await raise_version(db, "tenant")
        facts = {
            "method": domain.method, "found": finding.found, "failures": failures,
            "answers": domain.is_served and not lapses, "primary": domain.is_primary,
        }  # fmt: skip
        await acts.record_of_domain(
            db, "domain.verification_failed", domain.host, actor, facts, status="failed"
        )
        after = await claims.found(db, domain.host)
    if domain.is_held:
        _log.warning(
            "domain.verification_failed", tenant=slug, host=domain.host, state=after.state,
            primary=domain.is_primary, found=finding.found,
        )  # fmt: skip
    return after
