"""Making many tenants, and taking them away again; both go on where they were interrupted."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from insula.clients import service as clients
from insula.kernel.crypto import Envelope
from insula.kernel.errors import Invalid
from insula.kernel.ids import Kind, digest, new_id
from insula.keys import service as keys
from insula.keys.models import purpose
from insula.keys.settings import KeyRotation
from insula.oidc.signing import GeneratedKey
from insula.platform.seeding import store
from insula.platform.seeding.models import (
    MOST,
    Seeded,
    Size,
    client_id_of,
    name_of,
    secret_of,
    slug_of,
    username_of,
)

#: Tenants of one transaction, so that nobody waits long for the kept counts.
_BATCH: Final = 250
#: Generated pairs; every tenant has one of them for each algorithm.
_PAIRS: Final = 4

_METADATA: Final = {"grant_types": ("client_credentials",), "scopes": ("reports:read",)}
_Tell = Callable[[int], None]


def _silent(_done: int) -> None:
    """Nobody listens."""


def refuse_outside_development(env: str) -> None:
    """Raises `Invalid` where somebody may be served."""
    if env != "development":
        raise Invalid(
            "Seeded tenants are for measurements; this installation is not one for development.",
            field="INSULA_ENV",
            example="INSULA_ENV=development",
        )


async def seed(  # noqa: PLR0913  (what a tenant is made with, all by name)
    url: str,
    *,
    envelope: Envelope,
    hmac_key: bytes,
    rotation: KeyRotation,
    size: Size,
    tell: _Tell = _silent,
) -> Seeded:
    """
    Make the tenants `bench-000000` and on that are missing; *url* is the platform role's.

    What is there stays as it is. *tell* hears how many have been looked at.
    """
    if not 1 <= size.tenants <= MOST:
        raise Invalid(f"1 to {MOST:,}", field="--tenants", example="--tenants 1000")
    pairs = [await keys.prepare() for _ in range(min(_PAIRS, size.tenants))]
    maker = _Maker(envelope, hmac_key, rotation, size, pairs)
    made = 0
    async with store.connected(url) as connection:
        for first in range(0, size.tenants, _BATCH):
            numbers = range(first, min(first + _BATCH, size.tenants))
            new = {slug_of(number): (new_id(), name_of(number)) for number in numbers}
            async with connection.transaction():
                free = await store.insert(connection, new)
                await store.endow(connection, maker.rows((slug, new[slug][0]) for slug in free))
            made += len(free)
            tell(numbers.stop)
    return Seeded(made, size.tenants - made)


async def remove(platform_url: str, owner_url: str, tell: _Tell = _silent) -> int:
    """
    Take every seeded tenant away, a batch at a time; how many there were.

    What running processes remember of them ends when those hear of the change, within seconds.
    """
    gone = 0
    async with store.connected(platform_url) as platform, store.connected(owner_url) as owner:
        await store.finish(platform)
        while ids := await store.put_away(platform, _BATCH):
            await store.take(owner, ids)
            await store.finish(platform)
            gone += len(ids)
            tell(gone)
    return gone


class _Maker:
    """Works out the rows of a tenant, as its creation and the first registrations write them."""

    def __init__(
        self,
        envelope: Envelope,
        hmac_key: bytes,
        rotation: KeyRotation,
        size: Size,
        pairs: Sequence[Sequence[GeneratedKey]],
    ) -> None:
        self._envelope = envelope
        self._hmac_key = hmac_key
        self._days = rotation.interval_days
        self._pairs = pairs
        self._usernames = [username_of(n) for n in range(1, size.users + 1)]
        self._client_ids = [client_id_of(n) for n in range(1, size.clients + 1)]
        metadata = clients.parse_metadata(_METADATA, development=True)
        self._metadata = json.dumps(metadata.model_dump(mode="json"))

    def rows(self, tenants: Iterable[tuple[str, UUID]]) -> Iterator[tuple[UUID, Mapping[str, Any]]]:
        """What each of these tenants, slug and id, is endowed with, one after the other."""
        for slug, tenant_id in tenants:
            yield tenant_id, self._row(slug, tenant_id)

    def _row(self, slug: str, tenant_id: UUID) -> dict[str, Any]:
        wrapped = self._envelope.new_data_key(tenant_id)
        cipher = self._envelope.cipher(tenant_id, wrapped)
        pair = self._pairs[tenant_id.int % len(self._pairs)]
        user_ids = [new_id() for _ in self._usernames]
        events = list(self._events(slug, pair, user_ids))
        return {
            "wrapped": wrapped,
            "days": self._days,
            "kids": [key.kid for key in pair],
            "algs": [key.alg for key in pair],
            "jwks": [json.dumps(key.public_jwk) for key in pair],
            "sealed": [cipher.seal(key.pkcs8_der, purpose(key.kid, key.alg)) for key in pair],
            "user_ids": user_ids,
            "usernames": self._usernames,
            "emails": [f"{name}@{slug}.example" for name in self._usernames],
            "clients": [new_id() for _ in self._client_ids],
            "client_ids": self._client_ids,
            "metadata": self._metadata,
            "digests": [
                digest(Kind.CLIENT_SECRET, tenant_id, secret_of(self._hmac_key, slug, client_id))
                for client_id in self._client_ids
            ],
            "events": [event[0] for event in events],
            "types": [event[1] for event in events],
            "targets": [event[2] for event in events],
            "details": [json.dumps(event[3]) for event in events],
        }

    def _events(
        self, slug: str, pair: Sequence[GeneratedKey], user_ids: Sequence[UUID]
    ) -> Iterable[tuple[str, str, str, Mapping[str, str]]]:
        """The lines of the record: event, kind and id of what it is about, details."""
        for key in pair:
            yield "key.published", "signing_key", key.kid, {"alg": key.alg, "state": "active"}
        yield "tenant.created", "tenant", slug, {}
        for user_id in user_ids:
            yield "user.created", "user", str(user_id), {}
            yield "user.role_granted", "user", str(user_id), {"role": "user"}
        for client_id in self._client_ids:
            yield "client.created", "client", client_id, {"name": client_id}
