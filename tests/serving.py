"""A real server under test: `insula serve` as processes of their own, over HTTP."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from zygote import Forked, Zygote, run

from insula.platform.embedded.ports import free_port

ROOT = Path(__file__).parents[1]
SECRETS_KEY = "c2VjcmV0cy1rZXktb2YtdGhlLXRlc3RzLTMyLWJ5dGU="
ZYGOTE = Zygote()
HMAC_KEY = "aG1hYy1rZXktb2YtdGhlLXRlc3RzLTMyLWJ5dGVzISE="


@dataclass
class Server:
    """One running installation; `url` is where it listens, tenants are told apart by Host."""

    environment: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | Forked | None = None
    log: Path = field(default_factory=lambda: Path(os.devnull))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def host(self, slug: str) -> str:
        return f"{slug}.localhost:{self.port}"

    def issuer(self, slug: str) -> str:
        return f"http://{self.host(slug)}"

    def client(self, slug: str, **more) -> httpx2.Client:
        """An HTTP client of one tenant: own cookies, no redirects followed."""
        headers = {"host": self.host(slug), **more.pop("headers", {})}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=30, **more)

    def start(self, *, wait: bool = True) -> None:
        with self.log.open("ab") as log, Path(os.devnull).open() as nothing:
            self.process = ZYGOTE.start(
                ["serve"],
                env=self.environment,
                cwd=ROOT,
                stdin=nothing.fileno(),
                stdout=log.fileno(),
                stderr=log.fileno(),
            )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(httpx2.HTTPError):
                answer = httpx2.get(
                    f"{self.url}/ready", headers={"host": self.host("ops")}, timeout=5
                )
                if answer.status_code == 200:
                    return
            if self.process is not None and self.process.poll() is not None:
                raise RuntimeError(f"the server ended: {self.log.read_text()[-2000:]}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)


def environment(
    app_url: str, platform_url: str, redis_url: str | None, port: int, **more: str
) -> dict[str, str]:
    """The environment of a development installation on these databases."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("INSULA_")}
    settings = {
        "INSULA_ENV": "development",
        "INSULA_BASE_DOMAIN": "localhost",
        "INSULA_PUBLIC_PORT": str(port),
        "INSULA_PORT": str(port),
        "INSULA_DATABASE_URL": app_url,
        "INSULA_DATABASE_PLATFORM_URL": platform_url,
        "INSULA_MULTI_TENANCY_ENABLED": "true",
        "INSULA_SECRETS_KEY": SECRETS_KEY,
        "INSULA_HMAC_KEY": HMAC_KEY,
        "INSULA_LOG_LEVEL": "INFO",
        **({"INSULA_REDIS_URL": redis_url} if redis_url else {}),
    }
    return {**clean, **settings, **more}


def with_password_file(app_url: str, platform_url: str, folder: Path) -> dict[str, str]:
    """
    Variables that take the passwords of the roles from a file in *folder*.

    They are too usual to stand in URLs outside development.
    """
    passwords = folder / "pgpass"
    passwords.write_text("*:*:*:insula_app:insula_app\n*:*:*:insula_platform:insula_platform\n")
    passwords.chmod(0o600)
    return {
        "PGPASSFILE": str(passwords),
        "INSULA_DATABASE_URL": _without_password(app_url),
        "INSULA_DATABASE_PLATFORM_URL": _without_password(platform_url),
    }


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}@{parts.hostname}:{parts.port}").geturl()


@contextlib.contextmanager
def serving(
    app_url: str,
    platform_url: str,
    redis_url: str | None,
    folder: Path,
    *,
    port: int | None = None,
    **more: str,
) -> Iterator[Server]:
    """A running server; *more* are further variables, such as INSULA_WORKERS="4"."""
    chosen = port or free_port()
    server = Server(
        environment(app_url, platform_url, redis_url, chosen, **more),
        chosen,
        log=folder / f"serve-{chosen}.log",
    )
    try:
        server.start()  # one that does not become ready is stopped too
        yield server
    finally:
        server.stop()


def cli(
    server_environment: Mapping[str, str], *words: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `insula …` against the same installation."""
    return run(ZYGOTE, words, env=server_environment, cwd=ROOT, stdin=stdin)
