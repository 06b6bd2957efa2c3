"""The wall clock, in one place so that tests can move it."""

import time
from collections.abc import Callable

_offset = 0.0


def now() -> float:
    """Seconds since 1970, for what is written into tokens; expiry of rows is the database's."""
    return time.time() + _offset


def shift(seconds: float) -> Callable[[], None]:
    """Move this process's clock by *seconds*; returns what moves it back. For tests."""
    global _offset  # noqa: PLW0603  (the one clock of the process)
    _offset += seconds

    def back() -> None:
        global _offset  # noqa: PLW0603  (the one clock)
        _offset -= seconds

    return back
