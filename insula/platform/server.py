"""`insula serve`: the web server and its worker processes."""

from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from insula.platform import processes
from insula.platform.environment import Settings

#: Below what a supervisor waits before it kills.
DRAIN = 4
#: Seconds that a process has to say that it lives; on a busy machine the usual five are too few.
_PATIENCE = 15
_VERSIONS = frozenset({"1.0", "1.1"})


class StrictProtocol(HttpToolsProtocol):
    """
    HTTP/1.1 and nothing else, and no request whose target names a host of its own.

    The parser takes any version, also none. An absolute-form target would name the tenant a
    second time, beside Host; no client of an origin server needs one. It is shown to tenancy as
    a second Host header, which is refused.
    """

    def on_headers_complete(self) -> None:
        if self.parser.get_http_version() not in _VERSIONS:
            raise ValueError("not a version of ours")  # the parser makes a 400 of it
        if not self.url.startswith((b"/", b"*")):
            self.headers.append((b"host", b"absolute-form.invalid"))
        super().on_headers_complete()


def serve(settings: Settings, *, host: str | None = None, port: int | None = None) -> None:
    """
    Serve until told to stop: one process, or as many as INSULA_WORKERS says.

    Forwarding headers are read by the edge alone, from trusted proxies.
    """
    run(
        "insula.platform.app:create",
        host=host or settings.host,
        port=port or settings.port,
        workers=settings.workers,
    )


def run(factory: str, *, host: str, port: int, workers: int = 1) -> None:
    """Serve the application that *factory* makes, under the terms of our HTTP."""
    options: dict[str, Any] = {
        "factory": True,
        "host": host,
        "port": port,
        "http": StrictProtocol,
        "ws": "none",
        "loop": "uvloop",
        "lifespan": "on",
        "access_log": False,
        "log_config": None,
        "proxy_headers": False,
        "server_header": False,
        "date_header": True,
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": DRAIN,
        "timeout_worker_healthcheck": _PATIENCE,
        "backlog": 2048,
    }
    if workers > 1:
        processes.supervise(uvicorn.Config(factory, workers=workers, **options))
    else:
        uvicorn.run(factory, **options)
