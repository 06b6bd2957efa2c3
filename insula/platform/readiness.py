"""What a process is ready by: its database, the schema there, and the two clocks."""

from collections.abc import Mapping

from insula.kernel.db import Database
from insula.kernel.errors import Unavailable
from insula.ops_gateway.routes import Check
from insula.platform import migrations
from insula.tenancy import health

#: A clock further from the database's than this makes the process unready (security.md F-17).
_WORST_CLOCK = 60.0


def checks(database: Database) -> Mapping[str, Check]:
    """The checks of readiness, by name; each raises `Unavailable` with the reason."""

    async def answers() -> None:
        await health.answers(database)

    async def is_migrated() -> None:
        found = await health.revision(database)
        if migrations.is_behind(found):
            raise Unavailable(f"schema is at {found}, this release needs {migrations.head()}")

    async def agrees() -> None:
        ahead = await health.drift(database)
        if abs(ahead) > _WORST_CLOCK:
            raise Unavailable(f"this clock is {ahead:+.0f} s off the database's")

    return {"database": answers, "migrations": is_migrated, "clock": agrees}
