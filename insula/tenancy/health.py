"""What readiness asks of the database: that it answers, its revision, and its clock."""

from insula.kernel import clock
from insula.kernel.db import Database
from insula.kernel.errors import Unavailable


async def answers(database: Database) -> None:
    """Raises `Unavailable`."""
    await database.fetch("select 1")


async def revision(database: Database) -> str | None:
    """The revision of the schema; None for a database that was never migrated."""
    try:
        rows = await database.fetch("select version_num from insula.schema_version")
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001  (no such schema, or no right to see it: not migrated)
        return None
    return str(rows[0].version_num) if rows else None


async def drift(database: Database) -> float:
    """How many seconds this process's clock is ahead of the database's. Raises `Unavailable`."""
    rows = await database.fetch("select extract(epoch from clock_timestamp())::float8 as now")
    return float(clock.now() - rows[0].now)


async def server_version(database: Database) -> int:
    """As PostgreSQL numbers itself: 180003 for 18.3. Raises `Unavailable`."""
    rows = await database.fetch("select current_setting('server_version_num')::int as number")
    return int(rows[0].number)
