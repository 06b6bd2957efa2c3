"""No command works with a role that the policies do not hold, or on a schema that is behind."""

import json

import psycopg
import pytest
from cluster import create_database
from foundation import DatabaseUrls
from serving import cli, environment

pytestmark = pytest.mark.spec("security R2")


@pytest.mark.parametrize("command", [["worker", "--once"], ["tenant", "list"]])
@pytest.mark.parametrize("which", ["app", "platform"])
def test_a_role_that_is_too_strong_is_refused(database, command, which):
    urls = {"app": database.app, "platform": database.platform, which: database.superuser}

    refused = cli(environment(urls["app"], urls["platform"], None, 8000), *command)

    assert refused.returncode == 1
    assert "The database role postgres is a superuser" in refused.stderr
    assert refused.stdout == ""


def test_check_asks_about_both_roles_and_about_the_rest(database):
    here = environment(database.superuser, database.owner, None, 8000)

    found = cli(here, "check", "--json")

    assert found.returncode == 1
    by_name = {finding["check"]: finding for finding in json.loads(found.stdout)}
    assert by_name["role"]["state"] == "failed"
    assert "postgres is a superuser" in by_name["role"]["found"]
    assert by_name["platform_role"]["state"] == "failed"
    assert "insula_owner owns" in by_name["platform_role"]["found"]
    assert "INSULA_DATABASE_PLATFORM_URL" in by_name["platform_role"]["remedy"]
    assert by_name["clock"]["state"] == "ok"


@pytest.fixture
def behind(cluster, template, worker_id):
    """A database that the newest migration has not reached."""
    name = f"insula_behind_{worker_id}"
    superuser_url = create_database(cluster.postgres_url, name, template)
    with psycopg.connect(superuser_url, autocommit=True) as db:
        db.execute("delete from insula.schema_version")
    return DatabaseUrls.of(cluster.postgres_url, name)


@pytest.mark.parametrize("command", [["worker", "--once"], ["tenant", "list"]])
def test_a_schema_that_is_behind_is_refused_with_the_command_that_mends_it(behind, command):
    refused = cli(environment(behind.app, behind.platform, None, 8000), *command)

    assert refused.returncode == 1
    assert "run `insula migrate`" in refused.stderr
