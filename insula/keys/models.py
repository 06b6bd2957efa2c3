"""A key's phases and the times between them (protocol.md 5.4, 5.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID
from zlib import crc32

State = Literal["next", "active", "retiring", "retired", "revoked"]

#: Every tenant has these from its first minute (protocol.md 5.2).
BIRTH_ALGORITHMS: Final = ("RS256", "ES256")
ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA")

#: How long the JWKS may be cached, twice: nobody can sign with a key that a verifier cannot know.
SHORTEST_LEAD: Final = timedelta(seconds=600)
#: What a token lives at most by the bounds that are built in: while nobody knows better.
LONGEST_LIFE: Final = timedelta(days=1)
#: How long a key that waits for applications is left alone before it is looked at again.
LOOK_AGAIN: Final = timedelta(minutes=15)
#: The part of an interval by which a key may be replaced earlier than another.
_JITTER: Final = 0.1
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
    #: Seconds that a token of it lives at most; None while nobody has looked.
    longest_life: int | None = None
    #: Since when it would sign if no important application were behind, and which these are.
    waiting_since: datetime | None = None
    waits_for: Sequence[str] = ()
    #: It signs, and its times have not been looked at since what decides about them changed.
    stale: bool = False

    @property
    def overlap_life(self) -> int | None:
        """*longest_life*, as far as it can be relied on."""
        return None if self.stale else self.longest_life


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key that may sign: the private part still sealed."""

    kid: str
    alg: str
    sealed: bytes


def signs_for(kid: str, interval_days: int) -> timedelta:
    """
    How long a key signs: the interval, less up to a tenth of it (protocol.md 5.5).

    The part is the key's own and stays the same, so that keys which were made together are not all
    replaced together, and a planned time does not move when it is made anew.
    """
    return timedelta(days=interval_days) * (1 - _JITTER * crc32(kid.encode()) / 2**32)


def overlap(longest_life: int | None, shortest: int) -> timedelta:
    """
    How long a key that no longer signs stays published: until what it signed has expired.

    Both in seconds; never shorter than *shortest* (features.md K02).
    """
    longest = LONGEST_LIFE if longest_life is None else timedelta(seconds=longest_life)
    return max(longest + _JWKS_MAX_AGE + _LEEWAY, timedelta(seconds=shortest))


def purpose(kid: str, alg: str) -> str:
    """Where a sealed private key belongs: the associated data of its envelope (protocol.md 5.3)."""
    return f"signing key\0{kid}\0{alg}"


How = Literal["fetched", "used"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The key that an application was last seen with, in one way, for one algorithm."""

    kid: str
    alg: str
    how: How
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Adoption:
    """
    What is known of one application; *behind* is None when there is nothing to tell by.

    Behind is who has been seen and not with every key that is published as `next`. *evidence* is
    newest first.
    """

    id: UUID
    client_id: str
    name: str
    important: bool
    behind: bool | None
    evidence: Sequence[Evidence]
