"""Which tenants are seeded, and how those who measure know their names and secrets."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from insula.kernel.ids import PREFIXES, Kind

PREFIX: Final = "bench-"
MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How many tenants there shall be, and how many people and clients each of them has."""

    tenants: int
    users: int = 2
    clients: int = 1


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a run did: tenants that it made, and those that were there before."""

    made: int
    present: int


def slug_of(number: int) -> str:
    """The slug of a seeded tenant, counted from 0."""
    return f"{PREFIX}{number:06}"


def name_of(number: int) -> str:
    return f"Bench {number:06}"


def username_of(number: int) -> str:
    """A person of each tenant, counted from 1."""
    return f"user-{number}"


def client_id_of(number: int) -> str:
    """A client of each tenant, counted from 1."""
    return f"client-{number}"


def secret_of(key: bytes, slug: str, client_id: str) -> str:
    """The secret of a seeded client, which only a holder of INSULA_HMAC_KEY can work out again."""
    said = f"seeded client\0{slug}\0{client_id}".encode()
    mac = hmac.new(key, said, hashlib.sha256).digest()
    return PREFIXES[Kind.CLIENT_SECRET] + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
