"""What documents own of a tenant, and what of it a document changes."""

from dataclasses import dataclass

from insula.audit.models import Actor
from insula.config_overrides import ownership as settings_owned
from insula.config_overrides import service as config_overrides
from insula.config_overrides.models import Layers
from insula.config_overrides.saving import Claim
from insula.configuration.models import Difference, Document
from insula.ownership import service as ownership
from insula.ownership.models import PARTS, Owned
from insula.tenancy.db import Tenant


@dataclass(frozen=True, slots=True)
class Ownership:
    """What documents own or owned of a tenant."""

    layers: Layers
    objects: Owned

    def is_of(self, actor: Actor) -> bool:
        """Whether there is such a thing, and all of it is this actor's, released or not."""
        owners = [*settings_owned.owners(self.layers), *(each.by for each in self.objects.values())]
        return bool(owners) and all(by == {"type": actor.type, "id": actor.id} for by in owners)

    def states(self) -> dict[str, str]:
        """How each stands, by its path below `ownership`."""
        fields = settings_owned.states(self.layers).items()
        objects = self.objects.items()
        return {
            **{"/".join(place.rsplit(".", 1)): state for place, state in fields},
            **{str(place): settings_owned.told(owned) for place, owned in objects},
        }


async def read(tenant: Tenant) -> Ownership:
    async with tenant.transaction() as db:
        return Ownership(await config_overrides.load_in(db), await ownership.every(db))


def claimed(before: Ownership, after: Ownership) -> list[Difference]:
    """What the documents own anew, or no more."""
    old, new = before.states(), after.states()
    return [
        Difference(f"ownership/{place}", old.get(place), new.get(place))
        for place in sorted({*old, *new})
        if old.get(place) != new.get(place)
    ]


async def claim(tenant: Tenant, document: Document, actor: Actor, how: Claim) -> None:
    """Let the documents own the objects that *document* names."""
    said = {part: getattr(document, part) for part in PARTS}
    parts = {part: names for part, names in said.items() if names is not None}
    async with tenant.transaction() as db:
        await ownership.claim(db, parts, actor, how)
