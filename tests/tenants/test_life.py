"""A tenant is made whole and at once, moves from state to state, and leaves others alone."""

import asyncio
import time
from uuid import uuid4

import psycopg
import pytest

from insula.audit import service as audit
from insula.kernel.errors import Conflict
from insula.keys import service as keys
from insula.tenancy.models import DEFAULT, DEFAULT_TENANT_ID, OPS, PLATFORMS
from insula.tenants import service
from insula.tenants.domains import service as domains
from insula.tenants.domains.claims import Wish
from insula.tenants.errors import (
    DomainTaken,
    InvalidTenant,
    NoSuchDomain,
    NoSuchTenant,
    SlugNotHostSafe,
    SlugReserved,
    SlugTaken,
    TenantProtected,
)


def given(domain, **more):
    """A domain that is a tenant's on our word."""
    return Wish(domain, vouched="a test", **more)


@pytest.fixture
def create(platform_door, envelope, rotation):
    async def create(slug=None, **facts):
        slug = slug or f"t{uuid4().hex}"
        facts = {"display_name": "Acme", **facts}
        await service.create(platform_door, envelope, rotation, slug=slug, **facts)
        return slug

    return create


@pytest.fixture
def status_of(houses):
    async def status_of(slug):
        return (await houses.find(slug)).status

    return status_of


@pytest.fixture
def events(houses):
    async def events(slug):
        async with (await houses.find(slug)).transaction() as db:
            return [row.event for row in await audit.newest(db)]

    return events


@pytest.mark.usefixtures("fresh_keys")
async def test_a_tenant_is_made_with_its_keys_in_a_second(create, houses, envelope):
    times = []
    for _ in range(3):
        started = time.monotonic()
        slug = await create()
        times.append(time.monotonic() - started)
    assert min(times) < 1
    ring = (await keys.load(await houses.find(slug), envelope)).ring
    assert set(ring.signing) == {"RS256", "ES256"}


async def test_a_birth_is_recorded_in_the_tenant(create, events):
    assert "tenant.created" in await events(await create())


async def test_a_slug_is_taken_once(create):
    slug = await create()
    with pytest.raises(SlugTaken):
        await create(slug)


async def test_two_who_want_a_slug_at_once_are_one_tenant_and_a_refusal(create):
    slug = f"t{uuid4().hex}"
    results = await asyncio.gather(create(slug), create(slug), return_exceptions=True)
    assert sorted(map(str, map(type, results))) == sorted(map(str, (str, SlugTaken)))


async def test_a_tenant_that_cannot_be_made_leaves_nothing(create, database):
    domain = f"login.{uuid4().hex}.example"
    await create(wish=given(domain, primary=True))
    slug = f"t{uuid4().hex}"
    with pytest.raises(DomainTaken):
        await create(slug, wish=given(domain, primary=True))

    async def fail(_db, _tenant_id):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await create(slug, endow=fail)
    with psycopg.connect(database.superuser) as db:
        assert not db.execute("select 1 from insula.tenants where slug = %s", [slug]).fetchone()
    await create(slug)


async def test_bad_slugs_and_names_are_refused_before_anything_is_made(create):
    for slug, refusal in (("admin", SlugReserved), ("a_b", SlugNotHostSafe), ("A", InvalidTenant)):
        with pytest.raises(refusal):
            await create(slug)
    with pytest.raises(InvalidTenant):
        await create(display_name=" ")


async def test_a_slug_that_is_no_host_name_is_good_with_a_domain(create):
    await create(f"a_{uuid4().hex}", wish=given(f"login.{uuid4().hex}.example"))
    await create(f"a_{uuid4().hex}", host_needed=False)


@pytest.mark.spec("features A18")
async def test_states_follow_each_other(create, platform_door, status_of, events):
    slug = await create()
    path = ("suspended", "active", "archived", "active", "suspended", "archived")
    for status in path:
        await service.set_status(platform_door, slug, status)
        assert await status_of(slug) == status
    assert (await events(slug))[:3] == [
        "tenant.archived", "tenant.suspended", "tenant.activated",
    ]  # fmt: skip


async def test_a_step_that_does_not_follow_is_a_conflict(create, platform_door, status_of):
    slug = await create()
    await service.set_status(platform_door, slug, "archived")
    for status in ("suspended", "deleting"):
        with pytest.raises(Conflict):
            await service.set_status(platform_door, slug, status)
    assert await status_of(slug) == "archived"
    with pytest.raises(NoSuchTenant):
        await service.set_status(platform_door, "nobody", "suspended")


async def test_a_state_that_holds_already_changes_and_records_nothing(
    create, platform_door, houses, events
):
    slug = await create()
    before = await houses.find(slug), await events(slug)
    await service.set_status(platform_door, slug, "active")
    assert (await houses.find(slug), await events(slug)) == before


@pytest.mark.spec("features CR-7")
async def test_every_change_raises_the_version_and_that_of_no_other(create, platform_door, houses):
    slug, other = await create(), await create()
    untouched = await houses.find(other)
    versions = [(await houses.find(slug)).version]
    for act in (
        service.set_status(platform_door, slug, "suspended"),
        service.rename(platform_door, slug, "Acme Ltd"),
        domains.add(platform_door, slug, given(f"{uuid4().hex}.example")),
    ):
        await act
        versions.append((await houses.find(slug)).version)
    assert versions == sorted(set(versions))
    assert await houses.find(other) == untouched


async def test_the_installations_own_tenants_are_protected(platform_door, envelope, rotation):
    await service.ensure_special(platform_door, envelope, rotation)
    for slug in (DEFAULT, PLATFORMS, OPS):
        with pytest.raises(TenantProtected) as refusal:
            await service.set_status(platform_door, slug, "suspended")
        assert refusal.value.code == "tenant_protected"


async def test_a_tenant_is_renamed_and_keeps_its_slug(create, platform_door, houses):
    slug = await create()
    await service.rename(platform_door, slug, " Acme\u202e Ltd ")
    found = await houses.find(slug)
    assert (found.slug, found.display_name) == (slug, "Acme Ltd")


@pytest.mark.spec("features A08", "security row 108")
async def test_a_domain_belongs_to_one_tenant_of_all(create, platform_door):
    mine, theirs = await create(), await create()
    domain = f"login.{uuid4().hex}.example"
    await domains.add(platform_door, mine, given(domain))
    for slug in (mine, theirs):
        for written in (domain, domain.upper(), f"{domain}."):
            with pytest.raises(DomainTaken) as refusal:
                await domains.add(platform_door, slug, given(written))
            assert refusal.value.code == "domain_taken"
    with pytest.raises(NoSuchDomain):
        await domains.remove(platform_door, theirs, domain)
    await domains.remove(platform_door, mine, domain)
    with pytest.raises(DomainTaken):
        await domains.add(platform_door, theirs, given(domain))
    await domains.add(platform_door, mine, given(domain))


async def test_two_who_want_a_domain_at_once_are_one_owner_and_a_refusal(create, platform_door):
    slugs = [await create(), await create()]
    domain = f"login.{uuid4().hex}.example"
    results = await asyncio.gather(
        *(domains.add(platform_door, slug, given(domain)) for slug in slugs),
        return_exceptions=True,
    )
    assert sorted(isinstance(result, DomainTaken) for result in results) == [False, True]


@pytest.mark.spec("features A13")
async def test_the_primary_domain_is_the_issuer(create, platform_door, houses):
    slug = await create()
    first, second = f"a.{uuid4().hex}.example", f"b.{uuid4().hex}.example"
    await domains.add(platform_door, slug, given(first))
    assert (await houses.find(slug)).issuer == f"http://{slug}.localhost:8000"
    await domains.add(platform_door, slug, given(second, primary=True))
    found = await houses.find(slug)
    assert found.issuer == f"http://{second}:8000"
    assert found.hosts == (first, second)
    await domains.remove(platform_door, slug, second)
    assert (await houses.find(slug)).issuer == f"http://{slug}.localhost:8000"


@pytest.mark.spec("features A11")
async def test_the_special_tenants_are_made_once_though_processes_start_at_once(
    platform_door, envelope, rotation, houses, database
):
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute("delete from insula.tenants where slug in ('_platforms', '_ops')")
        db.execute("delete from insula.tenant_data_keys where tenant_id = %s", [DEFAULT_TENANT_ID])
        db.execute("delete from insula.signing_keys where tenant_id = %s", [DEFAULT_TENANT_ID])
    made = await asyncio.gather(
        *(service.ensure_special(platform_door, envelope, rotation) for _ in range(8))
    )
    assert sorted(slug for mine in made for slug in mine) == sorted([DEFAULT, PLATFORMS, OPS])
    assert await service.ensure_special(platform_door, envelope, rotation) == []
    for slug in (DEFAULT, PLATFORMS):
        tenant = await houses.find(slug)
        assert len((await keys.load(tenant, envelope)).ring.signing) == 2
    assert (await houses.find(DEFAULT)).id == DEFAULT_TENANT_ID
    assert (await houses.find(DEFAULT)).issuer == "http://localhost:8000"
    assert (await houses.find(PLATFORMS)).issuer == "http://platform.localhost:8000"


async def test_tenants_are_listed_page_by_page(create, platform_door):
    slugs = sorted([await create() for _ in range(3)])
    page = await service.list_tenants(platform_door, after=slugs[0][:-1], limit=2)
    assert page[0].slug == slugs[0]
    following = await service.list_tenants(platform_door, after=page[1].slug, limit=1000)
    assert slugs[2] in {row.slug for row in [*page, *following]}
    assert not {row.slug for row in page} & {row.slug for row in following}
