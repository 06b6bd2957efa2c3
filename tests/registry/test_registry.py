"""The registry as the platform sees it: pages, prefixes, and counts that are kept."""

import asyncio
import contextlib
import secrets
from uuid import uuid4

import psycopg
import pytest

from insula.accounts import service as accounts
from insula.accounts.errors import UserExists
from insula.audit import service as audit
from insula.audit.models import Actor
from insula.registry import service
from insula.registry.errors import CursorInvalid
from insula.registry.models import Cursor, Filter
from insula.tenancy.models import PLATFORMS
from insula.tenants import service as tenants
from insula.tenants.errors import ChangedMeanwhile, NoSuchTenant


@pytest.fixture(scope="module")
def some(database):
    """Thirty tenants of one prefix, with names of another: by the superuser, at once."""
    word = f"r{secrets.token_hex(4)}"
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute(
            """
            insert into insula.tenants (id, slug, display_name, status, created_at)
            select gen_random_uuid(), %(word)s || '-' || lpad(n::text, 2, '0'),
                   'Name ' || %(word)s || ' ' || n,
                   case when n %% 10 = 0 then 'suspended' when n = 7 then 'archived'
                        else 'active' end,
                   now() - make_interval(hours => n)
              from generate_series(1, 30) n
            """,
            {"word": word},
        )
        yield word
        db.execute("delete from insula.tenants where slug like %s", [f"{word}-%"])


async def walk(platform, wanted, limit, start=None):
    """Every slug on the way forward, and the last page."""
    slugs, cursor = [], start
    while True:
        page = await service.page(platform, wanted, cursor, limit)
        slugs += [line.slug for line in page.lines]
        if page.following is None:
            return slugs, page
        cursor = page.following


def slugs(word, *numbers):
    return [f"{word}-{n:02}" for n in numbers]


@pytest.mark.spec("features D03", "features CR-3", "features CR-10")
async def test_a_list_is_walked_forwards_and_back_again(platform_door, some):
    wanted = Filter(search=some)
    shown = slugs(some, *(n for n in range(1, 31) if n != 7))
    found, page = await walk(platform_door, wanted, 7)
    assert found == shown

    back = []
    while page.previous:
        page = await service.page(platform_door, wanted, page.previous, 7)
        back = [line.slug for line in page.lines] + back
    assert back == shown[: len(back)]
    assert len(back) == len(shown) - len(shown) % 7
    assert page.previous is None


@pytest.mark.parametrize("sort", ["slug", "newest", "users", "activity"])
async def test_every_order_has_each_tenant_once(platform_door, some, sort):
    found, _ = await walk(platform_door, Filter(sort=sort), 4)

    assert len(found) == len(set(found))
    ours = [slug for slug in found if slug.startswith(some)]
    assert len(ours) == 29
    if sort in ("slug", "newest"):
        assert ours == sorted(ours)


@pytest.mark.spec("features D03", "features D07")
async def test_a_list_is_narrowed_by_status_and_hides_the_archived(platform_door, some):
    suspended, page = await walk(platform_door, Filter(some, ("suspended",)), 100)
    archived, _ = await walk(platform_door, Filter(some, ("archived",)), 100)

    assert suspended == slugs(some, 10, 20, 30)
    assert archived == slugs(some, 7)
    assert page.total is None
    assert Filter.read("", [], "").statuses == ("active", "suspended", "deleting")
    assert Filter.read("", ["archived", "nonsense"], "nonsense") == Filter("", ("archived",))


@pytest.mark.spec("features D03")
async def test_a_search_is_by_the_beginning_of_slug_name_or_domain(
    platform_door, some, make_tenant
):
    host = f"login.{uuid4().hex}.example"
    house = await make_tenant(domain=host)
    for search in (host[:20], house.tenant.slug[:12], host):
        page = await service.page(platform_door, Filter(search=search), None, 10)
        assert [line.slug for line in page.lines] == [house.tenant.slug]
    assert page.lines[0].primary_host == host
    by_name = await service.page(platform_door, Filter.read(f"Name {some} 1", [], ""), None, 50)
    assert len(by_name.lines) == 11
    for odd in ("%", "_", "\\", "name' --", "\U0010ffff"):
        assert (await service.page(platform_door, Filter(search=odd), None, 10)).lines == []


async def test_what_is_no_place_in_a_list_is_refused(platform_door, some):
    for text in ("x", "YQ", "é", "A" * 300):
        with pytest.raises(CursorInvalid):
            Cursor.read(text)
    page = await service.page(platform_door, Filter(search=some), None, 3)
    cursor = Cursor.read(page.following.write())
    assert cursor == page.following
    with pytest.raises(CursorInvalid):
        await service.page(platform_door, Filter(sort="users"), cursor, 3)


@pytest.mark.spec("features D03", "features CR-9")
async def test_people_and_tenants_are_counted_as_they_come_and_go(platform_door, make_tenant):
    before = (await service.overview(platform_door)).totals
    house = await make_tenant()
    slug = house.tenant.slug

    async def users():
        return (await service.get(platform_door, slug)).users

    assert await users() == 2
    async with house.tenant.transaction() as db:
        await accounts.create(db, username="one-more")
    assert await users() == 3
    with contextlib.suppress(UserExists):
        async with house.tenant.transaction() as db:
            await accounts.create(db, username="taken-back")
            await accounts.create(db, username="one-more")
    assert await users() == 3
    async with platform_door.within(house.tenant.id) as db:
        await accounts.store.disable(db, house.person.id)  # counted all the same
    assert await users() == 3
    assert (await service.overview(platform_door)).totals["active"] == before["active"] + 1
    await tenants.set_status(platform_door, slug, "suspended")
    totals = (await service.overview(platform_door)).totals
    assert totals["active"] == before["active"]
    assert totals["suspended"] == before["suspended"] + 1
    assert (await service.impact(platform_door, house.tenant.id)).users == 3


async def test_changes_of_status_at_once_are_all_counted(platform_door, some):
    before = (await service.overview(platform_door)).totals
    chosen = slugs(some, 11, 12, 13, 14)

    async def turn(slug):
        await tenants.set_status(platform_door, slug, "suspended")
        await tenants.set_status(platform_door, slug, "active")

    await asyncio.gather(*map(turn, chosen))

    assert (await service.overview(platform_door)).totals == before


@pytest.mark.spec("features D05")
async def test_opening_the_people_of_a_tenant_is_written_at_both_ends(
    platform_door, envelope, rotation, make_tenant, houses
):
    await tenants.ensure_special(platform_door, envelope, rotation)
    house, home = await make_tenant(), await houses.find(PLATFORMS)
    actor = Actor("platform", str(uuid4()))
    line = await service.get(platform_door, house.tenant.slug)
    first, _ = await service.open_users(platform_door, home.id, line, actor, limit=1)
    second, _ = await service.open_users(
        platform_door, home.id, line, actor, after=first[0].username, limit=1
    )

    assert [u.username for u in (*first, *second)] == sorted(
        [house.person.username, house.admin.username]
    )
    for tenant in (home, house.tenant):
        async with tenant.transaction() as db:
            lines = [row for row in await audit.newest(db) if row.actor_id == actor.id]
        assert [row.event for row in lines] == ["tenant.viewed_by_platform"] * 2


@pytest.mark.spec("features D06", "features W03")
async def test_what_the_platform_does_stands_in_both_records(
    platform_door, envelope, rotation, make_tenant, houses
):
    await tenants.ensure_special(platform_door, envelope, rotation)
    house, home = await make_tenant(), await houses.find(PLATFORMS)
    actor = Actor("platform", str(uuid4()))
    slug, name = house.tenant.slug, house.tenant.display_name
    await tenants.rename(platform_door, slug, "Newly named", actor, before=name)
    with pytest.raises(ChangedMeanwhile) as refusal:
        await tenants.rename(platform_door, slug, "Too late", actor, before=name)

    assert refusal.value.present == "Newly named"
    for tenant in (home, house.tenant):
        async with tenant.transaction() as db:
            lines = [row for row in await audit.newest(db) if row.actor_id == actor.id]
        assert [(row.event, row.target_id) for row in lines] == [("tenant.updated", slug)]


async def test_a_tenant_that_does_not_exist_is_not_found(platform_door):
    with pytest.raises(NoSuchTenant):
        await service.get(platform_door, "nobody-of-that-name")


@pytest.mark.spec("features B05", "security 3.3")
async def test_a_tenant_sees_its_own_count_and_no_total(two_houses):
    a, _ = two_houses
    async with a.tenant.transaction() as db:
        rows = (await db.exec_driver_sql("select id from insula.tenant_counters")).all()
        assert [row.id for row in rows] == [a.tenant.id]
    for forbidden in (
        "update insula.tenant_counters set users = 0",
        "select * from insula.tenant_totals",
        "select insula.keys_of_tenants(array[gen_random_uuid()])",
    ):
        with pytest.raises(Exception, match="permission denied"):
            async with a.tenant.transaction() as db:
                await db.exec_driver_sql(forbidden)
