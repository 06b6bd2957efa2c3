"""All that a tenant has decided, taken away as a document (features.md J03)."""

from insula.audit import service as audit
from insula.audit.models import Actor, Event
from insula.config_overrides.models import Stored
from insula.config_overrides.service import load_in
from insula.tenancy.db import Connection


async def export(db: Connection, actor: Actor, *, sealed: bool = False) -> Stored:
    """
    What the bound tenant has decided; that *actor* takes it away is recorded.

    *sealed*: it leaves with its secrets as they are stored, and not with masks in their place.
    """
    own = (await load_in(db)).own
    details = {"sections": sorted(own), "sealed": sealed}
    await audit.record(
        db, Event("config.exported", actor, "info", target_type="config", metadata=details)
    )
    return own
