"""A whole installation for a measurement: database, tenants, a server on a core of its own."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from bench import processes
from bench.flows import CALLBACK, PEOPLE
from bench.http import connect, get, header, post
from bench.processes import OTHER_CORE, Process
from insula.accounts import service as accounts
from insula.clients import service as clients
from insula.keys import service as keys
from insula.oidc.signing import GeneratedKey
from insula.platform.context import Context, opened
from insula.platform.dev import secrets as remembered
from insula.platform.dev import store
from insula.platform.embedded import EmbeddedPostgres, EmbeddedValkey
from insula.platform.embedded.ports import free_port
from insula.tenants import service as tenants

PASSWORD = "a long enough password"
_CSRF = re.compile(rb'name="csrf_token" value="([^"]+)"')


@dataclass
class Installation:
    """Where it answers, and what the flows sign in with."""

    port: int
    ops_host: str
    folder: Path
    urls: store.Urls
    environment: dict[str, str]
    superuser_url: str
    server: Process | None = None
    secrets: dict[str, str] = field(default_factory=dict)
    offline: ClassVar[Mapping[str, str]] = {}

    def host(self, slug: str) -> str:
        return f"{slug}.localhost:{self.port}"

    def start(self, **more: str) -> Process:
        """A server on the core of servers; *more* are variables of its own."""
        command = [sys.executable, "-m", "insula.platform.cli", "serve"]
        return processes.start(command, {**self.environment, **more})

    def cpu_seconds(self) -> float:
        """What the server has used of its core since it began."""
        assert self.server is not None  # noqa: S101  (for the type checker)
        return processes.cpu_seconds(self.server)

    async def trips(self) -> float:
        """Database round trips that requests have made so far."""
        connection = await connect(self.port)
        _, _, body = await connection.send(get(self.ops_host, "/metrics"))
        connection.close()
        found = re.search(rb"^insula_database_trips_total ([0-9.e+]+)$", body, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def session_cookie(self, slug: str, username: str = PEOPLE[0]) -> str:
        """Sign in as a person would; the session cookie."""
        connection = await connect(self.port)
        host = self.host(slug)
        _, head, _ = await connection.send(get(host, "/sign-in"))
        browser, where = header(head, "set-cookie").split(";")[0], header(head, "location")
        _, _, page = await connection.send(get(host, where, cookie=browser))
        found = _CSRF.search(page)
        assert found is not None  # noqa: S101  (the page has a form)
        status, head, _ = await connection.send(
            post(
                host,
                where,
                {"csrf_token": found[1].decode(), "username": username, "password": PASSWORD},
                cookie=browser,
            )
        )
        connection.close()
        assert status == 303, status  # noqa: S101, PLR2004  (for the type checker)
        return header(head, "set-cookie").split(";")[0]


@contextlib.asynccontextmanager
async def installed(names: list[str]) -> AsyncIterator[Installation]:
    """An installation with these tenants and a server, on this machine, gone at the end."""
    async with prepared() as here:
        async with opened() as context:
            await _seed(context, here, names)
        here.server = here.start()
        try:
            await processes.ready(here.port, here.ops_host)
            yield here
        finally:
            processes.stop(here.server)


@contextlib.asynccontextmanager
async def prepared() -> AsyncIterator[Installation]:
    """A migrated database and Valkey, with nothing in them and no server, gone at the end."""
    os.sched_setaffinity(0, {OTHER_CORE})
    with tempfile.TemporaryDirectory(prefix="insula-bench-") as name:
        folder = Path(name)
        os.chmod(name, 0o755)  # noqa: PTH101, S103  (PostgreSQL may run as another user below it)
        postgres, valkey = EmbeddedPostgres(folder / "pg"), EmbeddedValkey(folder / "valkey")
        postgres.start()
        valkey.start()
        try:
            settings = remembered.Remembered()
            urls = store.prepare(postgres.superuser_url, settings)
            port = free_port()
            environment = {
                "INSULA_ENV": "development",
                "INSULA_BASE_DOMAIN": "localhost",
                "INSULA_PUBLIC_PORT": str(port),
                "INSULA_PORT": str(port),
                "INSULA_DATABASE_URL": urls.app,
                "INSULA_DATABASE_PLATFORM_URL": urls.platform,
                "INSULA_REDIS_URL": valkey.url,
                "INSULA_MULTI_TENANCY_ENABLED": "true",
                "INSULA_SECRETS_KEY": settings.secrets_key,
                "INSULA_HMAC_KEY": settings.hmac_key,
                "INSULA_LOG_LEVEL": "WARNING",
                "INSULA_DATABASE_POOL_SIZE": "16",
            }
            os.environ.update(environment)
            here = Installation(
                port,
                f"ops.localhost:{port}",
                folder,
                urls,
                {**os.environ, **environment},
                postgres.superuser_url.rpartition("/")[0] + "/insula",
            )
            yield here
        finally:
            valkey.stop()
            postgres.stop()


async def _seed(context: Context, here: Installation, names: list[str]) -> None:
    """Tenants; the first has the people and the applications of the flows."""
    await tenants.ensure_special(context.platform, context.envelope, context.rotation)
    ready = await keys.prepare()

    async def prepared(_algorithms: object = None) -> list[GeneratedKey]:
        return ready

    keys.prepare = prepared  # type: ignore[assignment]  # a thousand RSA keys are not measured here
    for slug in names:
        await tenants.create(
            context.platform, context.envelope, context.rotation, slug=slug, display_name=slug
        )
    tenant = await context.tenant(names[0])
    hashed = await context.passwords.hash(tenant.id, PASSWORD)
    async with tenant.transaction() as db:
        for name in PEOPLE:
            await accounts.create(
                db,
                username=name,
                email=f"{name}@bench.example",
                password_hash=hashed,
                display_name="Ada",
            )
    for client_id, values in _CLIENTS.items():
        metadata = clients.parse_metadata(
            {"redirect_uris": (CALLBACK,), **values}, development=True
        )
        made = await clients.register(tenant, client_id, metadata, client_id=client_id)
        here.secrets[client_id] = made.secret or ""


_CLIENTS: dict[str, dict[str, object]] = {
    "rs256": {"consent": "skip", "profile": "standard"},
    "es256": {
        "consent": "skip",
        "profile": "standard",
        "id_token_signed_response_alg": "ES256",
    },
    "machine": {
        "grant_types": ("client_credentials",),
        "scopes": ("reports:read",),
        "introspects_others": True,
        "redirect_uris": (),
    },
}
