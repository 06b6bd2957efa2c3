"""The list that begins with what needs attention, and what it says is wrong."""

import secrets
from dataclasses import replace

import psycopg
import pytest

from insula.registry import need, service, store
from insula.registry.errors import CursorInvalid
from insula.registry.models import STATUSES, Cursor, Filter

LATE, FAILS, LAPSED, PRIMARY, IN_TIME, CLAIMS = 20, 12, 13, 14, 15, 16


@pytest.fixture(scope="module")
def some(database):
    """Thirty tenants of one prefix; five of them ail, one is archived and late as well."""
    word = f"n{secrets.token_hex(4)}"
    with psycopg.connect(database.superuser, autocommit=True) as db:
        db.execute(
            """
            insert into insula.tenants (id, slug, display_name, created_at, status)
            select gen_random_uuid(), %(word)s || '-' || lpad(n::text, 2, '0'),
                   'Name ' || %(word)s || ' ' || n,
                   now() - make_interval(hours => 31 - n),
                   case when n %% 10 = 0 then 'suspended' when n = 7 then 'archived'
                        when n = 25 then 'deleting' else 'active' end
              from generate_series(1, 30) n
            """,
            {"word": word},
        )

        def key(n, due):
            db.execute(
                """insert into insula.signing_keys
                     (tenant_id, kid, alg, state, public_jwk, sealed, due_at)
                   select id, gen_random_uuid(), 'ES256', 'active', '{}', '\\x00',
                          now() + cast(%s as interval)
                     from insula.tenants where slug = %s""",
                [due, f"{word}-{n:02}"],
            )

        def domain(n, *, failures=1, primary=False, lapsed=False, held=True):
            host = f"login.{word}-{n}.example"
            of = "from insula.tenants where slug = %s"
            db.execute(
                "insert into insula.host_proofs (tenant_id, host, method, token, failures)"
                f" select id, %s, 'dns', %s, %s {of}",
                [host, secrets.token_hex(20), failures, f"{word}-{n:02}"],
            )
            if held:
                db.execute(
                    "insert into insula.tenant_hosts (tenant_id, host, is_primary, lapsed_at)"
                    f" select id, %s, %s, case when %s then now() end {of}",
                    [host, primary, lapsed, f"{word}-{n:02}"],
                )

        key(LATE, "-2 hours")
        key(7, "-2 hours")
        key(IN_TIME, "-20 minutes")
        domain(FAILS)
        key(FAILS, "-2 hours")
        domain(LAPSED, lapsed=True)
        domain(PRIMARY, primary=True)
        domain(IN_TIME, failures=0)
        domain(LATE, failures=0, held=False)
        domain(CLAIMS, held=False)
        yield word
        db.execute("delete from insula.tenants where slug like %s", [f"{word}-%"])


def slugs(word, *numbers):
    return [f"{word}-{n:02}" for n in numbers]


async def walk(platform, wanted, limit):
    """Every slug on the way forward, and the last page."""
    found, cursor = [], None
    while True:
        page = await service.page(platform, wanted, cursor, limit)
        found += [line.slug for line in page.lines]
        if page.following is None:
            return found, page
        cursor = Cursor.read(page.following.write())


ORDER = (FAILS, LAPSED, PRIMARY, LATE, 25, 10, 30)


@pytest.mark.spec("features UI-2", "features D03")
@pytest.mark.parametrize("limit", [1, 4, 7, 100])
async def test_a_list_begins_with_what_needs_attention(platform_door, some, limit):
    rest = [n for n in range(1, 31) if n not in (*ORDER, 7)]
    wanted = Filter(some, sort="attention")
    found, page = await walk(platform_door, wanted, limit)
    assert found == slugs(some, *ORDER, *rest)

    back = []
    while page.previous:
        page = await service.page(platform_door, wanted, page.previous, limit)
        back = [line.slug for line in page.lines] + back
    assert back == found[: len(back)]
    assert 0 <= len(found) - len(back) <= limit

    everything, _ = await walk(platform_door, replace(wanted, statuses=STATUSES), limit)
    assert everything == slugs(some, *ORDER, *rest, 7)


@pytest.mark.spec("features UI-2", "features D03")
@pytest.mark.parametrize("sort", ["attention", "slug", "newest", "users", "activity"])
async def test_a_list_is_narrowed_to_what_needs_attention(platform_door, some, sort):
    wanted = Filter(some, sort=sort, in_need=True)
    found, page = await walk(platform_door, wanted, 3)
    assert sorted(found) == slugs(some, FAILS, LAPSED, PRIMARY, LATE)
    assert page.total is None
    suspended, _ = await walk(platform_door, replace(wanted, statuses=("suspended",)), 3)
    assert suspended == slugs(some, LATE)
    of_all, _ = await walk(platform_door, replace(wanted, search=""), 100)
    assert set(found) <= set(of_all)
    taken = [line.slug async for lines in service.batches(platform_door, wanted) for line in lines]
    assert sorted(taken) == sorted(found)


@pytest.mark.spec("features UI-2", "features D03")
@pytest.mark.parametrize("sort", ["attention", "slug", "newest"])
async def test_those_in_need_are_all_found_however_many_others_are_named_alike(
    platform_door, some, monkeypatch, sort
):
    monkeypatch.setattr(store, "MOST_FOUND", 1)
    monkeypatch.setattr(service, "MOST_SORTED", 1)

    async def found(search):
        wanted = Filter(search, sort=sort, in_need=True)
        page = await service.page(platform_door, wanted, None, 100)
        assert page.sort == sort
        return sorted(line.slug for line in page.lines if line.slug.startswith(some))

    every = slugs(some, FAILS, LAPSED, PRIMARY, LATE)
    assert await found(some) == every
    assert await found(f"name {some}") == every
    assert await found(f"name {some} {FAILS}") == slugs(some, FAILS)
    assert await found(f"login.{some}-") == every
    assert await found(f"login.{some}-{LAPSED}") == slugs(some, LAPSED)
    assert await found(f"nobody {some}") == []


@pytest.mark.spec("features D03")
async def test_what_is_wrong_is_said_of_each_and_counted(platform_door, some):
    wanted = Filter(some)
    lines = (await service.page(platform_door, wanted, None, 100)).lines
    said = await need.ailments(platform_door, lines)
    by_slug = {line.slug: said[line.id] for line in lines if line.id in said}
    facts = {
        slug: [(a.host, a.is_primary, a.has_lapsed) for a in ailments]
        for slug, ailments in by_slug.items()
    }
    assert facts == dict(
        zip(
            slugs(some, FAILS, LAPSED, PRIMARY, LATE),
            (
                [(None, False, False), (f"login.{some}-{FAILS}.example", False, False)],
                [(f"login.{some}-{LAPSED}.example", False, True)],
                [(f"login.{some}-{PRIMARY}.example", True, False)],
                [(None, False, False)],
            ),
            strict=True,
        )
    )
    counts = [
        (
            await service.page(platform_door, Filter(statuses=(each,), sort="attention"), None, 1)
        ).in_need
        for each in ("active", "suspended", "archived")
    ]
    assert counts[0] >= 3
    assert counts[1] >= 1
    assert counts[2] == 0
    for uncounted in (
        wanted,
        replace(wanted, sort="attention"),
    ):  # of all, and not of what is found
        assert (await service.page(platform_door, uncounted, None, 1)).in_need is None


async def test_a_place_in_another_list_is_no_place_in_this_one(platform_door, some):
    page = await service.page(platform_door, Filter(some), None, 3)
    with pytest.raises(CursorInvalid):
        await service.page(platform_door, Filter(some, sort="attention"), page.following, 3)
    lived = await service.page(platform_door, Filter(some, sort="attention"), None, 10)
    assert lived.following.mark.startswith("active:")
    with pytest.raises(CursorInvalid):
        await service.page(
            platform_door, Filter(some, ("suspended",), "attention"), lived.following, 3
        )


@pytest.mark.spec("features UI-2", "features D03")
async def test_what_a_search_finds_is_sorted_unless_it_is_very_much(
    platform_door, some, monkeypatch
):
    newest, _ = await walk(platform_door, Filter(some, sort="newest"), 4)
    assert newest == slugs(some, *(n for n in range(30, 0, -1) if n != 7))
    by_users = await service.page(platform_door, Filter(some, sort="users"), None, 4)
    assert by_users.sort == "users"

    monkeypatch.setattr(service, "MOST_SORTED", 28)
    many = await service.page(platform_door, Filter(some, sort="users"), None, 4)
    assert many.sort == "slug"
    assert [line.slug for line in many.lines] == slugs(some, 1, 2, 3, 4)
    few = await service.page(platform_door, Filter(f"{some}-1", sort="users"), None, 4)
    assert few.sort == "users"
