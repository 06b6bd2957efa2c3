"""
How often a client may call, by how much a call costs or opens (features.md Z02).

Counted in Valkey or Redis for all processes together; while that is away each process counts
for itself, so a limiter that fails never opens (security row 110).
"""

import time
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

_log = structlog.get_logger(__name__)

Tier = Literal["read", "write", "delete", "sensitive"]

PER_MINUTE: Final[dict[Tier, int]] = {"read": 100, "write": 30, "delete": 10, "sensitive": 3}
_WINDOW: Final = 60
_PATIENCE: Final = 0.2
#: Seconds in which nobody waits for a store that did not answer.
_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a client stands after a call: *reset* in seconds until one more is allowed."""

    tier: Tier
    allowed: bool
    remaining: int
    reset: int

    def headers(self) -> list[tuple[str, str]]:
        """The fields of draft-ietf-httpapi-ratelimit-headers."""
        return [
            ("RateLimit-Policy", f'"{self.tier}";q={PER_MINUTE[self.tier]};w={_WINDOW}'),
            ("RateLimit", f'"{self.tier}";r={self.remaining};t={self.reset}'),
        ]


class Rates:
    """Counts calls, over the store at *url* while it answers."""

    def __init__(self, url: str | None) -> None:
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        if url:
            storage = RedisStorage(
                f"async+{url}",
                implementation="redispy",
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
            )
            self._shared = MovingWindowRateLimiter(storage)
        self._not_before = 0.0

    async def take(self, tenant_id: UUID, tier: Tier, client: UUID) -> Standing:
        """Count one call of a tenant's client."""
        if self._shared is not None and time.monotonic() >= self._not_before:
            try:
                return await _take(self._shared, tenant_id, tier, client)
            except (RedisError, OSError, TimeoutError) as error:
                self._not_before = time.monotonic() + _PAUSE
                _log.warning("rates.store_away", error=type(error).__name__)
        return await _take(self._own, tenant_id, tier, client)


async def _take(
    limiter: MovingWindowRateLimiter, tenant_id: UUID, tier: Tier, client: UUID
) -> Standing:
    item = RateLimitItemPerMinute(PER_MINUTE[tier], namespace="insula")
    key = (str(tenant_id), "api", tier, str(client))
    allowed = await limiter.hit(item, *key)
    window = await limiter.get_window_stats(item, *key)
    reset = max(0, min(_WINDOW, round(window.reset_time - time.time() + 0.5)))
    return Standing(tier, allowed, max(0, window.remaining), reset)
