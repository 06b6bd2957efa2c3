"""The servers that are measured: processes on a core of their own, and what they use of it."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.http import connect, get

SERVER_CORE, OTHER_CORE = 0, 1
Process = subprocess.Popen[bytes]


def start(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    stdout: int | None = None,
) -> Process:
    """A server on the core of servers."""
    return subprocess.Popen(  # noqa: S603  (our own words)
        command,
        cwd=folder,
        env=environment,
        stdout=stdout,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),  # noqa: PLW1509  (one thread so far)
    )


def cpu_seconds(server: Process) -> float:
    """What a server that is one process has used of its core since it began."""
    used = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(server: Process) -> int:
    """Memory of a server that is one process."""
    text = Path(f"/proc/{server.pid}/statm").read_text()
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def stop(server: Process) -> None:
    """End a server as a supervisor does."""
    server.send_signal(signal.SIGTERM)
    server.wait(20)


async def ready(port: int, host: str, *, every: float = 0.1) -> None:
    """Wait until the server on that port serves. Raises `TimeoutError` after two minutes."""
    async with asyncio.timeout(120):
        while True:
            with contextlib.suppress(OSError):
                connection = await connect(port)
                status, _, _ = await connection.send(get(host, "/ready"))
                connection.close()
                if status == 200:  # noqa: PLR2004  (clearer than a name)
                    return
            await asyncio.sleep(every)
