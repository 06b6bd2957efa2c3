"""
What HTTP alone costs: an application that answers the same bytes to everybody.

`python -m bench.bare PORT` serves it under the very terms of our own server.
"""

import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bench import processes
from bench.processes import Process
from insula.platform.embedded.ports import free_port
from insula.platform.server import run

HOST = "bare.localhost"
#: As long as a discovery document.
_BODY = b'{"issuer":"https://bare.example"}'.ljust(2048)
_HEAD = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]
_Message = dict[str, Any]


async def application(
    scope: _Message,
    receive: Callable[[], Awaitable[_Message]],
    send: Callable[[_Message], Awaitable[None]],
) -> None:
    """Answer."""
    if scope["type"] == "lifespan":
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
    await send({"type": "http.response.body", "body": _BODY})


def create() -> object:
    """The application, for uvicorn's factory."""
    return application


@dataclass(frozen=True, slots=True)
class Bare:
    """The server with nothing behind it."""

    port: int
    server: Process

    def cpu_seconds(self) -> float:
        return processes.cpu_seconds(self.server)

    async def trips(self) -> float:
        return 0


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Bare]:
    """The server, on the core of servers, gone at the end."""
    port = free_port()
    server = processes.start([sys.executable, "-m", "bench.bare", str(port)])
    try:
        await processes.ready(port, HOST)
        yield Bare(port, server)
    finally:
        processes.stop(server)


if __name__ == "__main__":
    run("bench.bare:create", host="127.0.0.1", port=int(sys.argv[1]))
