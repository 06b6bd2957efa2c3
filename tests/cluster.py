"""
One PostgreSQL and one Valkey for a whole test run, as a pytest plugin.

Under pytest-xdist the controller starts them and tells the workers where; otherwise the first test
that asks does.  They are children of that process and die with it.  A run that was killed leaves
a folder of files in the temporary directory, which the next run sweeps away.
"""

import fcntl
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from insula.platform.embedded import EmbeddedPostgres, EmbeddedValkey

_PREFIX = "insula-tests-"
_cluster_key = pytest.StashKey["Cluster"]()


@dataclass
class Cluster:
    """Where the servers of this run are; *postgres_url* is the superuser's."""

    postgres_url: str
    valkey_url: str
    servers: list[EmbeddedPostgres | EmbeddedValkey] = field(default_factory=list)

    def stop(self):
        for server in reversed(self.servers):
            server.stop()


#: A superuser's URL of a PostgreSQL to test on instead of the embedded one (make test-database).
_ELSEWHERE = "TEST_DATABASE_URL"


def start_cluster(tmp: Path) -> Cluster:
    """Start both servers with their folders in *tmp*; nothing there survives a power cut."""
    valkey = EmbeddedValkey(tmp / "valkey")
    if url := os.environ.get(_ELSEWHERE):
        valkey.start()
        return Cluster(url, valkey.url, [valkey])
    postgres = EmbeddedPostgres(tmp / "postgres", durable=False)
    postgres.start()
    try:
        valkey.start()
    except BaseException:
        postgres.stop()
        raise
    return Cluster(postgres.superuser_url, valkey.url, [postgres, valkey])


def create_database(superuser_url: str, name: str, template: str | None = None) -> str:
    """Create a database, replacing one of that name, and return the superuser's URL of it."""
    drop_database(superuser_url, name)
    statement = sql.SQL("create database {} template {} strategy file_copy").format(
        sql.Identifier(name), sql.Identifier(template or "template1")
    )
    with psycopg.connect(superuser_url, autocommit=True) as db:
        db.execute(statement)
    return database_url(superuser_url, name)


def drop_database(superuser_url: str, name: str):
    """Drop a database if it exists, with whoever is connected to it."""
    statement = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    with psycopg.connect(superuser_url, autocommit=True) as db:
        db.execute(statement)


def database_url(url: str, name: str) -> str:
    """Point *url* at another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


class _Run:
    """The folder of one run, locked while the run lives so that no other sweeps it."""

    def __init__(self):
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = _lock(self.folder)
        try:
            self.cluster = start_cluster(self.folder)
        except BaseException:
            self._remove()
            raise

    def end(self):
        self.cluster.stop()
        self._remove()

    def _remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


_run_key = pytest.StashKey[_Run | None]()


def pytest_configure(config):
    config.stash[_run_key] = None
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[_cluster_key] = Cluster(worker["postgres_url"], worker["valkey_url"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node):
    cluster = _cluster_of(node.config)
    node.workerinput["postgres_url"] = cluster.postgres_url
    node.workerinput["valkey_url"] = cluster.valkey_url


def pytest_unconfigure(config):
    run = config.stash.get(_run_key, None)
    if run is not None:
        config.stash[_run_key] = None
        run.end()


@pytest.fixture(scope="session")
def cluster(pytestconfig) -> Cluster:
    return _cluster_of(pytestconfig)


def _cluster_of(config) -> Cluster:
    if _cluster_key not in config.stash:
        run = _Run()
        config.stash[_run_key], config.stash[_cluster_key] = run, run.cluster
    return config.stash[_cluster_key]


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _sweep():
    """Remove the folders of runs that were killed; one without its lock file is just being made."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            descriptor = os.open(folder / "run.lock", os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)
