"""What the door permits and how long it waits. Its values are the product's, not a tenant's."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class OutboundRules:
    """
    The limits of the door.

    *allow* are exact `host:port` pairs, written as `urls.canonical` does, that are asked whatever
    address they have, also by plain http; *ca_file* holds certificates in PEM that are trusted
    beside the system's. A *party* is on whose behalf a request is made, mostly a tenant: its slow
    hosts take its own places and no other's.
    """

    allow: frozenset[str] = frozenset()
    ca_file: Path | None = None
    seconds: float = 5  # for everything, from the look-up of the name to the last byte
    connect_seconds: float = 2  # for one address to accept a connection, and for its handshake
    most_bytes: int = 2 * 1024 * 1024  # of an answer, whatever its reader would take
    most_addresses: int = 4  # of one name that are tried
    per_host: int = 4  # requests of one party under way to one host
    per_party: int = 32  # requests of one party under way or waiting
    at_once: int = 512  # requests of everybody under way or waiting
    lookups_per_party: int = 8  # names of one party being looked up
    lookups_at_once: int = 32  # names being looked up
    failures_to_open: int = 5  # in a row, after which a host is left alone
    rest_seconds: float = 30  # for which it is left alone before one request tries it again
