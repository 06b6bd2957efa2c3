"""
Key sets that clients publish at their `jwks_uri`, kept for a while (protocol.md 5.6, CA-4).

What the keys are good for is judged where they are used; here is only the document.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from cachetools import LRUCache

from insula.outbound.door import Door, Fetched
from insula.outbound.errors import BadAnswer, Busy, OutboundError, Unreachable

_Name = tuple[UUID, UUID, str]

_ACCEPT: Final = ("application/jwk-set+json", "application/json")
_LARGEST: Final = 64 * 1024  # bytes of a document
_MOST_KEYS: Final = 20
_USUAL: Final = 300  # seconds a document is kept whose host does not say
_SHORTEST, _LONGEST = 60, 86_400  # seconds within which the host may say
_PAUSE: Final = 30  # seconds from one question to the next
_LAST_GOOD: Final = 86_400  # seconds from its arrival that a document serves without its host
_MEMORY: Final = 8 * 1024 * 1024  # bytes of all documents
_OVERHEAD: Final = 512  # bytes that a client counts beside its document
#: What is kept of a key (RFC7517-4, RFC7518-6): the rest would take many times its size in memory.
#: Private members are kept to be seen by who looks at them when a client registers.
_KEPT: Final = ("kty", "use", "alg", "kid", "crv", "x", "y", "n", "e", "d", "k")


@dataclass(frozen=True, slots=True)
class _Document:
    keys: Sequence[Mapping[str, Any]]
    size: int
    got_at: float
    fresh_until: float

    def holds(self, kid: str | None) -> bool:
        return kid is None or any(key.get("kid") == kid for key in self.keys)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one client: the last good document, and how the last question failed."""

    asked_at: float
    document: _Document | None
    failure: OutboundError | None = None


def _size(known: _Known) -> int:
    return _OVERHEAD + (known.document.size if known.document else 0)


class ClientKeys:
    """The key sets of all clients that a process serves. *clock* tells seconds that only grow."""

    def __init__(self, door: Door, clock: Callable[[], float] = time.monotonic) -> None:
        self._door = door
        self._clock = clock
        self._known: LRUCache[_Name, _Known] = LRUCache(_MEMORY, getsizeof=_size)
        self._asking: dict[_Name, asyncio.Task[_Known]] = {}

    async def keys(
        self, tenant_id: UUID, client_id: UUID, jwks_uri: str, *, kid: str | None
    ) -> Sequence[Mapping[str, Any]]:
        """
        The client's keys as its document has them; *kid* is the one that is looked for.

        A document that is too old or does not hold *kid* is fetched again, but the host is asked
        at most once in 30 s for one client, whatever it answered; *kid* may still be missing then.

        Raises `OutboundError`: `BadAnswer` for a document that is no set of at most 20 keys, and
        what the door raises where no copy of the last 24 h stands in for a host that is away.
        """
        name = (tenant_id, client_id, jwks_uri)
        known = self._known.get(name)
        if known is None or self._is_due(known, kid):
            known = await self._ask_once(name, known)
        return self._usable(known)

    def _is_due(self, known: _Known, kid: str | None) -> bool:
        now = self._clock()
        if now - known.asked_at < _PAUSE:
            return False
        document = known.document
        return document is None or now >= document.fresh_until or not document.holds(kid)

    def _usable(self, known: _Known) -> Sequence[Mapping[str, Any]]:
        document = known.document
        failure = known.failure or Unreachable("The client's keys are too old.", detail="too old")
        if document is not None:
            until = document.fresh_until
            if isinstance(failure, Unreachable | Busy):
                until = max(until, document.got_at + _LAST_GOOD)
            if self._clock() < until:
                return document.keys
        # A new one: this one may be raised to many callers, now and later.
        raise type(failure)(failure.description, detail=failure.detail)

    async def _ask_once(self, name: _Name, before: _Known | None) -> _Known:
        """Ask the host, or wait with those who do; one who gives up ends it for nobody else."""
        asking = self._asking.get(name)
        if asking is None:
            asking = asyncio.create_task(self._ask(name, before))
            self._asking[name] = asking
            asking.add_done_callback(lambda _: self._asking.pop(name))
        return await asyncio.shield(asking)

    async def _ask(self, name: _Name, before: _Known | None) -> _Known:
        tenant_id, _, jwks_uri = name
        asked_at = self._clock()
        document = before.document if before else None
        try:
            fetched = await self._door.fetch(
                jwks_uri,
                limit=_LARGEST,
                accept=_ACCEPT,
                purpose="client_keys",
                party=str(tenant_id),
            )
            known = _Known(asked_at, self._document(fetched))
        except Busy as failure:  # the host was not asked, so there is nothing to pause after
            known = _Known(before.asked_at if before else -math.inf, document, failure)
        except OutboundError as failure:
            known = _Known(asked_at, document, failure)
        self._known[name] = known
        return known

    def _document(self, fetched: Fetched) -> _Document:
        now = self._clock()
        max_age = _USUAL if fetched.max_age is None else fetched.max_age
        kept = min(max(max_age, _SHORTEST), _LONGEST)
        return _Document(_read(fetched.body), len(fetched.body), now, now + kept)


def _read(body: bytes) -> Sequence[Mapping[str, Any]]:
    """Read a JWK Set (RFC7517-5). Raises `BadAnswer`."""
    try:
        read = json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise _bad("no JSON") from error
    keys = read.get("keys") if isinstance(read, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise _bad("no object with an array of keys")
    if len(keys) > _MOST_KEYS:
        raise _bad(f"more than {_MOST_KEYS} keys")
    return tuple(_short(key) for key in keys)


def _short(key: Mapping[str, Any]) -> Mapping[str, Any]:
    """Keep the members that are texts; one that should be a text and is not spoils its key."""
    kept = {name: key[name] for name in _KEPT if name in key}
    return kept if all(isinstance(value, str) for value in kept.values()) else {}


def _bad(what: str) -> BadAnswer:
    return BadAnswer(f"The client's key set: {what}.", detail=f"key set: {what}")
