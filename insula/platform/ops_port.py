"""
A port of its own for probes and metrics, on which the ops gateway answers whatever the host.

A probe and a scraper that come by a pod's address cannot name a host. No tenant answers here:
nothing but the gateway is behind this port. It is served in the loop of the process that it tells
of, so that a process which stands still does not answer.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn

from insula.isolation.service import Watch
from insula.jobs.queue import Queue
from insula.kernel.errors import Invalid
from insula.kernel.metrics import REGISTRY
from insula.ops_gateway.routes import OpsGateway
from insula.platform import readiness
from insula.platform.context import Context
from insula.platform.edge import Edge, Rules
from insula.platform.server import StrictProtocol
from insula.tenancy.hosts import NOBODY, Networks

_BACKLOG = 64


class _Aside(uvicorn.Server):
    """A server beside what the process is there for, which is who hears the signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise Invalid(f"Nothing can listen on {host} port {port}: {error.strerror}.") from error


def gateway_of_worker(here: Context, queue: Queue) -> OpsGateway:
    """What a worker tells of itself: that its queue goes on, what it needs, and its numbers."""
    return OpsGateway(
        checks=readiness.checks(here.database),
        reports={"isolation": Watch(here.platform).report},
        registry=REGISTRY,
        metrics_from=Networks(here.settings.metrics_cidrs),
        proxies=NOBODY,
        header_peers=NOBODY,
        key=None,
        life={"queue": queue.alive},
    )


@contextlib.asynccontextmanager
async def answering(gateway: OpsGateway, host: str, port: int | None) -> AsyncIterator[None]:
    """
    Let *gateway* answer on *port* meanwhile; on none where there is none.

    No proxy is trusted here, and nothing is counted or logged: nobody but the operator's own
    programs ask. Raises `Invalid` when the port is another's.
    """
    if port is None:
        yield
        return
    listener = _listen(host, port)
    config = uvicorn.Config(
        Edge(gateway, Rules(NOBODY, https=False, counted=False)),
        http=StrictProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _Aside(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        listener.close()
