"""The peer as a running server, and how one signs in there."""

import contextlib
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlencode, urlsplit

from bench import processes
from bench.flows import CALLBACK, OK, PEOPLE, SEE_OTHER, expect
from bench.http import connect, cookies, get, header, post
from bench.peer import database
from bench.peer.packages import NODE
from bench.processes import Process
from insula.platform.embedded.ports import free_port


@dataclass(frozen=True, slots=True)
class Peer:
    """Where it answers, and what the flows sign in with."""

    port: int
    server: Process
    secrets: dict[str, str]
    #: It takes `offline_access` for said only where consent is asked for too.
    offline: ClassVar[Mapping[str, str]] = {"prompt": "consent"}

    @property
    def ops_host(self) -> str:
        return f"ops.localhost:{self.port}"

    def host(self, slug: str) -> str:
        return f"{slug}.localhost:{self.port}"

    def cpu_seconds(self) -> float:
        return processes.cpu_seconds(self.server)

    async def trips(self) -> float:
        """Database round trips that requests have made so far."""
        line = await connect(self.port)
        _, body = await expect(line, get(self.ops_host, "/trips"), OK)
        line.close()
        return float(body)

    async def session_cookie(self, slug: str, username: str = PEOPLE[0]) -> str:
        """Sign in by name, as its own pages do; the session cookie."""
        line, host = await connect(self.port), self.host(slug)
        query = {
            "client_id": "es256",
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
        }
        head, _ = await expect(line, get(host, f"/oauth2/authorize?{urlencode(query)}"), SEE_OTHER)
        browser, where = cookies(head), header(head, "location")
        await expect(line, get(host, where, cookie=browser), OK)
        form = {"username": username}
        head, _ = await expect(line, post(host, where, form, cookie=browser), SEE_OTHER)
        back = urlsplit(header(head, "location")).path
        head, _ = await expect(line, get(host, back, cookie=browser), SEE_OTHER)
        line.close()
        found = [each for each in cookies(head).split("; ") if each.startswith("_session")]
        if not header(head, "location").startswith(f"{CALLBACK}?code=") or not found:
            raise AssertionError(head)
        return "; ".join(found)


@contextlib.asynccontextmanager
async def running(folder: Path, superuser_url: str, slugs: list[str]) -> AsyncIterator[Peer]:
    """The program in *folder* with these tenants, on the core of servers, gone at the end."""
    url, known = database.prepare(superuser_url, slugs)
    port = free_port()
    server = processes.start(
        [str(NODE), "server.js"],
        {"NODE_ENV": "production", "PEER_DATABASE_URL": url, "PEER_PORT": str(port)},
        folder=folder,
        stdout=subprocess.DEVNULL,  # notices about its defaults
    )
    try:
        peer = Peer(port, server, known)
        await processes.ready(port, peer.ops_host)
        yield peer
    finally:
        processes.stop(server)
