"""Tenants by the thousand for measurements: thirty of them here."""

import json
import secrets

import pytest
from serving import with_password_file
from typer.testing import CliRunner

from insula.accounts import service as accounts
from insula.clients import service as clients
from insula.platform.cli.main import app
from insula.registry import service as registry
from insula.registry.models import Filter

MANY = 30


@pytest.fixture(scope="module")
def run(product):
    """Run `insula seed` against the running product, as its owner may; what it answers."""
    owner = product.server.environment["INSULA_DATABASE_URL"].replace(
        "insula_app:insula_app", "insula_owner:insula_owner"
    )
    variables = {
        name: text
        for name, text in product.server.environment.items()
        if name.startswith("INSULA_")
    }

    def run(*words, status=0, **more):
        found = {**variables, "INSULA_DATABASE_OWNER_URL": owner, **more}
        done = CliRunner().invoke(app, ["seed", *words, "--json"], env=found)
        assert done.exit_code == status, done.output
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def seeded(product, run):
    """What the command said that made thirty, and what was counted; they are gone afterwards."""
    before = totals(product)
    answer = run("--tenants", str(MANY))
    yield {**answer, "counted": totals(product)["active"] - before["active"]}
    run("--remove")


def ours(product):
    """The seeded tenants, with what is kept of each."""
    return product.rows("""
        select t.id, t.version, c.users
          from insula.tenants t join insula.tenant_counters c using (id)
         where slug ~ '^bench-[0-9]{6}$' order by slug
    """)


def others(product):
    return product.rows(
        "select id from insula.tenants where slug !~ '^bench-[0-9]{6}$' order by id"
    )


def totals(product):
    return {row.status: row.n for row in product.rows("select status, n from insula.tenant_totals")}


def shapes(product, slug):
    """Of each row of a tenant: its table and which columns hold something; its record in words."""
    tenant_id = product.tenant_id(slug)
    tables = product.rows(
        "select distinct table_name as name from information_schema.columns"
        " where table_schema = 'insula' and column_name = 'tenant_id'"
        " and table_name not like 'audit_events%%'"
    )
    found = [
        (table.name, tuple(sorted(name for name, value in row.row.items() if value is not None)))
        for table in tables
        for row in product.rows(
            f"select to_jsonb(x) as row from insula.{table.name} x where tenant_id = %s",  # noqa: S608  (a table of ours)
            tenant_id,
        )
    ]
    record = product.rows(
        "select event, status, actor_type, target_type, metadata from insula.audit_events"
        " where tenant_id = %s",
        tenant_id,
    )
    found += [(*row[:4], tuple(sorted(row.metadata))) for row in record]
    return sorted(found)


@pytest.mark.spec("features CR-15")
def test_a_seeded_tenant_has_what_a_created_one_has(product, seeded):
    assert (seeded["made"], seeded["present"]) == (MANY, 0)
    slug = f"made-{secrets.token_hex(4)}"
    product.tenant(slug)

    async def people(db):
        for name in ("user-1", "user-2"):
            email = f"{name}@{slug}.example"
            await accounts.create(db, username=name, email=email, display_name=name)

    async def client(here):
        wanted = {"grant_types": ("client_credentials",), "scopes": ("reports:read",)}
        metadata = clients.parse_metadata(wanted, development=True)
        await clients.register(await here.tenant(slug), "client-1", metadata, client_id="client-1")

    product.in_transaction(slug, people)
    product.backstage.run(client)

    assert shapes(product, "bench-000029") == shapes(product, slug)


@pytest.mark.spec("features CR-3", "features CR-15")
def test_kept_counts_are_right_and_the_list_finds_them(product, seeded):
    assert [row.users for row in ours(product)] == [2] * MANY
    assert seeded["counted"] == MANY
    page = product.backstage.run(
        lambda here: registry.page(here.platform, Filter(search="bench-00002"), None, 25)
    )
    assert [line.slug for line in page.lines] == [f"bench-{n:06}" for n in range(20, 30)]


@pytest.mark.spec("features CR-15")
def test_a_seeded_tenant_serves_and_its_client_gets_a_token(product, seeded):
    first = seeded["first"]
    with product.http() as http:
        found = http.get(product.url(first["tenant"], "/.well-known/openid-configuration"))
        answers = [
            http.post(
                product.url(slug, "/oauth2/token"),
                data={"grant_type": "client_credentials"},
                auth=(first["client_id"], first["client_secret"]),
            )
            for slug in (first["tenant"], "bench-000001")
        ]
    assert found.json()["issuer"] == product.issuer(first["tenant"])
    assert answers[0].json()["scope"] == "reports:read"
    assert answers[1].status_code == 401, "each tenant's client has a secret of its own"


@pytest.mark.spec("features CR-15")
def test_seeding_again_makes_what_is_missing_and_nothing_else(product, run, seeded):  # noqa: ARG001  (made by it)
    there = ours(product)
    again = run("--tenants", str(MANY + 2), "--users", "0", "--clients", "0")
    assert (again["made"], again["present"]) == (2, MANY)
    assert again["first"]["client_secret"] is None
    assert ours(product)[:MANY] == there


def test_production_refuses_and_does_nothing(product, run, seeded, tmp_path):  # noqa: ARG001  (made by it)
    there = ours(product)
    urls = [product.server.environment[f"INSULA_DATABASE_{kind}URL"] for kind in ("", "PLATFORM_")]
    safe = with_password_file(*urls, tmp_path)
    production = {
        **safe,
        "INSULA_DATABASE_OWNER_URL": safe["INSULA_DATABASE_URL"].replace("_app@", "_owner@"),
        "INSULA_ENV": "production",
        "INSULA_BASE_DOMAIN": "auth.example",
        "INSULA_PUBLIC_PORT": None,
        "INSULA_SECRETS_KEY": secrets.token_urlsafe(32),
        "INSULA_HMAC_KEY": secrets.token_urlsafe(32),
        "INSULA_TRUSTED_PROXIES": "127.0.0.0/8",
        "INSULA_PROXY_SECRET": secrets.token_urlsafe(32),
    }
    for words in (("--tenants", "40"), ("--remove",)):
        refused = run(*words, status=1, **production)
        assert (refused["error"], "measurements" in refused["detail"]) == (
            "validation_failed",
            True,
        )
    assert ours(product) == there


def test_all_of_them_go_and_nobody_else(product, run, seeded):  # noqa: ARG001  (made by it)
    product.tenant("bench-mark")
    gone, staying = [row.id for row in ours(product)], others(product)

    assert run("--remove") == {"removed": len(gone)}

    assert (ours(product), others(product)) == ([], staying)
    for table in ("users", "clients", "signing_keys", "tenant_data_keys", "audit_events"):
        left = product.rows(f"select from insula.{table} where tenant_id = any(%s)", gone)
        assert left == [], table
    (counted,) = product.rows("select count(*) as n from insula.tenants where not protected")
    assert sum(totals(product).values()) == counted.n
    assert run("--tenants", "1")["made"] == 1, "the slugs are free again"
