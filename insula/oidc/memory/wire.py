"""What stands between the engine and its host, made visible and breakable."""

import asyncio
from collections import Counter

from insula.kernel.errors import Unavailable


class Wire:
    """What separates the engine from its host: trips are counted, and may fail."""

    def __init__(self) -> None:
        self.trips: Counter[str] = Counter()
        self.is_cut = False

    async def trip(self, name: str) -> None:
        self.trips[name] += 1
        await asyncio.sleep(0)
        if self.is_cut:
            raise Unavailable("The database is away", retry_after=7)
