"""What the API is made of in one process."""

from dataclasses import dataclass

from insula.accounts.hashing import Passwords
from insula.config_overrides.catalogue import Catalogue
from insula.figures.service import Keeper
from insula.kernel.crypto import Envelope
from insula.keys.settings import KeyRotation
from insula.management_api.idempotency import Idempotency
from insula.management_api.paging import Cursors
from insula.management_api.rates import Rates
from insula.oidc.provider import Provider
from insula.providers.pool import ProviderPool
from insula.tenancy.db import Platform
from insula.tenancy.directory import Directory
from insula.tenancy.models import Naming
from insula.tenants.domains.proofs import Prover


@dataclass(frozen=True, slots=True)
class Parts:
    """The doors, the keys and the counters that routes work with."""

    pool: ProviderPool[Provider]
    platform: Platform
    directory: Directory
    naming: Naming
    envelope: Envelope
    rotation: KeyRotation
    passwords: Passwords
    rates: Rates
    cursors: Cursors
    idempotency: Idempotency
    catalogue: Catalogue
    prover: Prover
    keeper: Keeper
    #: A new tenant is reached by the host of its slug, unless it has a domain.
    host_needed: bool = True
    #: Registered addresses may be http on this machine.
    development: bool = False
