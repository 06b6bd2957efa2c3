"""Bringing a database to the present state: roles, revisions, functions, policies, at once."""

import functools
import time
from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from insula.kernel.errors import Conflict, Unavailable

SQL = next(
    folder
    for folder in (Path(__file__).parents[1] / "sql", Path(__file__).parents[2] / "sql")
    if folder.is_dir()
)
#: Any number; one migrate at a time.
_LOCK = 4_711_001


class MigrationFailed(Unavailable):
    """The database was away, busy, or not the owner's; *detail* is its own word."""


class SchemaIsNewer(Conflict):
    """A newer release has migrated this database; what this one applies would undo part of it."""

    code = "schema_is_newer"

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The database is at revision {found}, which this release does not know: "
            "a newer one has migrated it, and nothing is to be done."
        )
        self.found = found


def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(SQL / "migrations"))
    return ScriptDirectory.from_config(config)


@functools.cache
def head() -> str:
    """The revision this release needs."""
    found = _script().get_current_head()
    if found is None:  # pragma: no cover  (a release without revisions)
        raise RuntimeError("no revisions")
    return found


@functools.cache
def _known() -> frozenset[str]:
    """The revisions that this release has heard of."""
    return frozenset(script.revision for script in _script().walk_revisions())


def is_behind(found: str | None) -> bool:
    """
    Whether a schema at *found* lacks something that this release needs.

    One that a newer release has moved on is not behind: every migration leaves the running
    release working, so that upgrades can roll.
    """
    return found is None or (found != head() and found in _known())


#: What PostgreSQL says when two transactions change the same role; tries, and seconds between.
_ANOTHER, _TRIES, _PAUSE = "tuple concurrently updated", 5, 0.5


def _apply(connection: sa.Connection, file: Path) -> None:
    connection.exec_driver_sql(file.read_text().replace("%", "%%"))


def migrate(owner_url: str) -> tuple[str | None, str]:
    """
    Bring the database at *owner_url* to this release; returns the revision before and after.

    Everything happens in one transaction, so there is no moment without a policy. Safe to call
    from several processes at once and to repeat: roles, functions and policies are applied each
    time, so what stands in `sql/` is what holds. Raises `MigrationFailed`, `SchemaIsNewer`; then
    nothing happened.

    Roles belong to the whole server, the lock to one database: who meets the migration of another
    database there begins anew.
    """
    for _ in range(_TRIES - 1):
        try:
            return _migrate(owner_url)
        except MigrationFailed as failed:
            if _ANOTHER not in failed.detail:
                raise
            time.sleep(_PAUSE)
    return _migrate(owner_url)


def _migrate(owner_url: str) -> tuple[str | None, str]:
    engine = sa.create_engine(sa.make_url(owner_url).set(drivername="postgresql+psycopg"))
    script = _script()
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("set local lock_timeout = '4s'")
            connection.execute(sa.text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _apply(connection, SQL / "roles.sql")
            _apply(connection, SQL / "tenant_function.sql")
            before = revision(connection)
            if before is not None and before not in _known():
                raise SchemaIsNewer(before)
            context = MigrationContext.configure(
                connection,
                opts={
                    "fn": lambda current, _: script._upgrade_revs(head(), current),  # noqa: SLF001  (as alembic's own upgrade command does)
                    "version_table": "schema_version",
                    "version_table_schema": "insula",
                },
            )
            with Operations.context(context):
                context.run_migrations()
            _apply(connection, SQL / "functions.sql")
            for file in sorted((SQL / "rls").glob("*.sql")):
                _apply(connection, file)
            _apply(connection, SQL / "after.sql")
            after = revision(connection)
    except sa.exc.SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise MigrationFailed("the migration did not happen", detail=cause) from error
    finally:
        engine.dispose()
    if after is None:  # pragma: no cover  (alembic has just written it)
        raise RuntimeError("no revision after migrating")
    return before, after


def revision(connection: sa.Connection) -> str | None:
    """The revision a database is at; None for an empty one."""
    if connection.scalar(sa.text("select to_regclass('insula.schema_version')")) is None:
        return None
    found: str | None = connection.scalar(sa.text("select version_num from insula.schema_version"))
    return found
