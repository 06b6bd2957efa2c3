"""Start everything in order, say where to look and whom to be, and end as one."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from insula.platform.context import opened
from insula.platform.dev import secrets, seed, store
from insula.platform.embedded import (
    EmbeddedPostgres,
    EmbeddedServerError,
    EmbeddedValkey,
    ports,
)
from insula.platform.supervisor import Child, ChildEnded, Supervisor
from insula.tenancy.models import PLATFORMS

FOLDER = Path(".insula")

out = Console(soft_wrap=True)


class PortTaken(Exception):
    """A sentence for the developer at the terminal, with the option that is the way out."""


def run(*, port: int, demo_port: int) -> int:
    """Run until Ctrl-C or until a part that everything needs has ended; the exit code."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    try:
        with Supervisor(FOLDER) as supervisor:
            try:
                _refuse_taken(port, demo_port)
                _start(supervisor, port=port, demo_port=demo_port)
            except KeyboardInterrupt:
                return 130
            return supervisor.watch()
    except ChildEnded as ended:
        out.print(f"insula: {ended}", highlight=False)
        return ended.exit_code
    except (EmbeddedServerError, PortTaken, TimeoutError) as error:
        out.print(f"insula: {error}", highlight=False)
        return 1


def _refuse_taken(port: int, demo_port: int) -> None:
    """Whoever has the port would answer in our place, and be handed passwords."""
    if port == demo_port:
        raise PortTaken(f"--port and --demo-port are both {port}; choose two")
    for number, option in ((port, "--port"), (demo_port, "--demo-port")):
        if not ports.is_free(number):
            raise PortTaken(f"port {number} is in use by another program; choose one with {option}")


def _start(supervisor: Supervisor, *, port: int, demo_port: int) -> None:
    started = time.monotonic()
    base, demo_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{demo_port}"
    supervisor.announce([base, demo_url])
    remembered_at = FOLDER / "secrets.json"
    remembered = secrets.load(remembered_at)
    secrets.save(remembered_at, remembered)

    postgres = EmbeddedPostgres(FOLDER.resolve() / "postgres")
    valkey = EmbeddedValkey(FOLDER.resolve() / "valkey")
    with out.status("Starting PostgreSQL and Valkey"):
        supervisor.start(postgres)
        supervisor.start(valkey)
    with out.status("Migrating the database"):
        urls = store.prepare(postgres.superuser_url, remembered)
    environment = _environment(remembered, urls, valkey.url, port)
    os.environ.update(environment)
    secrets.write_private(
        FOLDER / "dev.env", "".join(f"{name}={value}\n" for name, value in environment.items())
    )
    with out.status("Making the demo tenants"):
        asyncio.run(_seed(remembered, demo_url))
    secrets.save(remembered_at, remembered)
    described = asyncio.run(_describe(remembered, urls, valkey.url, base, demo_url))
    secrets.save(FOLDER / "dev.json", described)

    python = [sys.executable, "-m"]
    dev_json = str((FOLDER / "dev.json").resolve())
    with out.status("Starting the provider"):
        supervisor.start(Child("serve", [*python, "insula.platform.cli", "serve"]))
        supervisor.start(
            Child(
                "demo",
                [*python, "uvicorn", "--factory", "insula.platform.demo.app:create_app",
                 "--port", str(demo_port), "--no-access-log", "--log-level", "warning",
                 "--timeout-graceful-shutdown", "3"],
                env={**os.environ, "INSULA_DEV_JSON": dev_json},
            )
        )  # fmt: skip
        supervisor.wait_for_http(port, "/ready", host=f"ops.localhost:{port}")
        supervisor.wait_for_http(demo_port, "/")
    _summary(described, demo_url, time.monotonic() - started)


def _environment(
    remembered: secrets.Remembered, urls: store.Urls, events_url: str, port: int
) -> Mapping[str, str]:
    """What a development process runs with; what the caller has set already wins where it may."""
    return {
        "INSULA_ENV": "development",
        "INSULA_BASE_DOMAIN": "localhost",
        "INSULA_PUBLIC_PORT": str(port),
        "INSULA_PORT": str(port),
        "INSULA_HOST": "127.0.0.1",
        "INSULA_DATABASE_URL": urls.app,
        "INSULA_DATABASE_PLATFORM_URL": urls.platform,
        "INSULA_DATABASE_OWNER_URL": urls.owner,
        "INSULA_REDIS_URL": events_url,
        "INSULA_MULTI_TENANCY_ENABLED": "true",
        "INSULA_SECRETS_KEY": remembered.secrets_key,
        "INSULA_HMAC_KEY": remembered.hmac_key,
        "INSULA_WORKER_IN_PROCESS": "true",
        "INSULA_LOG_LEVEL": os.environ.get("INSULA_LOG_LEVEL", "WARNING"),
    }


async def _seed(remembered: secrets.Remembered, demo_url: str) -> None:
    async with opened() as here:
        await seed.seed(here, remembered, demo_url)


async def _describe(
    remembered: secrets.Remembered, urls: store.Urls, events_url: str, base: str, demo_url: str
) -> dict[str, Any]:
    """The contents of .insula/dev.json."""
    port = base.rpartition(":")[2]

    def person(slug: str, who: seed.Person) -> dict[str, str]:
        email = seed.email_of(slug, who)
        return {
            "email": email,
            "username": who.username,
            "password": remembered.people.get(f"{slug}/{email}", who.password),
        }

    def client(slug: str, client_id: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  (values of any kind)
        found: dict[str, Any] = {"client_id": client_id}
        if (secret := remembered.clients.get(f"{slug}/{client_id}")) is not None:
            found["client_secret"] = secret
        return {**found, **more}

    async with opened() as here:
        issuers = {slug: (await here.tenant(slug)).issuer for slug in (PLATFORMS, *dict(seed.DEMO))}
    entries = []
    for slug, _name in seed.DEMO:
        admin, user = seed.people_of(slug)
        apps = {}
        for client_id, (_label, values) in seed.applications(slug, demo_url).items():
            more: dict[str, Any] = {}
            if "redirect_uris" in values:
                more["redirect_uris"] = list(values["redirect_uris"])
                more["post_logout_redirect_uris"] = list(values["post_logout_redirect_uris"])
            else:
                more["scope"] = " ".join(values["scopes"])
            apps[client_id] = client(slug, client_id, **more)
        entries.append(
            {
                "slug": slug,
                "host": f"{slug}.localhost:{port}",
                "issuer": issuers[slug],
                "admin": person(slug, admin),
                "user": person(slug, user),
                "clients": apps,
            }
        )
    return {
        "base_url": base,
        "platform": {
            "host": f"platform.localhost:{port}",
            "issuer": issuers[PLATFORMS],
            "admin": person(PLATFORMS, seed.OPERATOR),
            "clients": {"api": client(PLATFORMS, "api", scope=" ".join(seed.PLATFORM_SCOPES))},
        },
        "ops": {"host": f"ops.localhost:{port}"},
        "database": {
            "app_url": urls.app,
            "platform_url": urls.platform,
            "owner_url": urls.owner,
        },
        "events_url": events_url,
        "tenants": entries,
    }


def _summary(described: Mapping[str, Any], demo_url: str, seconds: float) -> None:
    """One screen: where to look and whom to be."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("Demo application", demo_url)
    for tenant in described["tenants"]:
        table.add_row(tenant["slug"].capitalize(), tenant["issuer"])
        for role in ("user", "admin"):
            who = tenant[role]
            table.add_row(f"  {role}", f"{who['email']}   {who['password']}")
    operator = described["platform"]["admin"]
    table.add_row("Platform", described["platform"]["issuer"])
    table.add_row("  operator", f"{operator['email']}   {operator['password']}")
    table.add_row("Probes", f"http://{described['ops']['host']}/ready")
    table.add_row("For scripts", f"{FOLDER / 'dev.json'}, {FOLDER / 'dev.env'}")
    out.print()
    out.print(f"Insula is up after {seconds:.1f} s. Ctrl-C stops everything.", highlight=False)
    out.print()
    out.print(table, highlight=False)
    out.print()
