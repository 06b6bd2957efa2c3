"""The `Sightings` port: what the clients of one tenant are seen to know of its keys."""

from insula.keys.adoption import Sightings
from insula.oidc.models import Client
from insula.oidc.signing import KeyRing
from insula.tenancy.db import Tenant


class TenantSightings:
    """Passes on what one instance sees to the memory of the process."""

    def __init__(self, tenant: Tenant, ring: KeyRing, all_seen: Sightings) -> None:
        self._memory = all_seen.of(tenant)
        self._algs = {key.kid: key.alg for key in (*ring.published, *ring.hint_only)}
        #: What whoever fetches the keys has from then on, by algorithm.
        self._newest: dict[str, str] = {}
        for state in ("active", "next"):  # the next one, where there is one
            self._newest.update({k.alg: k.kid for k in ring.published if k.state == state})

    def met(self, client: Client, place: str) -> None:
        self._memory.met(client.id, place)

    def fetched(self, place: str) -> None:
        self._memory.fetched(place, self._newest)

    def presented(self, client: Client, kid: str) -> None:
        alg = self._algs.get(kid)
        if alg is not None:
            self._memory.note(client.id, "used", alg, kid)
