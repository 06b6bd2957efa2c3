"""What must hold before anything is done with the installation, by a process or by a command."""

from insula.data_keys import service as data_keys
from insula.kernel.crypto import Envelope
from insula.kernel.db import Database
from insula.kernel.errors import Invalid
from insula.platform import migrations
from insula.tenancy import health
from insula.tenancy.checks import refuse_strong_role


async def refuse_unfit(database: Database, platform_database: Database, envelope: Envelope) -> None:
    """
    Refuse a schema that is behind, roles that no policy holds, and a master key that opens nothing.

    Raises `Invalid` for what an operator must mend, `Unavailable` when the database is away.
    """
    found = await health.revision(database)
    if migrations.is_behind(found):
        raise Invalid(
            f"The database is at revision {found}, this release needs {migrations.head()}: "
            "run `insula migrate`."
        )
    await refuse_strong_role(database)
    await refuse_strong_role(platform_database)
    await data_keys.refuse_another_master_key(database, envelope)
