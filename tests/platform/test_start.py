"""What a start that cannot succeed says: one line that names what must be changed."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from serving import cli, environment

from insula.platform.embedded.ports import free_port

ROOT = Path(__file__).parents[2]


@pytest.fixture
def taken():
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        yield stranger.getsockname()[1]


def start(tmp_path, port, demo_port):
    return subprocess.run(  # noqa: S603  (ourselves)
        [sys.executable, "-m", "insula.platform.cli", "dev",
         "--port", str(port), "--demo-port", str(demo_port)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("option", ["--port", "--demo-port"])
def test_a_port_of_somebody_else_ends_the_start_before_it_begins(tmp_path, taken, option):
    chosen = {"--port": free_port(), "--demo-port": free_port(), option: taken}

    refused = start(tmp_path, chosen["--port"], chosen["--demo-port"])

    assert refused.returncode == 1
    assert refused.stdout == (
        f"insula: port {taken} is in use by another program; choose one with {option}\n"
    )
    assert [file.name for file in (tmp_path / ".insula").iterdir()] == ["run.lock"]


def test_one_port_for_both_is_refused(tmp_path):
    port = free_port()

    refused = start(tmp_path, port, port)

    assert refused.returncode == 1
    assert refused.stdout == f"insula: --port and --demo-port are both {port}; choose two\n"


@pytest.mark.parametrize("away", ["INSULA_DATABASE_URL", "INSULA_DATABASE_PLATFORM_URL"])
def test_serving_without_a_database_names_the_variable_and_the_host(database, away):
    nowhere = "postgresql://somebody:s3cretly@127.0.0.1:1/insula"
    here = environment(database.app, database.platform, None, free_port(), **{away: nowhere})

    ended = cli(here, "serve")

    assert ended.returncode != 0
    said = ended.stdout + ended.stderr
    assert f"the database is away ({away} names 127.0.0.1:1)" in said
    assert "s3cretly" not in said
