"""What becomes of a proven domain: looked at again, in doubt, lapsed, back, taken over."""

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import namedtuple_row

from insula.audit import service as audit
from insula.config_overrides import service as config
from insula.kernel.errors import Conflict
from insula.tenants import service
from insula.tenants.domains import checks
from insula.tenants.domains import service as domains
from insula.tenants.domains import store as hosts
from insula.tenants.domains.claims import Wish
from insula.tenants.domains.models import proof_text, record_name
from insula.tenants.domains.proofs import Finding
from insula.tenants.domains.settings import DomainRules
from insula.tenants.errors import DomainTaken, NoSuchDomain

FIRST = UUID(int=0)
DAY = "interval '1 day'"


@pytest.fixture
def db(database):
    with psycopg.connect(database.superuser, autocommit=True, row_factory=namedtuple_row) as db:
        yield db


@pytest.fixture
def host():
    return f"login.{uuid4().hex}.example"


@pytest.fixture
def publish(outside):
    """Publish what proves these domains, and nothing else."""

    def publish(*proving):
        name = record_name(proving[0].host)
        outside.zone.texts[name] = [proof_text(each.token) for each in proving]

    return publish


@pytest.fixture
def withdraw(outside):
    return lambda host: outside.zone.texts.pop(record_name(host), None)


@pytest.fixture
def proven(platform_door, outside, publish, make_tenant):
    """A house with a domain that it has proven by a record."""

    async def proven(host, **more):
        house = await make_tenant()
        slug = house.tenant.slug
        publish(await domains.add(platform_door, slug, Wish(host, **more)))
        domain = await checks.verify(platform_door, outside.prover, slug, host)
        assert domain.state == "verified"
        return house, domain

    return proven


@pytest.fixture
def now_of(platform_door):
    async def now_of(slug, host):
        return next(each for each in await domains.listed(platform_door, slug) if each.host == host)

    return now_of


@pytest.fixture
def recheck(platform_door, outside, houses):
    """Look again as the clock does; the tenant as it is then."""

    async def recheck(house, domain):
        tenant = await houses.find(house.tenant.slug)
        await checks.recheck(platform_door, outside.prover, tenant, domain.id)
        return await houses.find(house.tenant.slug)

    return recheck


async def failures(tenant):
    rows = await audit_rows(tenant)
    return [row for row in rows if row.event == "domain.verification_failed"]


async def audit_rows(tenant):
    async with tenant.transaction() as db:
        return await audit.newest(db)


@pytest.mark.spec("features T01")
async def test_proofs_that_are_old_are_looked_at_in_batches_as_settings_say(
    platform_door, proven, db, host
):
    house, domain = await proven(host)
    vouched = await domains.add(
        platform_door, house.tenant.slug, Wish(f"v.{host}", vouched="a test")
    )
    pending = await domains.add(platform_door, house.tenant.slug, Wish(f"p.{host}"))

    async def due():
        place, found = (FIRST, FIRST), set()
        while rows := await hosts.due(platform_door, place, 2):
            found |= {row.id for row in rows}
            place = (rows[-1].tenant_id, rows[-1].id)
        return found & {domain.id, vouched.id, pending.id}

    def age(days):
        db.execute(
            "update insula.host_proofs set proven_at = now() - make_interval(days => %s)"
            " where tenant_id = %s and proven_at is not null",
            [days, house.tenant.id],
        )

    age(29)
    assert await due() == set()
    age(31)
    assert await due() == {domain.id}
    await config.change(house.tenant, DomainRules, {"reverify_interval_days": 60})
    assert await due() == set()
    age(61)
    assert await due() == {domain.id}
    age(11)
    assert await due() == set()
    db.execute(
        "insert into insula.platform_settings (section, value, bounds)"
        " values ('domains', '{}', '{\"reverify_interval_days\": 10}')"
    )
    assert await due() == {domain.id}
    db.execute("delete from insula.platform_settings where section = 'domains'")
    age(61)
    await service.set_status(platform_door, house.tenant.slug, "suspended")
    assert await due() == set()
    await service.set_status(platform_door, house.tenant.slug, "active")

    assert await checks.queue_due(platform_door) >= 1
    await checks.queue_due(platform_door)  # while a look waits, another is not queued
    jobs = db.execute(
        "select args from insula_jobs.procrastinate_jobs where task_name = 'domains.recheck'"
        " and args ->> 'proof' = %s",
        [str(domain.id)],
    ).fetchall()
    assert [job.args["tenant_id"] for job in jobs] == [str(house.tenant.id)]


@pytest.mark.spec("features T01", "features A13", "security 108")
async def test_a_primary_domain_that_fails_is_no_longer_served_and_names_the_issuer_still(
    platform_door, proven, recheck, withdraw, publish, directory, now_of, host
):
    house, domain = await proven(host, primary=True)
    slug, issuer = house.tenant.slug, f"http://{host}:8000"
    tenant = await recheck(house, domain)
    assert (tenant.issuer, tenant.hosts) == (issuer, (host,))

    withdraw(host)
    tenant = await recheck(house, domain)

    assert (tenant.issuer, tenant.hosts) == (issuer, ())
    assert await directory.find(f"host:{host}") is None
    lapsed = await now_of(slug, host)
    assert (lapsed.state, lapsed.is_primary) == ("unverified", True)
    (line,) = await failures(tenant)
    assert (line.metadata["answers"], line.metadata["primary"]) == (False, True)
    (warned,) = [row for row in await domains.in_doubt(platform_door, 100) if row.host == host]
    assert (warned.slug, warned.is_primary) == (slug, True)
    with pytest.raises(Conflict):
        await domains.make_primary(platform_door, slug, host)

    publish(domain)
    tenant = await recheck(house, domain)
    assert (tenant.issuer, tenant.hosts) == (issuer, (host,))
    assert not [row for row in await domains.in_doubt(platform_door, 100) if row.host == host]


@pytest.mark.spec("features T01")
async def test_grace_counts_checks_and_a_good_one_begins_it_anew(
    proven, recheck, withdraw, publish, now_of, host
):
    house, domain = await proven(host)
    slug = house.tenant.slug
    await config.change(house.tenant, DomainRules, {"failure_grace_checks": 2})
    withdraw(host)
    for n in (1, 2):
        assert (await recheck(house, domain)).hosts == (host,)
        doubted = await now_of(slug, host)
        assert (doubted.state, doubted.failures) == ("failing", n)
    publish(domain)
    await recheck(house, domain)
    assert (await now_of(slug, host)).state == "verified"
    withdraw(host)
    states = [(await recheck(house, domain)).hosts for _ in range(3)]
    assert states == [(host,), (host,), ()]


@pytest.mark.spec("features T01")
async def test_silence_counts_after_a_day_of_it(
    proven, recheck, outside, now_of, platform_door, host
):
    house, domain = await proven(host)
    outside.zone.ill.add(record_name(host))
    for _ in range(3):
        assert (await recheck(house, domain)).hosts == (host,)
    assert (await now_of(house.tenant.slug, host)).failures == 0
    asked = await checks.verify(platform_door, outside.prover, house.tenant.slug, host)
    assert (asked.state, asked.silences) == ("failing", 3)  # who asks makes nothing lapse
    assert (await recheck(house, domain)).hosts == ()


async def test_a_check_that_an_operator_asks_for_takes_nothing_away(
    platform_door, proven, outside, withdraw, host
):
    house, _ = await proven(host)
    withdraw(host)
    for _ in range(3):
        domain = await checks.verify(platform_door, outside.prover, house.tenant.slug, host)
    assert (domain.state, domain.is_served, domain.failures) == ("failing", True, 0)


async def test_an_operators_word_is_not_looked_at_again(
    platform_door, house, recheck, outside, host
):
    slug = house.tenant.slug
    domain = await domains.add(platform_door, slug, Wish(host, vouched="a test"))
    before = len(outside.zone.asked)
    assert (await recheck(house, domain)).hosts == (host,)
    assert len(outside.zone.asked) == before
    asked = await checks.verify(platform_door, outside.prover, slug, host)
    assert (asked.state, bool(asked.found)) == ("verified", True)


@pytest.mark.spec("features A08", "security 108")
async def test_of_two_who_prove_a_domain_at_the_same_moment_one_has_it(
    platform_door, make_tenant, outside, publish, directory, host
):
    slugs = [(await make_tenant()).tenant.slug for _ in range(4)]
    publish(*[await domains.add(platform_door, slug, Wish(host)) for slug in slugs])
    results = await asyncio.gather(
        *(checks.verify(platform_door, outside.prover, slug, host) for slug in slugs),
        return_exceptions=True,
    )
    taken = [isinstance(result, DomainTaken) for result in results]
    assert sorted(taken) == [False, True, True, True]
    owner = await directory.find(f"host:{host}")
    assert owner.slug == slugs[taken.index(False)]


@pytest.mark.spec("security 108", "features A13", "OIDCD-3")
async def test_a_lapsed_domain_rests_and_then_belongs_to_who_proves_it(
    platform_door, proven, recheck, withdraw, publish, make_tenant, outside, db, houses, host
):
    former, domain = await proven(host, primary=True)
    other = (await make_tenant()).tenant.slug
    claim = await domains.add(platform_door, other, Wish(f"x.{host}"))
    assert claim.state == "pending"
    withdraw(host)
    await recheck(former, domain)
    with pytest.raises(DomainTaken):
        await domains.add(platform_door, other, Wish(host))

    db.execute(
        f"update insula.tenant_hosts set lapsed_at = now() - 31 * {DAY} where host = %s",  # noqa: S608  (words of ours)
        [host],
    )
    publish(await domains.add(platform_door, other, Wish(host, primary=True)))
    await checks.verify(platform_door, outside.prover, other, host)

    before, after = await houses.find(former.tenant.slug), await houses.find(other)
    assert after.issuer == f"http://{host}:8000"
    assert before.issuer == f"http://{before.slug}.localhost:8000"  # never two of one issuer
    (line,) = [row for row in await audit_rows(before) if row.event == "domain.deleted"]
    assert line.metadata == {"proven_by_another": True}


@pytest.mark.spec("security 108")
async def test_a_domain_rests_whatever_took_it_away(platform_door, make_tenant, db, host):
    former, other = (await make_tenant()).tenant, (await make_tenant()).tenant
    await domains.add(platform_door, former.slug, Wish(host, vouched="a test"))
    db.execute("delete from insula.tenant_hosts where tenant_id = %s", [former.id])  # as a purge
    kept = db.execute("select * from insula.released_hosts where former = %s", [former.id])
    assert host not in str(kept.fetchall())

    for wish in (Wish(host), Wish(host, vouched="a test")):
        with pytest.raises(DomainTaken, match="until lately") as refusal:
            await domains.add(platform_door, other.slug, wish)
        assert refusal.value.code == "domain_taken"
    db.execute(
        f"update insula.released_hosts set released_at = now() - 29 * {DAY} where former = %s",  # noqa: S608  (words of ours)
        [former.id],
    )
    with pytest.raises(DomainTaken):
        await domains.add(platform_door, other.slug, Wish(host))
    db.execute(
        f"update insula.released_hosts set released_at = now() - 31 * {DAY} where former = %s",  # noqa: S608  (words of ours)
        [former.id],
    )
    await domains.add(platform_door, other.slug, Wish(host, vouched="a test"))
    await checks.queue_due(platform_door)
    assert not db.execute(
        "select from insula.released_hosts where former = %s", [former.id]
    ).fetchall()


@pytest.mark.spec("features CR-4")
async def test_a_check_of_a_claim_that_was_begun_anew_meanwhile_counts_for_nothing(
    platform_door, house, outside, publish, host
):
    slug = house.tenant.slug
    before = await domains.add(platform_door, slug, Wish(host))

    class Meanwhile:
        async def check(self, *_asked, **_more):
            await domains.remove(platform_door, slug, host)
            await domains.add(platform_door, slug, Wish(host))
            return Finding("proven")

    with pytest.raises(NoSuchDomain):
        await checks.verify(platform_door, Meanwhile(), slug, host)
    (again,) = await domains.listed(platform_door, slug)
    assert again.state == "pending"
    publish(before)
    assert (await checks.verify(platform_door, outside.prover, slug, host)).state == "pending"
    publish(again)
    assert (await checks.verify(platform_door, outside.prover, slug, host)).state == "verified"
