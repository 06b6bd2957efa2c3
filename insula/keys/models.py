"""A key's phases and the times between them (protocol.md 5.4, 5.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

State = Literal["next", "active", "retiring", "retired", "revoked"]

#: Every tenant has these from its first minute (protocol.md 5.2).
BIRTH_ALGORITHMS: Final = ("RS256", "ES256")
ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA")

#: How long the JWKS may be cached, twice: nobody can sign with a key that a verifier cannot know.
SHORTEST_LEAD: Final = timedelta(seconds=600)
#: Never shorter than this, whatever the longest token lives (features.md K02).
SHORTEST_OVERLAP: Final = timedelta(seconds=7200)
_JWKS_MAX_AGE: Final = timedelta(seconds=300)
_LEEWAY: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class SigningKeyRecord:
    """A key without its private part."""

    id: UUID
    kid: str
    alg: str
    state: State
    public_jwk: Mapping[str, Any]
    published_at: datetime
    activated_at: datetime | None
    retiring_at: datetime | None
    retired_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key that may sign: the private part still sealed."""

    kid: str
    alg: str
    sealed: bytes


def overlap(longest_life: timedelta) -> timedelta:
    """How long a key that no longer signs stays published: until what it signed has expired."""
    return max(longest_life + _JWKS_MAX_AGE + _LEEWAY, SHORTEST_OVERLAP)


def purpose(kid: str, alg: str) -> str:
    """Where a sealed private key belongs: the associated data of its envelope (protocol.md 5.3)."""
    return f"signing key\0{kid}\0{alg}"
