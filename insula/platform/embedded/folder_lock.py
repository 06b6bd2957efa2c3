"""
One server per folder, for exactly as long as one of its processes lives.

The lock is a flock on an open file that the server's processes inherit.  The kernel lets it go when
the last of them is gone, so whoever gets it may treat everything in the folder as left behind.
"""

import fcntl
import os
import time
from pathlib import Path

from insula.platform.embedded.errors import AlreadyRunning

PATIENCE = 15.0  # seconds for the processes of a killed server to notice and leave


def acquire(folder: Path) -> int:
    """Lock *folder* and return the descriptor to hand down, waiting for orphans to be gone."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holders = [int(word) for word in os.pread(descriptor, 64, 0).split()]
            # With its starter or itself dead, a server is on its way out: worth waiting for.
            if time.monotonic() > deadline or (holders and all(map(_is_alive, holders))):
                os.close(descriptor)
                starter = holders[0] if holders else "unknown"
                raise AlreadyRunning(
                    f"{folder} is in use by a server that process {starter} started"
                ) from None
            time.sleep(0.05)
        else:
            return descriptor


def sign(descriptor: int, *, server: int) -> None:
    """Record who started the server and which process it is."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()} {server}\n".encode(), 0)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
