"""The embedded servers as children: they start, recover, exclude each other and never stay."""

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from leftovers import processes_in, wait_until_gone
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from insula.platform.embedded import (
    AlreadyRunning,
    EmbeddedPostgres,
    EmbeddedServerError,
    EmbeddedValkey,
)
from insula.platform.embedded import launch as launches

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)

STARTER = """
import sys, time
from pathlib import Path
from insula.platform.embedded import EmbeddedPostgres, EmbeddedValkey, launch

folder = Path(sys.argv[1])
launch.of_this_machine = getattr(launch, sys.argv[2])
postgres = EmbeddedPostgres(folder / "postgres", durable=False)
valkey = EmbeddedValkey(folder / "valkey")
postgres.start()
valkey.start()
print("started", flush=True)
time.sleep(600)
"""


@pytest.fixture
def postgres(tmp_path):
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    yield server
    server.stop()


@pytest.fixture
def valkey(tmp_path):
    server = EmbeddedValkey(tmp_path / "valkey")
    yield server
    server.stop()


@pytest.fixture
def open_folder():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(params=["of_this_machine", "as_nobody"])
def folder(request, tmp_path, open_folder, monkeypatch):
    """A folder, and a way to start servers there."""
    if request.param == "of_this_machine":
        return tmp_path
    if os.geteuid() != 0:
        pytest.skip("only root can become nobody")
    monkeypatch.setattr(launches, "of_this_machine", launches.as_nobody)
    return open_folder


@pytest.fixture
def starter(folder):
    way = launches.of_this_machine.__name__
    process = subprocess.Popen(  # noqa: S603  # ourselves
        [sys.executable, "-c", STARTER, folder, way], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "started\n"
    yield process
    process.kill()
    process.communicate()


def ask(url, question):
    with psycopg.connect(url, autocommit=True) as db:
        return db.execute(question).fetchone()[0]


def tell(url, statement):
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(statement)


def test_postgres_is_18_in_utf_8_with_checksums_and_asks_for_a_password(postgres):
    postgres.start()

    assert ask(postgres.superuser_url, "show server_version").startswith("18.")
    assert ask(postgres.superuser_url, "show server_encoding") == "UTF8"
    assert ask(postgres.superuser_url, "show data_checksums") == "on"
    assert ask(postgres.superuser_url, "show listen_addresses") == "127.0.0.1"
    assert ask(postgres.superuser_url, "show unix_socket_directories") == ""
    assert ask(postgres.superuser_url, "show dynamic_shared_memory_type") == "mmap"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.superuser_url.replace(postgres.password, "guess"))


def test_a_durable_postgres_waits_for_its_disk(tmp_path):
    server = EmbeddedPostgres(tmp_path / "durable")
    server.start()
    try:
        assert ask(server.superuser_url, "show fsync") == "on"
        assert ask(server.superuser_url, "show full_page_writes") == "on"
    finally:
        server.stop()


def test_another_postgres_named_by_the_environment_changes_nothing(postgres, monkeypatch):
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGOPTIONS", "-c nonsense=1")

    postgres.start()

    monkeypatch.undo()
    assert ask(postgres.superuser_url, "show port") == str(postgres.port)


def test_the_password_file_is_for_its_owner_only(postgres, tmp_path):
    postgres.start()

    mode = (tmp_path / "postgres" / "password").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_a_restart_keeps_rows_password_and_port(postgres):
    postgres.start()
    before = postgres.superuser_url
    tell(before, "create table kept as select 7 as n")

    postgres.restart()

    assert postgres.superuser_url == before
    assert ask(before, "select n from kept") == 7


def test_a_new_object_finds_the_folder_as_the_last_one_left_it(postgres, tmp_path):
    postgres.start()
    before = postgres.superuser_url
    postgres.stop()
    again = EmbeddedPostgres(tmp_path / "postgres", durable=False)

    again.start()
    again.stop()

    assert again.superuser_url == before


def test_a_killed_postgres_recovers_at_the_next_start(postgres):
    postgres.start()
    tell(postgres.superuser_url, "create table kept as select 7 as n")

    os.kill(postgres.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while postgres.is_running():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    postgres.start()

    assert ask(postgres.superuser_url, "select n from kept") == 7


def test_a_pid_left_behind_that_now_is_somebody_else_does_not_prevent_a_start(postgres, tmp_path):
    postgres.start()
    leftover = (tmp_path / "postgres" / "data" / "postmaster.pid").read_text()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    old_pid = str(postgres.pid)
    postgres.kill()
    (tmp_path / "postgres" / "data" / "postmaster.pid").write_text(
        leftover.replace(old_pid, str(stranger.pid), 1)
    )

    try:
        postgres.start()
        assert ask(postgres.superuser_url, "select 1") == 1
    finally:
        stranger.kill()
        stranger.wait()


def test_a_second_server_in_the_same_folder_is_refused_with_the_first_ones_starter(
    postgres, valkey, tmp_path
):
    postgres.start()
    valkey.start()

    for second in (EmbeddedPostgres(tmp_path / "postgres"), EmbeddedValkey(tmp_path / "valkey")):
        with pytest.raises(AlreadyRunning, match=f"process {os.getpid()} started"):
            second.start()
    assert ask(postgres.superuser_url, "select 1") == 1


def test_a_second_start_of_the_same_server_is_refused(valkey):
    valkey.start()

    with pytest.raises(EmbeddedServerError, match="already running"):
        valkey.start()


def test_a_remembered_port_that_somebody_took_is_replaced(valkey):
    valkey.start()
    taken = valkey.port
    valkey.stop()

    with socket.socket() as somebody:
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        somebody.bind(("127.0.0.1", taken))
        somebody.listen()
        valkey.start()

    assert valkey.port != taken
    assert Redis.from_url(valkey.url).ping()


def test_an_explicit_port_that_is_taken_is_refused(tmp_path):
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        port = somebody.getsockname()[1]

        with pytest.raises(EmbeddedServerError, match=f"cannot listen on port {port}"):
            EmbeddedValkey(tmp_path / "valkey", port).start()


def test_valkey_is_9_asks_for_its_password_and_keeps_nothing(valkey, tmp_path):
    valkey.start()
    known = Redis.from_url(valkey.url)
    known.set("fleeting", "1")

    assert known.info("server")["valkey_version"].startswith("9.")
    with pytest.raises(AuthenticationError):
        Redis(port=valkey.port, retry=Retry(NoBackoff(), 0)).ping()
    valkey.restart()
    assert known.get("fleeting") is None
    assert not list((tmp_path / "valkey").glob("*.rdb"))


def test_stopping_leaves_no_process(postgres, valkey, tmp_path):
    postgres.start()
    valkey.start()
    assert len(list(processes_in(tmp_path))) > 2

    postgres.stop()
    valkey.stop()

    assert not list(processes_in(tmp_path))


@linux_only
def test_killing_the_starter_leaves_no_process_and_the_folder_starts_again(starter, folder):
    assert len(list(processes_in(folder))) > 2

    starter.kill()
    wait_until_gone(folder)

    for again in (EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")):
        again.start()
        again.stop()


@linux_only
def test_a_start_right_after_the_starter_was_killed_waits_for_the_old_server(starter, folder):
    starter.kill()
    starter.wait()
    again = EmbeddedPostgres(folder / "postgres")

    again.start()

    assert ask(again.superuser_url, "select 1") == 1
    again.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user starts servers as itself")
def test_root_starts_servers_that_have_no_power_over_other_peoples_files(postgres):
    postgres.start()

    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{postgres.pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    where = Path(f"/proc/{postgres.pid}/ns/user").readlink()
    assert where != Path("/proc/self/ns/user").readlink() or status["CapEff"].strip("0") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_without_namespaces_root_starts_servers_as_nobody(monkeypatch, tmp_path, open_folder):
    monkeypatch.setattr(launches, "of_this_machine", launches.as_nobody)
    monkeypatch.setattr(launches, "OUT_OF_TREE", open_folder)
    tmp_path.chmod(0o700)  # as a home folder is: nobody may not go through it
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)

    try:
        server.start()
        assert ask(server.superuser_url, "select 1") == 1
        assert Path(f"/proc/{server.pid}").stat().st_uid == launches.as_nobody().owner
    finally:
        server.stop()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
