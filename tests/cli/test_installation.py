"""Commands about the installation itself: configuration, migrations, checks, starts."""

import asyncio
import json
import re
import secrets
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from cluster import create_database
from foundation import DatabaseUrls
from serving import SECRETS_KEY, cli, environment

from insula.kernel.crypto import Envelope, parse_key
from insula.platform.embedded.ports import free_port
from insula.platform.migrations import head, migrate
from insula.tenants import service as tenants


def test_what_is_logged_stays_out_of_what_is_answered(run, monkeypatch):
    monkeypatch.setenv("INSULA_REDIS_URL", "redis://127.0.0.1:1/0")

    made = run("tenant", "create", f"t-{secrets.token_hex(5)}", "--json")

    assert made.json["slug"]
    assert "events.publish_failed" in made.err


def test_all_mistakes_of_a_configuration_are_told_at_once(run, monkeypatch):
    monkeypatch.setenv("INSULA_PORT", "eighty")
    monkeypatch.setenv("INSULA_SECRETS_KEY", "short")
    monkeypatch.setenv("INSULA_BASEDOMAIN", "example.com")
    monkeypatch.delenv("INSULA_HMAC_KEY")

    done = run("config")

    assert done.status == 2
    for name in ("INSULA_PORT", "INSULA_SECRETS_KEY", "INSULA_BASEDOMAIN", "INSULA_HMAC_KEY"):
        assert name in done.err
    assert "short" not in done.err.replace("shorter", "")
    assert run("config", "--json").json["error"] == "configuration"


@pytest.mark.parametrize("command", [("serve",), ("check",), ("tenant", "list"), ("worker",)])
def test_no_command_runs_on_a_bad_configuration(run, monkeypatch, command):
    monkeypatch.setenv("INSULA_PORT", "eighty")

    done = run(*command)

    assert done.status == 2
    assert "INSULA_PORT" in done.out + done.err


def test_the_configuration_is_shown_without_its_secrets(run, insula, variables):
    rows = {row["variable"]: row for row in insula("config")}
    text = run("config").out

    assert rows["INSULA_BASE_DOMAIN"] == {
        "variable": "INSULA_BASE_DOMAIN", "value": "localhost", "source": "environment",
    }  # fmt: skip
    assert rows["INSULA_LOG_LEVEL"]["value"] == "INFO"
    for name in ("INSULA_SECRETS_KEY", "INSULA_HMAC_KEY"):
        assert variables[name] not in text + json.dumps(rows)
    longest = "INSULA_MULTI_TENANCY_PROVIDER_POOL_CLEANUP_INTERVAL_MS"
    assert longest in text  # in one piece, for those who read it with grep


@pytest.fixture
def empty(cluster, worker_id):
    """A database that nobody has migrated yet."""
    name = f"insula_empty_{worker_id}"
    create_database(cluster.postgres_url, name)
    with psycopg.connect(cluster.postgres_url, autocommit=True) as db:
        db.execute(f"alter database {name} owner to insula_owner")
    return DatabaseUrls.of(cluster.postgres_url, name)


@pytest.fixture
def on_empty(empty, monkeypatch, variables):  # noqa: ARG001  (changed here)
    monkeypatch.setenv("INSULA_DATABASE_OWNER_URL", empty.owner)
    monkeypatch.setenv("INSULA_DATABASE_URL", empty.app)
    monkeypatch.setenv("INSULA_DATABASE_PLATFORM_URL", empty.platform)


@pytest.mark.usefixtures("template", "on_empty")
def test_a_migration_is_done_and_repeated_without_harm(insula, run, empty):
    findings = {f["check"]: f for f in insula("check", status=1)}
    assert findings["schema"]["state"] == "failed"
    assert "insula migrate" in findings["schema"]["remedy"]

    assert insula("migrate") == {"before": None, "after": head()}
    assert insula("migrate") == {"before": head(), "after": head()}
    assert run("migrate").out == f"The schema is at {head()} already.\n"

    assert {f["check"]: f for f in insula("check")}["schema"]["state"] == "ok"
    assert insula("tenant", "list"), "what has sealed nothing yet takes any master key"
    with psycopg.connect(empty.superuser, autocommit=True) as db:
        db.execute("update insula.schema_version set version_num = '9001'")
    newer = {f["check"]: f for f in insula("check")}["schema"]
    assert (newer["state"], "9001" in newer["found"]) == ("ok", True)
    # whoever goes back to the release before runs the same steps
    assert insula("migrate") == {"before": "9001", "after": "9001", "newer": True}
    assert "9001" in run("migrate").out


@pytest.mark.usefixtures("template")
def test_two_databases_of_one_server_are_migrated_at_once(cluster, worker_id):
    """Because their roles are the same ones: whoever meets the other begins anew."""
    owners = []
    for n in range(3):
        name = f"insula_at_once_{worker_id}_{n}"
        create_database(cluster.postgres_url, name)
        with psycopg.connect(cluster.postgres_url, autocommit=True) as db:
            db.execute(f"alter database {name} owner to insula_owner")
        owners.append(DatabaseUrls.of(cluster.postgres_url, name).owner)
    with ThreadPoolExecutor(3) as pool:
        assert set(pool.map(migrate, owners)) == {(None, head())}


@pytest.mark.usefixtures("variables")
def test_a_migration_needs_the_owner_and_the_database(insula, monkeypatch, database):
    monkeypatch.setenv("INSULA_DATABASE_OWNER_URL", database.owner.replace("insula_owner@", "x@"))
    assert insula("migrate", status=3)["error"] == "away"
    monkeypatch.setenv(
        "INSULA_DATABASE_OWNER_URL", "postgresql://insula_owner:x@127.0.0.1:1/insula"
    )
    assert insula("migrate", status=3)["error"] == "away"
    monkeypatch.delenv("INSULA_DATABASE_OWNER_URL")
    assert insula("migrate", status=2)["error"] == "configuration"


def test_a_healthy_installation_has_nothing_to_do(insula):
    findings = insula("check")

    assert {f["state"] for f in findings} <= {"ok", "warning"}
    assert {f["check"] for f in findings} >= {
        "configuration", "database", "schema", "role", "clock", "events", "keys",
    }  # fmt: skip


def test_a_role_that_is_too_strong_is_found_with_its_remedy(insula, monkeypatch, database):
    monkeypatch.setenv("INSULA_DATABASE_URL", database.superuser)

    (role,) = [f for f in insula("check", status=1) if f["check"] == "role"]

    assert role["state"] == "failed"
    assert "insula_app" in role["remedy"]


def test_a_database_that_is_away_is_found_and_commands_say_try_again(insula, monkeypatch):
    monkeypatch.setenv("INSULA_DATABASE_URL", "postgresql://insula_app:x@127.0.0.1:1/insula")

    findings = {f["check"]: f for f in insula("check", status=1)}
    assert findings["database"]["state"] == "failed"
    assert findings["database"]["remedy"]
    assert insula("user", "list", "--tenant", "acme", status=3)["error"] == "away"


def test_events_that_are_away_are_a_warning(insula, monkeypatch):
    monkeypatch.setenv("INSULA_REDIS_URL", "redis://127.0.0.1:1/0")
    (events,) = [f for f in insula("check") if f["check"] == "events"]
    assert events["state"] == "warning"
    monkeypatch.delenv("INSULA_REDIS_URL")
    (events,) = [f for f in insula("check") if f["check"] == "events"]

    assert "INSULA_REDIS_URL" in events["remedy"]


@pytest.fixture
async def special(platform_door, envelope, rotation):
    """The tenants that a first start makes."""
    await tenants.ensure_special(platform_door, envelope, rotation)


OTHER_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.mark.usefixtures("special")
def test_keys_that_do_not_open_are_found(insula, monkeypatch):
    monkeypatch.setenv("INSULA_SECRETS_KEY", OTHER_KEY)
    found = [f for f in insula("check", status=1) if f["check"] == "keys"]

    assert found[0]["state"] == "failed"
    assert "INSULA_SECRETS_KEY_PREVIOUS" in found[0]["remedy"]


@pytest.mark.spec("features E02")
@pytest.mark.usefixtures("special")
@pytest.mark.parametrize(
    "command", [("tenant", "create", "nobodys"), ("tenant", "list"), ("worker", "--once")]
)
def test_no_command_works_with_a_master_key_that_opens_nothing(run, monkeypatch, command):
    """Least of all one that would seal more with it."""
    monkeypatch.setenv("INSULA_SECRETS_KEY", OTHER_KEY)
    refused = run(*command)

    assert (refused.status, refused.out) == (1, "")
    assert "The keys of default do not open: INSULA_SECRETS_KEY is not the one" in refused.err
    assert refused.err.count("\n") == 1

    monkeypatch.setenv("INSULA_SECRETS_KEY_PREVIOUS", SECRETS_KEY)
    assert run("tenant", "list").status == 0


@pytest.mark.spec("features E02")
@pytest.mark.usefixtures("special")
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_server_refuses_to_start_with_such_a_key(database, cluster, processes):
    here = environment(database.app, database.platform, cluster.valkey_url, free_port())

    done = cli({**here, "INSULA_SECRETS_KEY": OTHER_KEY, "INSULA_WORKERS": processes}, "serve")

    assert done.returncode == 3
    assert "INSULA_SECRETS_KEY is not the one they were sealed with" in done.stderr
    assert not re.search(r"Traceback", done.stderr)


async def test_one_tenant_that_is_sealed_with_another_key_is_told_in_a_sentence(
    run, platform_door, rotation
):
    slug = f"t-{secrets.token_hex(5)}"
    stranger = Envelope(parse_key(OTHER_KEY))
    await tenants.create(platform_door, stranger, rotation, slug=slug, display_name="Astray")

    refused = await asyncio.to_thread(run, "keys", "rotate", "--tenant", slug)

    assert refused.status == 1
    assert "does not open" in refused.err
    assert "INSULA_SECRETS_KEY_PREVIOUS" in refused.err


@pytest.mark.usefixtures("template")
def test_a_server_refuses_to_start_on_a_database_that_is_behind(empty, cluster):
    here = environment(empty.app, empty.platform, cluster.valkey_url, 1)

    done = cli(here, "serve")

    assert done.returncode != 0
    assert "insula migrate" in done.stderr
    assert not re.search(r"Traceback", done.stderr)


def test_a_server_refuses_a_role_that_is_too_strong(database, cluster):
    here = environment(database.superuser, database.platform, cluster.valkey_url, 1)

    done = cli(here, "serve")

    assert done.returncode != 0
    assert "row-level security" in done.stderr
    assert not re.search(r"Traceback", done.stderr)
