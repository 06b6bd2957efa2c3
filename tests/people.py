"""
People of two tenants, made quickly: Ada of tenant A, Bea of tenant B.

A house is a tenant with somebody in it: a person, an administrator, and three applications.
"""

import secrets
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher

from insula.accounts import service as accounts
from insula.accounts.hashing import normalise
from insula.accounts.settings import Hashing
from insula.clients import service as clients
from insula.clients.models import Metadata
from insula.tenancy.db import Tenant
from insula.tenancy.directory import Directory
from insula.tenants import service as tenants
from insula.tenants.domains.claims import Wish

_NAMES = (("ada", "Ada Lovelace"), ("bea", "Bea Schmidt"))
CALLBACK = "https://app.example/callback"


@dataclass(frozen=True)
class Somebody:
    """A person who can sign in."""

    id: UUID
    username: str
    email: str
    password: str


@dataclass(frozen=True)
class App:
    """A registered application; *secret* is None for a public one."""

    id: UUID
    client_id: str
    secret: str | None


@dataclass(frozen=True)
class House:
    """A tenant and who lives there."""

    tenant: Tenant
    person: Somebody
    admin: Somebody
    web: App
    spa: App
    machine: App


@cache
def hashed(password: str) -> str:
    """An argon2id hash of today's cost, made once for each password of a worker."""
    cost = Hashing()
    return PasswordHasher(cost.passes, cost.memory_kib, cost.lanes).hash(normalise(password))


class KeyPool:
    """Signing keys that are handed out again; within one tenant they differ for a while."""

    def __init__(self, make, size=6):
        self._make = make
        self._size = size
        self._keys = defaultdict(deque)

    async def prepare(self, algorithms=("RS256", "ES256")):
        return [await self._next(alg) for alg in algorithms]

    async def _next(self, alg):
        keys = self._keys[alg]
        if len(keys) < self._size:
            keys.extend(await self._make([alg]))
            return keys[-1]
        keys.rotate(-1)
        return keys[-1]


class Houses:
    """Builds houses; the first is Ada's, the second Bea's, and so on in turn."""

    def __init__(self, platform, envelope, rotation, doors, naming):
        self._platform = platform
        self._envelope = envelope
        self._rotation = rotation
        self._doors = doors
        self._naming = naming
        self._made = 0

    async def make(self, slug=None, *, domain=None, **facts) -> House:
        """
        A new tenant with its people; *facts* go to `tenants.service.create`.

        A *domain* is the tenant's on our word.
        """
        if domain is not None:
            facts["wish"] = Wish(domain, primary=True, vouched="a test")
        name, full_name = _NAMES[self._made % len(_NAMES)]
        self._made += 1
        slug = slug or f"{name}-{secrets.token_hex(6)}"
        found = {}

        async def endow(db, tenant_id):
            found["person"] = await self._somebody(db, slug, name, full_name, ("user",))
            found["admin"] = await self._somebody(db, slug, "root", "Root", ("user", "admin"))
            for key, metadata in _APPS.items():
                made = await clients.register_in(db, tenant_id, key.title(), metadata)
                found[key] = App(made.id, made.client_id, made.secret)

        await tenants.create(
            self._platform,
            self._envelope,
            self._rotation,
            slug=slug,
            display_name=f"House of {name.title()}",
            endow=endow,
            **facts,
        )
        return House(tenant=await self.find(slug), **found)

    async def find(self, slug) -> Tenant:
        """The tenant as it is now."""
        tenant = await Directory.over(self._doors, self._naming).find(f"slug:{slug}")
        assert tenant is not None
        return tenant

    async def _somebody(self, db, slug, name, full_name, roles):
        password = f"{name} counts the stars every night"
        email = f"{name}@{slug}.example"
        user_id = await accounts.create(
            db,
            username=name,
            email=email,
            email_verified=True,
            display_name=full_name,
            password_hash=hashed(password),
            roles=roles,
        )
        return Somebody(user_id, name, email, password)


_APPS = {
    "web": Metadata(redirect_uris=(CALLBACK,)),
    "spa": Metadata(redirect_uris=(CALLBACK,), token_endpoint_auth_method="none"),  # noqa: S106
    "machine": Metadata(grant_types=("client_credentials",), scopes=("reports:read",)),
}
