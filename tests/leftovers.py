"""What is still running: processes are known by the folder that they work in."""

import time
from pathlib import Path


def processes_in(folder):
    """Name every process whose working directory is in *folder*, workers of workers included."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                where = (entry / "cwd").readlink()
            except OSError:
                continue
            if where.is_relative_to(folder):
                yield int(entry.name)


def wait_until_gone(folder, seconds=10):
    deadline = time.monotonic() + seconds
    while remaining := list(processes_in(folder)):
        assert time.monotonic() < deadline, f"still alive: {remaining}"
        time.sleep(0.05)
