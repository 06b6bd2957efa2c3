import psycopg
import pytest
from psycopg.rows import namedtuple_row

from insula.jobs.queue import Queue


@pytest.fixture
def jobs(database):
    """The queue's rows, looked at with nobody's policies; it is empty at first."""
    with psycopg.connect(database.superuser, autocommit=True, row_factory=namedtuple_row) as db:
        db.execute("set search_path = insula_jobs")
        db.execute("truncate procrastinate_jobs, procrastinate_workers cascade")
        yield db


@pytest.fixture
def queue(database, jobs):  # noqa: ARG001  (an empty one)
    return Queue(database.platform)
