"""What people name is printed as it is, however much it looks like markup or an option."""

import pytest
from serving import cli, environment

from insula.keys import service as keys

MARKUP = "x [/b] y :smile: [red]z"


@pytest.fixture
def here(database):
    return environment(database.app, database.platform, None, 8000, COLUMNS="400")


@pytest.fixture
def say(here):
    return lambda *words: cli(here, *words)


def test_a_tenants_name_that_looks_like_markup_is_listed_as_it_is(say, worker_id):
    slug = f"brk-{worker_id}"
    made = say("tenant", "create", slug, "--name", MARKUP)
    assert made.returncode == 0, made.stderr

    listed = say("tenant", "list", "--after", slug[:-1])

    assert listed.returncode == 0, listed.stderr
    assert MARKUP in listed.stdout


def test_a_refusal_repeats_what_looks_like_markup_as_it_is(say):
    refused = say("keys", "list", "-t", "[/x]")

    assert refused.returncode == 1
    assert refused.stderr == "insula: There is no tenant “[/x]”.\n"


@pytest.mark.parametrize("command", ["retire", "promote"])
def test_an_id_that_begins_with_a_hyphen_comes_after_two(say, house, command):
    assert "Write -- before" in say("keys", command, "--help").stdout

    refused = say("keys", command, "-t", house.tenant.slug, "--", "-abc")

    assert refused.returncode == 1
    assert "No such option" not in refused.stderr


async def test_keys_that_are_not_published_leave_no_backup(say, house, envelope, tmp_path):
    await keys.publish(house.tenant, envelope, ["ES256"])
    backup = tmp_path / "backup.json"

    refused = say("keys", "generate", "-t", house.tenant.slug, "--backup-to", str(backup))

    assert refused.returncode == 1
    assert "A next key exists for ES256" in refused.stderr
    assert not backup.exists()


def test_a_backup_is_never_written_over_another_file(say, house, tmp_path):
    backup = tmp_path / "backup.json"
    backup.write_text("precious")

    refused = say("keys", "generate", "-t", house.tenant.slug, "--backup-to", str(backup))

    assert refused.returncode == 1
    assert "--backup-to: cannot write: File exists" in refused.stderr
    assert backup.read_text() == "precious"
