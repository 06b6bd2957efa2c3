"""How often somebody without a secret may make us keep or fetch something, by address."""

from cachetools import TTLCache

#: Requests of one client from one address within the window, and its length in seconds.
MOST = 60
WINDOW = 60


class Bursts:
    """Counts in the memory of one process: this slows down, and decides nothing."""

    def __init__(self, size: int = 50_000) -> None:
        self._counts: TTLCache[bytes, list[int]] = TTLCache(size, WINDOW)

    def is_one_too_many(self, subject: bytes) -> bool:
        """Count one more of *subject*, whose window began with its first."""
        count = self._counts.get(subject)
        if count is None:
            count = self._counts[subject] = [0]
        count[0] += 1
        return count[0] > MOST
