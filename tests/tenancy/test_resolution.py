"""A request names exactly one tenant, or is told exactly why not (features.md A04 to A08)."""

from uuid import uuid4

import pytest

from insula.tenancy.db import Tenant
from insula.tenancy.directory import Directory
from insula.tenancy.models import (
    DEFAULT,
    DEFAULT_TENANT_ID,
    OPS,
    PLATFORMS,
    Naming,
    is_slug,
)
from insula.tenancy.resolution import Disagreement, Resolver, Rules, Unresolved

BASE = "auth.example.com"


class Town:
    """A registry in memory, and a resolver over it."""

    def __init__(self):
        self.tenants = {}
        self.asked = []
        for slug in (DEFAULT, PLATFORMS, OPS, "acme", "globex", "under_score"):
            self.add(slug)
        self.add("initech", "suspended")
        self.add("hooli", "archived")
        self.tenants["host:login.acme.example"] = self.tenants["slug:acme"]

    def add(self, slug, status="active"):
        self.tenants[f"slug:{slug}"] = Tenant(
            id=DEFAULT_TENANT_ID if slug == DEFAULT else uuid4(),
            slug=slug, display_name=slug, status=status, version=1, hosts=(),
            host=f"{slug}.{BASE}", issuer=f"https://{slug}.{BASE}", _doors=None,
        )  # fmt: skip

    async def lookup(self, name):
        self.asked.append(name)
        return self.tenants.get(name)

    def resolver(self, **rules):
        naming = Naming(BASE, multi_tenant=rules.pop("multi_tenant", True))
        rules = {"environment": "production", **rules}
        return Resolver(Rules(naming, **rules), Directory(self.lookup))


@pytest.fixture
def town():
    return Town()


@pytest.fixture
def resolve(town):
    async def resolve(host=None, header=None, *, trusted=True, headers=(), **rules):
        sent = [*headers]
        if host is not None:
            sent.append((b"host", host.encode("latin-1")))
        if header is not None:
            sent.append((b"x-tenant-id", header.encode("latin-1")))
        resolver = town.resolver(**rules)
        return (await resolver.resolve(resolver.host(sent), sent, trusted=trusted)).slug

    return resolve


@pytest.fixture
def refused(resolve):
    async def refused(*args, **kwargs):
        with pytest.raises(Unresolved) as refusal:
            await resolve(*args, **kwargs)
        return refusal.value.status, refusal.value.code

    return refused


@pytest.mark.spec("features A04")
@pytest.mark.parametrize(
    ("host", "slug"),
    [
        (f"acme.{BASE}", "acme"),
        (f"ACME.{BASE}.:443", "acme"),
        (f"under_score.{BASE}", "under_score"),
        (f"platform.{BASE}", PLATFORMS),
        (f"_platforms.{BASE}", PLATFORMS),
        ("login.acme.example", "acme"),
        ("login.acme.example:8443", "acme"),
    ],
)
async def test_a_host_names_its_tenant(resolve, host, slug):
    assert await resolve(host) == slug


@pytest.mark.spec("features A05")
@pytest.mark.parametrize(
    ("host", "answer"),
    [
        (None, (400, "tenant_required")),
        ("", (400, "tenant_required")),
        (BASE, (400, "tenant_required")),
        ("127.0.0.1:8000", (400, "tenant_required")),
        ("[::1]:8000", (400, "tenant_required")),
        (f"-acme.{BASE}", (400, "tenant_invalid")),
        (f"_acme.{BASE}", (400, "tenant_invalid")),
        (f"_system.{BASE}", (400, "tenant_invalid")),
        (f"acme{BASE}x:99999", (400, "tenant_invalid")),
        (f"http://acme.{BASE}", (400, "tenant_invalid")),
        (f"acme.{BASE}, globex.{BASE}", (400, "tenant_invalid")),
        (f"nobody.{BASE}", (404, "tenant_not_found")),
        (f"a.acme.{BASE}", (404, "tenant_not_found")),
        (f"acme.{BASE}.evil.example", (404, "tenant_not_found")),
        (f"acme-{BASE}", (404, "tenant_not_found")),
        ("login.globex.example", (404, "tenant_not_found")),
        (f"ops.{BASE}", (404, "tenant_not_found")),
        (f"_ops.{BASE}", (404, "tenant_not_found")),
        (f"initech.{BASE}", (403, "tenant_not_active")),
        (f"hooli.{BASE}", (403, "tenant_not_active")),
    ],
)
async def test_what_names_no_tenant_gets_its_exact_refusal(refused, host, answer):
    assert await refused(host) == answer
    assert await refused(host, environment="staging") == answer


async def test_an_ill_formed_name_is_refused_without_asking_anybody(town, refused):
    for host in (f"-acme.{BASE}", f"_acme.{BASE}", "acme..example"):
        await refused(host)
    await refused(header="-acme")
    assert town.asked == []


async def test_two_host_headers_are_refused(refused):
    twice = [(b"host", f"acme.{BASE}".encode())]
    assert await refused(f"acme.{BASE}", headers=twice) == (400, "tenant_invalid")


@pytest.mark.spec("features A08", "security decision 3")
async def test_nobodys_custom_domain_stands_before_a_tenants_own_host(town, resolve):
    town.tenants[f"host:acme.{BASE}"] = town.tenants["slug:globex"]
    town.tenants[f"host:platform.{BASE}"] = town.tenants["slug:globex"]
    assert await resolve(f"acme.{BASE}") == "acme"
    assert await resolve(f"platform.{BASE}") == PLATFORMS


async def test_a_custom_domain_under_the_base_that_is_no_slug_is_found(town, resolve):
    town.tenants[f"host:customers.{BASE}"] = town.tenants["slug:globex"]
    assert await resolve(f"customers.{BASE}") == "globex"


@pytest.mark.spec("features A04", "security decision 3")
async def test_the_header_counts_from_a_trusted_peer(resolve):
    assert await resolve(None, "acme") == "acme"
    assert await resolve(BASE, "acme") == "acme"
    assert await resolve(f"acme.{BASE}", "acme") == "acme"
    assert await resolve("unknown.example", "acme") == "acme"
    assert await resolve(f"nobody.{BASE}", "acme") == "acme"
    assert await resolve(None, PLATFORMS) == PLATFORMS


async def test_the_header_of_a_stranger_is_ignored(resolve, refused):
    assert await resolve(f"acme.{BASE}", "globex", trusted=False) == "acme"
    assert await resolve(f"acme.{BASE}", "!!", trusted=False) == "acme"
    assert await refused(None, "acme", trusted=False) == (400, "tenant_required")
    twice = [(b"x-tenant-id", b"globex")]
    assert await resolve(f"acme.{BASE}", "globex", trusted=False, headers=twice) == "acme"


@pytest.mark.parametrize("header", ["globex", "nobody", "initech"])
async def test_header_and_host_that_disagree_are_refused_and_the_host_is_told(town, header):
    resolver = town.resolver()
    headers = [(b"host", f"acme.{BASE}".encode()), (b"x-tenant-id", header.encode())]
    with pytest.raises(Disagreement) as refusal:
        await resolver.resolve(resolver.host(headers), headers, trusted=True)
    assert (refusal.value.status, refusal.value.code) == (400, "tenant_mismatch")
    assert refusal.value.tenant.slug == "acme"


@pytest.mark.parametrize(
    ("header", "answer"),
    [
        ("nobody", (404, "tenant_not_found")),
        (OPS, (404, "tenant_not_found")),
        ("ops", (404, "tenant_not_found")),
        ("initech", (403, "tenant_not_active")),
        ("", (400, "tenant_invalid")),
        ("Acme", (400, "tenant_invalid")),
        ("acme,globex", (400, "tenant_invalid")),
        ("acme\xff", (400, "tenant_invalid")),
        ("host:login.acme.example", (400, "tenant_invalid")),
        ("a" * 64, (400, "tenant_invalid")),
    ],
)
async def test_a_header_that_names_no_tenant_gets_its_exact_refusal(refused, header, answer):
    assert await refused(None, header) == answer


async def test_a_trusted_header_that_is_sent_twice_is_refused(refused):
    twice = [(b"x-tenant-id", b"acme")]
    assert await refused(None, "acme", headers=twice) == (400, "tenant_invalid")


async def test_a_strategy_that_is_off_is_not_asked(resolve, refused):
    assert await resolve(f"acme.{BASE}", "globex", priority=("subdomain",)) == "acme"
    assert await resolve(f"acme.{BASE}", "globex", priority=("header",)) == "globex"
    assert await refused(f"acme.{BASE}", priority=("header",)) == (400, "tenant_required")


@pytest.mark.spec("features A05", "features A11")
async def test_development_falls_back_to_the_default_tenant_where_nothing_is_named(
    resolve, refused
):
    for host in (None, BASE, "localhost:8000", "127.0.0.1:8000", "[::1]"):
        assert await resolve(host, environment="development") == DEFAULT
    for host in (f"nobody.{BASE}", "unknown.example"):
        assert await refused(host, environment="development") == (404, "tenant_not_found")


@pytest.mark.spec("features A01")
async def test_a_single_tenant_installation_has_one_tenant_on_every_host(resolve, refused, town):
    for host in (None, BASE, f"acme.{BASE}", "unknown.example"):
        assert await resolve(host, multi_tenant=False) == DEFAULT
    assert await resolve(f"acme.{BASE}", "globex", multi_tenant=False) == DEFAULT
    town.add(DEFAULT, "suspended")
    assert await refused(BASE, multi_tenant=False) == (403, "tenant_not_active")


def test_the_ops_gateway_is_known_by_its_host_alone(town):
    resolver = town.resolver()
    assert resolver.is_ops(f"ops.{BASE}")
    assert resolver.is_ops(f"_ops.{BASE}")
    for host in (None, "ops", "ops.example", f"x.ops.{BASE}", BASE, f"acme.{BASE}"):
        assert not resolver.is_ops(host)


@pytest.mark.spec("features A06")
@pytest.mark.parametrize("slug", ["a", "7", "acme", "a-b_c", "a" * 63, "acme-", OPS, PLATFORMS])
def test_what_could_name_a_tenant(slug):
    assert is_slug(slug)


@pytest.mark.parametrize(
    "slug", ["", "-a", "_a", "A", "a" * 64, "a.b", "a b", "a\n", "\u00fc", "_system", "_ops "]
)
def test_what_could_not(slug):
    assert not is_slug(slug)


@pytest.mark.spec("features A13")
def test_hosts_and_issuers_come_from_configuration():
    naming = Naming(BASE)
    assert naming.host("acme") == f"acme.{BASE}"
    assert naming.host(PLATFORMS) == f"platform.{BASE}"
    assert naming.host(OPS) == f"ops.{BASE}"
    assert naming.host(DEFAULT) == BASE
    assert naming.origin(f"acme.{BASE}") == f"https://acme.{BASE}"
    assert Naming(BASE, port=443).origin(BASE) == f"https://{BASE}"
    assert Naming("localhost", scheme="http", port=8000).origin("localhost") == (
        "http://localhost:8000"
    )
