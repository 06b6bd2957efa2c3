"""The directory asks once, remembers what is known, and never longer than it is true."""

import asyncio
from uuid import uuid4

import pytest

from insula.kernel.errors import Unavailable
from insula.tenancy.db import Tenant
from insula.tenancy.directory import Directory


def tenant(slug="acme", version=1, tenant_id=None):
    return Tenant(
        id=tenant_id or uuid4(),
        slug=slug,
        display_name=slug.title(),
        status="active",
        version=version,
        hosts=(),
        host=f"{slug}.localhost",
        issuer=f"http://{slug}.localhost",
        _doors=None,
    )


class Registry:
    """Answers when it is let, and counts how often it was asked."""

    def __init__(self):
        self.answers = {}
        self.asked = []
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self, name):
        self.asked.append(name)
        answer = self.answers.get(name)  # what was true when the question was put
        await self.go.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer


async def settle():
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
def directory(registry):
    return Directory(registry, unknown_for=0.05)


async def test_a_known_name_is_asked_for_once(registry, directory):
    registry.answers["slug:acme"] = acme = tenant()
    assert await directory.find("slug:acme") is acme
    assert await directory.find("slug:acme") is acme
    assert directory.known("slug:acme") is acme
    assert registry.asked == ["slug:acme"]


async def test_a_hundred_who_ask_at_once_are_one_question(registry, directory):
    registry.answers["slug:acme"] = acme = tenant()
    registry.go.clear()
    finds = [asyncio.create_task(directory.find("slug:acme")) for _ in range(100)]
    await settle()
    registry.go.set()
    assert set(map(id, await asyncio.gather(*finds))) == {id(acme)}
    assert registry.asked == ["slug:acme"]


async def test_an_unknown_name_is_remembered_for_a_while_only(registry, directory):
    assert await directory.find("slug:made-up") is None
    assert await directory.find("slug:made-up") is None
    assert len(registry.asked) == 1
    registry.answers["slug:made-up"] = found = tenant("made-up")
    await asyncio.sleep(0.06)
    assert await directory.find("slug:made-up") is found


async def test_a_flood_of_made_up_names_does_not_grow_without_end(registry):
    directory = Directory(registry, unknown_for=60, unknown_size=10)
    for n in range(50):
        assert await directory.find(f"slug:made-up-{n}") is None
    assert len(directory._unknown) <= 10  # noqa: SLF001  (memory is what this is about)
    assert len(directory) == 0


async def test_the_directory_is_bounded(registry):
    directory = Directory(registry, size=5)
    for n in range(20):
        registry.answers[f"slug:t{n}"] = tenant(f"t{n}")
        await directory.find(f"slug:t{n}")
    assert len(directory) == 5


async def test_a_caller_who_goes_away_does_not_end_the_lookup(registry, directory):
    registry.answers["slug:acme"] = acme = tenant()
    registry.go.clear()
    first, second = (asyncio.create_task(directory.find("slug:acme")) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    registry.go.set()
    assert await second is acme
    with pytest.raises(asyncio.CancelledError):
        await first
    assert registry.asked == ["slug:acme"]


async def test_the_lookup_goes_on_though_nobody_waits_any_more(registry, directory):
    registry.answers["slug:acme"] = acme = tenant()
    registry.go.clear()
    only = asyncio.create_task(directory.find("slug:acme"))
    await settle()
    only.cancel()
    registry.go.set()
    await asyncio.sleep(0.01)
    assert directory.known("slug:acme") is acme


async def test_an_outage_is_told_and_not_remembered(registry, directory):
    registry.answers["slug:acme"] = Unavailable("away")
    with pytest.raises(Unavailable):
        await directory.find("slug:acme")
    registry.answers["slug:acme"] = acme = tenant()
    assert await directory.find("slug:acme") is acme


async def test_who_is_known_stays_known_through_an_outage(registry, directory):
    registry.answers["slug:acme"] = acme = tenant()
    await directory.find("slug:acme")
    registry.answers["slug:acme"] = Unavailable("away")
    assert await directory.find("slug:acme") is acme


async def test_forgetting_a_tenant_forgets_all_its_names_and_no_others(registry, directory):
    acme, globex = tenant(), tenant("globex")
    registry.answers = {
        "slug:acme": acme, "host:login.acme.example": acme, "slug:globex": globex,
    }  # fmt: skip
    for name in registry.answers:
        await directory.find(name)
    directory.forget(acme.id)
    assert directory.known("slug:acme") is directory.known("host:login.acme.example") is None
    assert directory.known("slug:globex") is globex
    assert tuple(directory.tenants()) == (globex.id,)
    directory.forget_all()
    assert len(directory) == 0


async def test_forgetting_lets_a_new_tenant_appear_at_once(registry):
    directory = Directory(registry, unknown_for=60)
    assert await directory.find("host:login.acme.example") is None
    registry.answers["host:login.acme.example"] = acme = tenant()
    directory.forget(acme.id)
    assert await directory.find("host:login.acme.example") is acme


@pytest.mark.parametrize("forget", [lambda d, t: d.forget(t.id), lambda d, _: d.forget_all()])
async def test_an_answer_from_before_a_change_is_not_remembered(registry, directory, forget):
    old = tenant(version=1)
    new = tenant(version=2, tenant_id=old.id)
    registry.answers["slug:acme"] = old
    registry.go.clear()
    before = asyncio.create_task(directory.find("slug:acme"))
    await settle()
    registry.answers["slug:acme"] = new
    forget(directory, old)
    after = asyncio.create_task(directory.find("slug:acme"))
    await settle()
    registry.go.set()
    assert await before is old  # asked before the change: an honest answer to that moment
    assert await after is new  # asked after it: never joins the question of before
    assert await directory.find("slug:acme") is new
    assert directory.version(old.id) == 2


async def test_a_no_from_before_a_change_is_not_remembered(registry):
    directory = Directory(registry, unknown_for=60)
    registry.go.clear()
    before = asyncio.create_task(directory.find("slug:acme"))
    await settle()
    registry.answers["slug:acme"] = acme = tenant()
    directory.forget(acme.id)
    registry.go.set()
    assert await before is None
    assert await directory.find("slug:acme") is acme


async def test_tenants_come_from_the_database_with_issuer_and_hosts(make_tenant, doors, naming):
    domain = f"login.{uuid4().hex}.example"
    house = await make_tenant(domain=domain)
    plain = await make_tenant()
    directory = Directory.over(doors, naming)
    found = await directory.find(f"host:{domain}")
    assert found.id == house.tenant.id
    assert found.hosts == (domain,)
    assert found.host == domain
    assert found.issuer == f"http://{domain}:8000"
    assert plain.tenant.issuer == f"http://{plain.tenant.slug}.localhost:8000"
